"""A pure model of what nfs-subdir-external-provisioner does with a volume, per release line.

Source: deploy/class.yaml, README.md and cmd/nfs-subdir-external-provisioner/provisioner.go of
v4.0.2 and of master, and observations of both on a live cluster.
"""

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_PROVISIONER_MOUNT = "/persistentvolumes"
_PLACEHOLDER = re.compile(r"\$\{\.PVC\.((labels|annotations)\.(.*?)|.*?)\}")
_TRUE = ("1", "t", "T", "TRUE", "true", "True")  # Go's strconv.ParseBool
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


class Line(StrEnum):
    """A release line of the provisioner. Three are in use."""

    V402 = "v4.0.2"
    """the latest released image, which the Helm chart deploys"""
    MASTER = "master"
    """contains fixes that were never released"""
    LEASES = "leases"
    """a fork, 4.0.5: its lock is a Lease, which the reference's rights do not cover; else master"""


PATH_LINES = (Line.V402, Line.MASTER)
"""The lines that differ in what they do with directories."""


@dataclass(frozen=True)
class ClassSettings:
    """The settings of a StorageClass; None means that the parameter is absent."""

    reclaim_policy: str = "Delete"
    archive_on_delete: str | None = None
    on_delete: str | None = None
    path_pattern: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The `parameters` of the StorageClass."""
        given = {
            "archiveOnDelete": self.archive_on_delete,
            "onDelete": self.on_delete,
            "pathPattern": self.path_pattern,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class PvcMeta:
    """The metadata of a PVC, which is all that the provisioner reads of it."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class Reclaimed(StrEnum):
    """What happened to a volume's directory after its PVC was deleted, as the report words it."""

    KEPT = "kept"
    """in place, as requested"""
    REMOVED = "removed"
    ARCHIVED = "archived"
    EMPTIED = "emptied"
    """the directory remains without its content (Recycle)"""
    LEAKED = "LEAKED"
    """in place although nobody requested it, and no volume refers to it any more"""
    NOTHING_THERE = "nothing was there"
    FAILED = "kept, deletion fails"
    """in place, and so is the volume: every attempt to delete it ends in an error"""


@dataclass(frozen=True)
class Fate:
    """What becomes of a volume and its data after its PVC is deleted.

    Attributes:
        reclaimed: what happened to the volume's own directory.
        data: the directory that then holds the data, relative to the export; "" is the export
            itself, None means that the data no longer exists.
        phase: the volume's final phase, `gone` if the volume no longer exists.
        victim: another directory that was removed or archived instead or as well.
    """

    reclaimed: Reclaimed
    data: str | None
    phase: str = "gone"
    victim: str | None = None

    @property
    def directory_stays(self) -> bool:
        """Whether the volume's own directory still exists afterwards."""
        moved = (Reclaimed.REMOVED, Reclaimed.ARCHIVED, Reclaimed.NOTHING_THERE)
        return self.reclaimed not in moved

    @property
    def hazard(self) -> bool:
        """Whether data is leaked, cannot be deleted, lies in the root, or is another volume's."""
        unasked = (Reclaimed.LEAKED, Reclaimed.FAILED)
        return self.reclaimed in unasked or self.data == "" or self.victim is not None

    def __str__(self) -> str:
        """Return the fate in words (`archived as archived-x, volume gone`)."""
        where = f" as {self.data}" if self.reclaimed is Reclaimed.ARCHIVED else ""
        where = " in the export's root" if self.data == "" else where
        victim = f"; hits {self.victim}, which is not its own" if self.victim else ""
        return f"{self.reclaimed}{where}, volume {self.phase}{victim}"


def directory(line: Line, settings: ClassSettings, pvc: PvcMeta, pv_name: str) -> str:
    """Return the directory of a new volume, relative to the export, as the pattern spells it.

    Neither line checks the values of labels and annotations: the result may be empty, `.`, or
    lead out of the export (see `pv_path`).
    """
    name = f"{pvc.namespace}-{pvc.name}-{pv_name}"
    if settings.path_pattern is None:
        return name
    expanded = expand(settings.path_pattern, pvc)
    if expanded == "" and line is not Line.V402:
        return name  # v4.0.2 continues with "", which is the export itself
    return expanded


def expand(pattern: str, pvc: PvcMeta) -> str:
    """Return a pathPattern with every `${.PVC.…}` expanded; an unknown one becomes empty.

    The placeholders are expanded one after another, each everywhere at once: a label or annotation
    whose value contains a placeholder that stands later in the pattern has it expanded, too.
    """
    known = {"name": pvc.name, "namespace": pvc.namespace}
    of_kind = {"labels": pvc.labels, "annotations": pvc.annotations}
    expanded = pattern
    for found in _PLACEHOLDER.finditer(pattern):
        kind, key = found[2], found[3]
        value = known.get(found[1], "") if kind is None else of_kind[kind].get(key, "")
        expanded = expanded.replace(found[0], value)
    return expanded


def pv_path(nfs_path: str, directory: str) -> str:
    """Return the path on the server that the PV of a directory contains."""
    return _join(nfs_path, directory)


def archive_name(path: str) -> str:
    """Return the directory to which a volume with this path is archived, relative to the export."""
    return f"archived-{_base(path)}".rstrip("/")


