"""An export as its server shows it, as far as the audit needs it."""

import posixpath
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from landfast import process
from landfast.audit.directories import Directory
from landfast.nfs.inspector import Entry, ExportInspector

_SECONDS = 600
_SYSTEM = ("lost+found",)
ARCHIVED = "archived-"


@dataclass(frozen=True)
class Orphan:
    """A directory that nothing names; `size` in bytes, `modified` in seconds since 1970."""

    path: str
    files: int
    size: int
    modified: int


@dataclass(frozen=True)
class ExportView:
    """An export, and where it disagrees with the PersistentVolumes.

    Attributes:
        root: what PersistentVolumes call its root.
        missing: paths of volumes that are not on it.
        orphans: directories that nothing names.
        looked_at: the time of the look, in seconds since 1970.
    """

    root: Directory
    missing: frozenset[str]
    orphans: tuple[Orphan, ...]
    looked_at: int


def local_inspector(folder: PurePosixPath) -> ExportInspector:
    """Return an inspector of a folder of this host."""
    return ExportInspector(
        lambda argv: process.run(argv, timeout=_SECONDS).stdout, folder, f"{folder} on this host"
    )


def view(
    inspector: ExportInspector, root: Directory, volumes: Collection[Directory], now: int
) -> ExportView:
    """Look at an export.

    Args:
        inspector: sees the export from its root.
        root: what PersistentVolumes call that root.
        volumes: the directories of all volumes, those that pods define themselves included.
        now: the time, in seconds since 1970.

    Raises:
        LandfastError: the export cannot be inspected.
    """
    own = {v.path for v in volumes if root.holds(v)}
    above = {folder for path in own for folder in _parents(path)}
    found: dict[str, Entry | None] = {path: inspector.stat(_inside(path, root)) for path in own}
    missing = {path for path, entry in found.items() if entry is None or entry.type == "file"}
    orphans = _orphans(inspector, root, root.path, own, above)
    return ExportView(root, frozenset(missing), tuple(orphans), now)


def _orphans(
    inspector: ExportInspector, root: Directory, folder: str, own: set[str], above: set[str]
) -> Iterator[Orphan]:
    """Descend to the volumes; the directories beside them are orphans."""
    for entry in inspector.list(_inside(folder, root), depth=1).values():
        path = posixpath.join(root.path, entry.path)
        if entry.type != "directory" or path in own or entry.path in _SYSTEM:
            continue
        if path in above:
            yield from _orphans(inspector, root, path, own, above)
        else:
            content = inspector.list(entry.path).values()
            files = [e for e in content if e.type == "file"]
            modified = max([entry.modified, *(e.modified for e in content)])
            yield Orphan(path, len(files), sum(e.size for e in files), modified)


def _parents(path: str) -> Iterator[str]:
    while path != "/":
        path = posixpath.dirname(path)
        yield path


def _inside(path: str, root: Directory) -> str:
    return posixpath.relpath(path, root.path)
