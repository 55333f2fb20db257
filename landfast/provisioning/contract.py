"""The contract of nfs-subdir-external-provisioner, per line: where a volume is and goes. Pure.

Source: deploy/class.yaml, README.md and cmd/nfs-subdir-external-provisioner/provisioner.go of the
released line v4.0.2 and of master, and what was seen of both on a live cluster. Texts of errors are
left loose where they come from Go or the server: state is the verdict, events are evidence.
"""

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_PROVISIONER_MOUNT = "/persistentvolumes"
_PLACEHOLDER = re.compile(r"\$\{\.[^}]*\}")
_LABEL_OR_ANNOTATION = re.compile(r"^\$\{\.PVC\.(labels|annotations)\.(.+)\}$")
_TRUE = ("1", "t", "T", "TRUE", "true", "True")  # Go's strconv.ParseBool
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


class Line(StrEnum):
    """The two lines of the program that are in use."""

    V402 = "v4.0.2"
    """the released image, which the chart deploys"""
    MASTER = "master"
    """with fixes that were never released"""


@dataclass(frozen=True)
class ClassSettings:
    """What a StorageClass says of its volumes; None is a parameter that is left out."""

    reclaim_policy: str = "Delete"
    archive_on_delete: str | None = None
    on_delete: str | None = None
    path_pattern: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The StorageClass's `parameters`."""
        given = {
            "archiveOnDelete": self.archive_on_delete,
            "onDelete": self.on_delete,
            "pathPattern": self.path_pattern,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Pvc:
    """What the provisioner reads of a PersistentVolumeClaim."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class Outcome(StrEnum):
    """What becomes of a volume's data once its claim is deleted; the word is the report's."""

    KEPT = "kept"
    """where it was, as was asked for"""
    REMOVED = "removed"
    ARCHIVED = "archived"
    EMPTIED = "emptied"
    """the directory is kept, all that was in it is removed (Recycle)"""
    LEAKED = "LEAKED"
    """where it was, though nobody asked for that and no volume is left that names it"""
    NOTHING_THERE = "nothing was there"
    FAILED = "kept, deletion fails"
    """where it was, and the volume too: deleting it ends in an error again and again"""


@dataclass(frozen=True)
class Fate:
    """What becomes of a volume and of its data once its claim is deleted.

    Attributes:
        outcome: of the volume's own directory.
        data: the directory that the data is in afterwards, relative to the export, "" for the
            export itself; None if it is nowhere.
        phase: the volume's phase then, `gone` if there is no volume.
        event: the reason of an event on the volume, if there is one.
        error: a regular expression that the event's message matches.
        victim: a directory that is not the volume's own and was removed or archived.
    """

    outcome: Outcome
    data: str | None
    phase: str = "gone"
    event: str = ""
    error: str = ""
    victim: str | None = None

    @property
    def directory_stays(self) -> bool:
        """Whether the volume's own directory is there afterwards."""
        return self.outcome not in (Outcome.REMOVED, Outcome.ARCHIVED, Outcome.NOTHING_THERE)

    @property
    def hazard(self) -> bool:
        """Whether data is where nobody looks for it, or nobody can delete it, or it is others'."""
        unasked = (Outcome.LEAKED, Outcome.FAILED)
        return self.outcome in unasked or self.data == "" or self.victim is not None

    def __str__(self) -> str:
        """Give the fate in words (`archived as archived-x, volume gone`)."""
        where = f" as {self.data}" if self.outcome is Outcome.ARCHIVED else ""
        where = " in the export's root" if self.data == "" else where
        victim = f"; {self.victim}, which is somebody else's, is hit" if self.victim else ""
        return f"{self.outcome}{where}, volume {self.phase}{victim}"


def directory(line: Line, settings: ClassSettings, pvc: Pvc, pv_name: str) -> str:
    """Give the directory of a new volume, relative to the export as the pattern has it.

    Values of labels and annotations are not checked in either line: the result may be empty, `.`
    or lead out of the export (see `pv_path`).
    """
    name = f"{pvc.namespace}-{pvc.name}-{pv_name}"
    if settings.path_pattern is None:
        return name
    expanded = expand(settings.path_pattern, pvc)
    if expanded == "" and line is Line.MASTER:
        return name  # v4.0.2 goes on with nothing, which is the export itself
    return expanded


def expand(pattern: str, pvc: Pvc) -> str:
    """Give a pathPattern with each `${.PVC.…}` replaced; what is not known becomes empty."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "${.PVC.name}":
            return pvc.name
        if found[0] == "${.PVC.namespace}":
            return pvc.namespace
        key = _LABEL_OR_ANNOTATION.match(found[0])
        if key is None:
            return ""
        return (pvc.labels if key[1] == "labels" else pvc.annotations).get(key[2], "")

    return _PLACEHOLDER.sub(value, pattern)


def pv_path(nfs_path: str, directory: str) -> str:
    """Give the path on the server that the PersistentVolume of a directory names."""
    return _join(nfs_path, directory)


def looked_at(line: Line, nfs_path: str, path: str) -> str | None:
    """Give what Delete takes for the directory of a volume with this path.

    Relative to the export; "" is the export itself, None a place that is not on the export.
    """
    if line is Line.MASTER:
        # cut off as text: an NFS_PATH that ends in "/" takes the separator with it
        local = _PROVISIONER_MOUNT + path.removeprefix(nfs_path)
    else:
        local = _join(_PROVISIONER_MOUNT, _base(path))
    if local == _PROVISIONER_MOUNT:
        return ""
    inside = local.removeprefix(f"{_PROVISIONER_MOUNT}/")
    return None if inside == local else inside


def fate(
    line: Line,
    settings: ClassSettings,
    pvc: Pvc,
    pv_name: str,
    nfs_path: str,
    *,
    others: Collection[str] = (),
    directory_there: bool = True,
    class_there: bool = True,
    pv_deleted_first: bool = False,
) -> Fate:
    """Give what becomes of a volume, made under `settings`, once its claim is deleted.

    Args:
        line: whose contract.
        settings: of the StorageClass, as it is when the claim is deleted.
        pvc: the claim.
        pv_name: the volume's name (`pvc-UID`).
        nfs_path: the provisioner's NFS_PATH, as its Deployment gives it.
        others: directories on the export beside the volume's own, relative to it, not empty.
        directory_there: False if somebody removed the volume's directory.
        class_there: False if the StorageClass was deleted before the claim.
        pv_deleted_first: the volume was deleted before the claim, so that nobody reclaims it.
    """
    path = pv_path(nfs_path, directory(line, settings, pvc, pv_name))
    own = _relative(nfs_path, path)
    if settings.reclaim_policy == "Retain" and not pv_deleted_first:
        return Fate(Outcome.KEPT, own, "Released")
    if pv_deleted_first:
        kept = settings.reclaim_policy == "Retain"
        return Fate(Outcome.KEPT if kept else Outcome.LEAKED, own)
    target = looked_at(line, nfs_path, path)
    there = {*others, *([own] if directory_there and own is not None else ())}
    if target is None or not _exists(target, there):
        if not directory_there:
            return Fate(Outcome.NOTHING_THERE, None)
        asked = settings.on_delete == "retain"
        return Fate(Outcome.KEPT if asked else Outcome.LEAKED, own)
    if not class_there:
        return _failed(own, "not found")
    return _reclaimed(settings, own, target, archive=f"archived-{_base(path)}", there=there)


def _reclaimed(
    settings: ClassSettings, own: str | None, target: str, *, archive: str, there: Collection[str]
) -> Fate:
    """Give what Delete does with the directory that it found."""
    match settings.on_delete:
        case "delete":
            return _removed(own, target)
        case "retain":
            return Fate(Outcome.KEPT, own)
    if settings.archive_on_delete in _FALSE:
        return _removed(own, target)
    if settings.archive_on_delete not in (None, *_TRUE):
        return _failed(own, "invalid syntax")
    if target == "" or _exists(archive, there):
        return _failed(own, "rename")  # what follows is Go's or the server's word for it
    if not _holds(target, own):
        return Fate(Outcome.LEAKED, own, victim=target)
    moved = archive + str(own).removeprefix(target)
    return Fate(Outcome.ARCHIVED, moved, victim=None if target == own else target)


def _removed(own: str | None, target: str) -> Fate:
    if target == "":  # all that is in the export goes, then the mount itself cannot be removed
        return Fate(Outcome.EMPTIED, None, "Released", "VolumeFailedDelete", "busy", victim=".")
    if not _holds(target, own):
        return Fate(Outcome.LEAKED, own, victim=target)
    return Fate(Outcome.REMOVED, None, victim=None if target == own else target)


def _failed(own: str | None, error: str) -> Fate:
    return Fate(Outcome.FAILED, own, "Released", "VolumeFailedDelete", error)


def lines_differ(settings: ClassSettings, pvc: Pvc, pv_name: str, nfs_path: str) -> bool:
    """Whether a volume shows which line made it: by its path, or by what becomes of it."""

    def shown(line: Line) -> tuple[str, str | None, str, bool]:
        made = pv_path(nfs_path, directory(line, settings, pvc, pv_name))
        end = fate(line, settings, pvc, pv_name, nfs_path)
        return made, end.data, end.phase, end.directory_stays

    return shown(Line.V402) != shown(Line.MASTER)


def static_fate(reclaim_policy: str, own: str) -> Fate:
    """Give what becomes of a volume that nobody provisioned; its class is not asked.

    Source: Kubernetes 1.37, pkg/controller/volume/persistentvolume/pv_controller.go,
    reclaimVolume: NFS has a recycler, and no deleter.

    Args:
        reclaim_policy: the volume's.
        own: its directory, relative to the export.
    """
    match reclaim_policy:
        case "Retain":
            return Fate(Outcome.KEPT, own, "Released")
        case "Delete":
            return Fate(
                Outcome.FAILED, own, "Failed", "VolumeFailedDelete", "no deletable volume plugin"
            )
        case "Recycle":
            return Fate(Outcome.EMPTIED, None, "Available", "VolumeRecycled")
    raise ValueError(f"there is no reclaim policy {reclaim_policy!r}")


def _exists(directory: str, there: Collection[str]) -> bool:
    """Whether a directory is on an export that has these; the export itself always is."""
    return directory == "" or any(_holds(directory, name) for name in there)


def _holds(directory: str, name: str | None) -> bool:
    """Whether a directory is what is named, or what is named lies in it."""
    return name is not None and f"{name}/".startswith(f"{directory}/")


def _relative(nfs_path: str, path: str) -> str | None:
    """Give a path on the server relative to the export, "" for the export, None outside of it."""
    top = _join(nfs_path)
    if path == top:
        return ""
    inside = path.removeprefix(f"{top.rstrip('/')}/")
    return None if inside == path else inside


def _join(*parts: str) -> str:
    """Give what Go's filepath.Join gives for paths that begin with a slash."""
    return re.sub(r"^/+", "/", posixpath.normpath("/".join(part for part in parts if part)))


def _base(path: str) -> str:
    """Give what Go's filepath.Base gives."""
    return posixpath.basename(path.rstrip("/")) or "/"