def looked_at(line: Line, nfs_path: str, path: str) -> str | None:
    """Return the directory that Delete believes a volume with this path to have.

    It is relative to the export; "" is the export itself or, as seen from the provisioner, a
    directory that contains it. None is a place outside, where the provisioner's container has
    nothing.
    """
    if line is Line.V402:
        local = _join(_PROVISIONER_MOUNT, _base(path))
    else:
        # strings.Replace: an NFS_PATH that ends in "/" takes the separator along, and a path
        # without NFS_PATH is looked for in the provisioner's own container
        local = path.replace(nfs_path, _PROVISIONER_MOUNT, 1)
    above = _holds(local.rstrip("/"), _PROVISIONER_MOUNT)
    return "" if above else _relative(_PROVISIONER_MOUNT, local)


def fate(
    line: Line,
    settings: ClassSettings,
    pvc: PvcMeta,
    pv_name: str,
    nfs_path: str,
    *,
    others: Collection[str] = (),
) -> Fate:
    """Return what becomes of a volume that was made under `settings` once its PVC is deleted.

    `settings` are those of the StorageClass when the PVC is deleted, `nfs_path` is the
    provisioner's NFS_PATH as its Deployment spells it, `others` are the other directories on the
    export, relative to the export.
    """
    path = pv_path(nfs_path, directory(line, settings, pvc, pv_name))
    own = _relative(nfs_path, path)
    if settings.reclaim_policy == "Retain":
        return Fate(Reclaimed.KEPT, own, "Released")
    target = looked_at(line, nfs_path, path)
    there = {*others, own}
    if target is None or not _exists(target, there):
        asked = settings.on_delete == "retain"
        return Fate(Reclaimed.KEPT if asked else Reclaimed.LEAKED, own)
    return _deleted(settings, own, target, archive=archive_name(path), there=there)


def _deleted(
    settings: ClassSettings,
    own: str | None,
    target: str,
    *,
    archive: str,
    there: Collection[str | None],
) -> Fate:
    """Return what Delete does with the directory that it found."""
    match settings.on_delete:
        case "delete":
            return _removed(own, target)
        case "retain":
            return Fate(Reclaimed.KEPT, own)
    if settings.archive_on_delete in _FALSE:
        return _removed(own, target)
    if settings.archive_on_delete not in (None, *_TRUE):
        return Fate(Reclaimed.FAILED, own, "Released")  # Go: invalid syntax
    if target == "" or _exists(archive, there):
        return Fate(Reclaimed.FAILED, own, "Released")  # os.Rename refuses what is there
    if not _holds(target, own):
        return Fate(Reclaimed.LEAKED, own, victim=target)
    moved = archive + str(own).removeprefix(target)
    return Fate(Reclaimed.ARCHIVED, moved, victim=None if target == own else target)


def _removed(own: str | None, target: str) -> Fate:
    if target == "":  # the whole content is removed, then the mount point itself is busy
        return Fate(Reclaimed.EMPTIED, None, "Released", victim=".")
    if not _holds(target, own):
        return Fate(Reclaimed.LEAKED, own, victim=target)
    return Fate(Reclaimed.REMOVED, None, victim=None if target == own else target)


def lines_differ(
    settings: ClassSettings,
    pvc: PvcMeta,
    pv_name: str,
    nfs_path: str,
    *,
    others: Collection[str] = (),
) -> bool:
    """Return whether the lines differ in what becomes of a volume, or of others beside it.

    They always do if they put it into different directories.
    """

    def shown(line: Line) -> tuple[str | None, str, bool, bool]:
        end = fate(line, settings, pvc, pv_name, nfs_path, others=others)
        return end.data, end.phase, end.directory_stays, end.victim in others

    return len({shown(line) for line in PATH_LINES}) > 1


def static_fate(reclaim_policy: str, own: str) -> Fate:
    """Return what becomes of a volume that was prepared by hand; its class does not matter.

    Source: Kubernetes 1.37, pkg/controller/volume/persistentvolume/pv_controller.go,
    reclaimVolume: NFS has a recycler, and no deleter. `own` is the volume's directory, relative to
    the export.

    Raises:
        ValueError: there is no such policy.
    """
    match reclaim_policy:
        case "Retain":
            return Fate(Reclaimed.KEPT, own, "Released")
        case "Delete":
            return Fate(Reclaimed.FAILED, own, "Failed")
        case "Recycle":
            return Fate(Reclaimed.EMPTIED, None, "Available")
    raise ValueError(f"there is no reclaim policy {reclaim_policy!r}")


def _exists(directory: str, there: Collection[str | None]) -> bool:
    """Return whether an export with these directories has another one; it always has ""."""
    return directory == "" or any(_holds(directory, name) for name in there)


def _holds(directory: str, name: str | None) -> bool:
    """Return whether `name` is a directory or lies in it."""
    return name is not None and f"{name}/".startswith(f"{directory}/")


def _relative(root: str, path: str) -> str | None:
    """Return a path relative to the export's root: "" is the export, None is outside."""
    top = _join(root)
    if path == top:
        return ""
    inside = path.removeprefix(f"{top.rstrip('/')}/")
    return None if inside == path else inside


def _join(*parts: str) -> str:
    """Return what Go's filepath.Join returns for paths that begin with a slash."""
    return re.sub(r"^/+", "/", posixpath.normpath("/".join(part for part in parts if part)))


def _base(path: str) -> str:
    """Return what Go's filepath.Base returns for a path that `_join` made."""
    return posixpath.basename(path) or "/"
