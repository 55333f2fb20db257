"""Which line's contract a deployed provisioner follows, as three volumes show."""

import contextlib

from pydantic import BaseModel, ConfigDict

from landfast.provisioning.contract import ClassSettings, Line, fate
from landfast.provisioning.volumes import GONE, clear, provisioned
from landfast.stack import Stack
from landfast.waiting import WaitTimeout

_MISSING = "${.PVC.annotations.landfast/not-there}"
_NESTED = "${.PVC.namespace}/${.PVC.name}"
PROBES = {
    "default name": ClassSettings(),
    "missing annotation": ClassSettings(on_delete="delete", path_pattern=_MISSING),
    "nested path": ClassSettings(on_delete="delete", path_pattern=_NESTED),
}
"""The first goes alike in both lines, the others do not."""


class Probe(BaseModel):
    """What was seen of one volume, and in what it differs from each line's contract."""

    model_config = ConfigDict(frozen=True)

    name: str
    seen: str
    differences: dict[Line, str]
    """empty where the line's contract was followed"""


class Detection(BaseModel):
    """The lines whose contract a provisioner follows, and what that was seen from."""

    model_config = ConfigDict(frozen=True)

    probes: tuple[Probe, ...]

    @property
    def line(self) -> Line | None:
        """The line that it follows in everything; None if there is none."""
        lines = (line for line in Line if not any(p.differences[line] for p in self.probes))
        return next(lines, None)

    @property
    def first_differences(self) -> dict[Line, str]:
        """Of each line that is not followed, the first probe that shows it, and how."""
        return {
            line: f"{probe.name}: {probe.differences[line]}"
            for line in Line
            for probe in reversed(self.probes)
            if probe.differences[line]
        }

    def __str__(self) -> str:
        """Give what was detected, and by what, as one line."""
        if self.line is not None:
            by = "; ".join(f"{probe.name} {probe.seen}" for probe in self.probes)
            return f"{self.line}, detected by: {by}"
        not_like = "; ".join(f"not {line} ({how})" for line, how in self.first_differences.items())
        return f"neither line: {not_like}"


def detect(stack: Stack) -> Detection:
    """Find out which contract the provisioner of a stack follows; its export must be empty.

    Raises:
        WaitTimeout: it makes no volume at all.
    """
    try:
        probes = tuple(_probe(stack, name, settings) for name, settings in PROBES.items())
    finally:
        clear(stack)
    return Detection(probes=probes)


def _probe(stack: Stack, name: str, settings: ClassSettings) -> Probe:
    root = stack.overlay.root
    with provisioned(stack, f"probe-{name.replace(' ', '-')}", settings) as volume:
        misplaced = {line: volume.misplaced(line, settings) for line in Line}
        if not volume.on_export:  # there, nothing is written
            return Probe(name=name, seen=f"path {volume.path}", differences=misplaced)
        volume.write()
        volume.delete_claim()
        with contextlib.suppress(WaitTimeout):  # then that is what is seen
            volume.wait_for(GONE)
        seen = volume.look()
    fates = {line: fate(line, settings, volume.pvc, volume.name, root) for line in Line}
    return Probe(
        name=name,
        seen=volume.in_words(volume.end(settings, seen)),
        differences={line: misplaced[line] or seen.difference(fates[line]) for line in Line},
    )
