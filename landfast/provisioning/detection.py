"""Detect which release line a deployed provisioner behaves like: three volumes and its lock."""

import contextlib

from pydantic import BaseModel, ConfigDict

from landfast.provisioning.contract import PATH_LINES, ClassSettings, Line
from landfast.provisioning.observed import GONE
from landfast.provisioning.volumes import clear, provisioned
from landfast.stack import Stack
from landfast.waiting import WaitTimeout

_MISSING = "${.PVC.annotations.landfast/not-there}"
_NESTED = "${.PVC.namespace}/${.PVC.name}"
PROBES = {
    "default name": ClassSettings(),
    "missing annotation": ClassSettings(on_delete="delete", path_pattern=_MISSING),
    "nested path": ClassSettings(on_delete="delete", path_pattern=_NESTED),
}
"""v4.0.2 and master handle the first one alike, but not the other two."""


class Probe(BaseModel):
    """What one volume showed, and how that differs from each line's contract."""

    model_config = ConfigDict(frozen=True)

    name: str
    seen: str
    differences: dict[Line, str]
    """by line of `PATH_LINES`; empty where the volume followed the line's contract"""


class Detection(BaseModel):
    """The result of a detection, and what it rests on."""

    model_config = ConfigDict(frozen=True)

    probes: tuple[Probe, ...]
    lease: bool = False
    """whether the provisioner's lock is a Lease"""

    @property
    def line(self) -> Line | None:
        """The line that the provisioner follows in every probe; None if it follows none."""
        return None if self._misses(self.nearest) else self.nearest

    @property
    def nearest(self) -> Line:
        """The line that the provisioner differs from in the fewest probes."""
        nearest = min(PATH_LINES, key=self._misses)
        return Line.LEASES if nearest is Line.MASTER and self.lease else nearest

    def _misses(self, line: Line) -> int:
        """Return in how many probes the provisioner differs from a line."""
        like = Line.MASTER if line is Line.LEASES else line
        return sum(bool(probe.differences[like]) for probe in self.probes)

    def __str__(self) -> str:
        """Return the line and the probes that show it, as one line of text."""
        if self.line is not None:
            by = "; ".join(f"{probe.name} {probe.seen}" for probe in self.probes)
            lock = "; its lock is a Lease" if self.lease else ""
            return f"{self.line}, detected by: {by}{lock}"
        not_like = []
        for line in PATH_LINES:
            first = next(probe for probe in self.probes if probe.differences[line])
            not_like.append(f"not {line} ({first.name}: {first.differences[line]})")
        return f"no line: {'; '.join(not_like)}; the nearest is {self.nearest}"


def detect(stack: Stack) -> Detection:
    """Detect which line the provisioner of a stack follows; its part of the export must be empty.

    Raises:
        WaitTimeout: the provisioner does not make a volume.
    """
    try:
        probes = tuple(_probe(stack, name, settings) for name, settings in PROBES.items())
    finally:
        clear(stack)
    return Detection(probes=probes, lease=_has_lease(stack))


def _has_lease(stack: Stack) -> bool:
    name = f"nfs-client{stack.overlay.suffix}"
    return stack.kube.find("Lease", name, stack.system_namespace) is not None


def _probe(stack: Stack, name: str, settings: ClassSettings) -> Probe:
    with provisioned(stack, f"probe-{name.replace(' ', '-')}", settings) as volume:
        differences = {line: volume.misplaced(line, settings) for line in PATH_LINES}
        if not volume.on_export:  # nothing is written outside
            return Probe(name=name, seen=f"path {volume.path}", differences=differences)
        volume.write()
        volume.delete_pvc()
        with contextlib.suppress(WaitTimeout):  # the observation shows that it stays
            volume.wait_for(GONE)
        seen = volume.look()
    return Probe(
        name=name,
        seen=volume.in_words(volume.observed_fate(settings, seen)),
        differences={
            line: misplaced or seen.difference(volume.fate(line, settings))
            for line, misplaced in differences.items()
        },
    )
