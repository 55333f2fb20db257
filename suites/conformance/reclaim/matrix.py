"""The reclaim matrix: what becomes of a volume, for every combination of settings that matters.

Three policies, static or dynamic, and four values each of archiveOnDelete, onDelete and pathPattern
make 384 cells. Cells that cannot differ from the ones below are left out:

- static: nothing reads the class, and a volume has no pathPattern. Each policy has two cells: a
  class without parameters, and one whose parameters would destroy the data if they were read.
- dynamic with Retain: the provisioner is not asked to delete, so nothing reads onDelete and
  archiveOnDelete. Each pathPattern has one cell, with the parameters that destroy; one has none.
- dynamic with Recycle: the API refuses the class, whatever its parameters.
- a missing annotation leads to an empty name (v4.0.2: the export's root) or to the default one
  (master), which has all 16 cells already: each parameter varies with the other one absent.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from landfast.claims import Claim
from landfast.provisioning.contract import (
    PATH_LINES,
    ClassSettings,
    Fate,
    Line,
    PvcMeta,
    directory,
    fate,
    lines_differ,
    static_fate,
)

PATTERNS = {
    "none": None,
    "flat": "${.PVC.name}",
    "nested": "${.PVC.namespace}/${.PVC.name}",
    "missing annotation": "${.PVC.annotations.landfast/not-there}",
}
_ARCHIVE = {"absent": None, "true": "true", "false": "false", "invalid": "no"}
_ON_DELETE = {"absent": None, "delete": "delete", "retain": "retain", "typo": "Delete"}
_SOURCES = {
    "static": "Kubernetes docs, Persistent Volumes, Reclaiming; "
    "kube-controller-manager, pv_controller.go, reclaimVolume",
    "dynamic": "nfs-subdir-external-provisioner, README and deploy/class.yaml; "
    "provisioner.go, Provision and Delete, of v4.0.2 and of master",
}
_NFS_PATH = "/EXPORT"
_PVC = PvcMeta("NAMESPACE", "PVC")
_VOLUME = "VOLUME"

How = Literal["static", "dynamic"]


@dataclass(frozen=True)
class ReclaimCell:
    """One combination of settings: how the volume is made, and its policy and class."""

    how: How
    settings: ClassSettings

    @property
    def axes(self) -> dict[str, str]:
        """Its place in the matrix; the last axis makes the columns."""
        settings = self.settings
        return {
            "volume": self.how,
            "reclaimPolicy": settings.reclaim_policy,
            "archiveOnDelete": _word(_ARCHIVE, settings.archive_on_delete),
            "onDelete": _word(_ON_DELETE, settings.on_delete),
            "pathPattern": _word(PATTERNS, settings.path_pattern),
        }

    @property
    def slug(self) -> str:
        """Its name, for ids and objects."""
        how, policy, archive, on_delete, pattern = self.axes.values()
        path = "" if pattern == "none" else f"-{pattern.partition(' ')[0]}"
        return f"{how}-{policy.lower()}-archive-{archive}-ondelete-{on_delete}{path}"

    @property
    def claim(self) -> Claim:
        policy = f"reclaimPolicy {self.settings.reclaim_policy}"
        given = [f'{name} "{value}"' for name, value in self.settings.parameters.items()]
        parameters = ", ".join(given) or "no parameters"
        if self.refused:
            text = f"The API MUST refuse a StorageClass with {policy}."
        else:
            made = (
                f"prepared by hand with {policy}, of a class with {parameters},"
                if self.how == "static"
                else f"provisioned under a class with {policy} and {parameters}"
            )
            text = f"After its PVC is deleted, a volume that was {made} MUST be: {self._end()}."
        return Claim(id=f"reclaim.{self.slug}", text=text, source=_SOURCES[self.how])

    def _end(self) -> str:
        if self.how == "static":
            return str(static_fate(self.settings.reclaim_policy, "DIRECTORY"))
        fates = {line: str(_fate(line, self.settings)) for line in PATH_LINES}
        if len(set(fates.values())) == 1:
            return fates[Line.V402]
        return "; ".join(f"{words} ({line})" for line, words in fates.items())

    @property
    def refused(self) -> bool:
        """Whether the API refuses the class: only a PV's policy may be Recycle."""
        return self.how == "dynamic" and self.settings.reclaim_policy == "Recycle"

    @property
    def differs(self) -> bool:
        provisioned = self.how == "dynamic" and not self.refused
        return provisioned and lines_differ(self.settings, _PVC, _VOLUME, _NFS_PATH)

    def twin(self, line: Line) -> ClassSettings:
        """Return the settings with one input changed so that the volume must end otherwise."""
        settings = self.settings
        policy = "Retain" if settings.reclaim_policy == "Delete" else "Delete"
        if self.how == "static" or settings.reclaim_policy != "Delete":
            return replace(settings, reclaim_policy=policy)
        candidates = [
            replace(settings, on_delete="delete"),
            replace(settings, on_delete="retain"),
            replace(settings, path_pattern="other-${.PVC.name}"),
        ]
        own = _visible(line, settings)
        return next(twin for twin in candidates if _visible(line, twin) != own)


def _word(words: dict[str, str | None], value: str | None) -> str:
    return next(word for word, meant in words.items() if meant == value)


def _fate(line: Line, settings: ClassSettings) -> Fate:
    return fate(line, settings, _PVC, _VOLUME, _NFS_PATH)


def _visible(line: Line, settings: ClassSettings) -> tuple[str, str | None, str]:
    """Return what an observer sees: the volume's directory, and where its data and it end."""
    found = _fate(line, settings)
    return directory(line, settings, _PVC, _VOLUME), found.data, found.phase


def _settings(
    policy: str, archive: str = "absent", on_delete: str = "absent", pattern: str = "none"
) -> ClassSettings:
    return ClassSettings(policy, _ARCHIVE[archive], _ON_DELETE[on_delete], PATTERNS[pattern])


def _deletes() -> list[ClassSettings]:
    whole = product(_ARCHIVE, _ON_DELETE, ("none", "flat", "nested"))
    archives = product(_ARCHIVE, ["absent"], ["missing annotation"])
    others = product(["absent"], ["delete", "retain", "typo"], ["missing annotation"])
    return [_settings("Delete", *cell) for cell in (*whole, *archives, *others)]


_DESTROYS = ("false", "delete")
STATIC = [
    ReclaimCell("static", _settings(policy, *parameters))
    for policy in ("Retain", "Delete", "Recycle")
    for parameters in ((), _DESTROYS)
]
DYNAMIC = [
    *(ReclaimCell("dynamic", settings) for settings in _deletes()),
    ReclaimCell("dynamic", _settings("Retain")),
    *(ReclaimCell("dynamic", _settings("Retain", *_DESTROYS, pattern)) for pattern in PATTERNS),
]
REFUSED = ReclaimCell("dynamic", _settings("Recycle"))
CELLS = [*DYNAMIC, REFUSED, *STATIC]
