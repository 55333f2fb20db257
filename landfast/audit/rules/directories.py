"""Rules on the export itself: volumes without a directory, directories without a volume."""

import posixpath
from collections.abc import Iterator

from rich.filesize import decimal

from landfast.audit.export import ARCHIVED
from landfast.audit.findings import Hit, Severity, rule
from landfast.audit.inventory import Inventory

_DAY = 86400


@rule(
    "audit.directory-missing",
    Severity.ERROR,
    "A volume without its directory",
    reason=(
        "Pods with this volume stay in ContainerCreating: mount says that there is no such file or "
        "directory. If it held data, that data is gone."
    ),
    fix="Restore the directory, or make it if the volume is new; else delete the volume.",
    source="mount.nfs(8); provisioner.md: directory removed behind its back",
)
def directory_missing(inventory: Inventory) -> Iterator[Hit]:
    """Find volumes whose directory is not on the export."""
    export = inventory.export
    for pv in inventory.pvs if export else ():
        there = pv.directory
        if export and there and export.root.holds(there) and there.path in export.missing:
            yield Hit(pv, f"there is no directory {there}", ("spec", "nfs", "path"))


@rule(
    "audit.orphan-directory",
    Severity.WARNING,
    "A directory without a volume",
    reason=(
        "No volume names it, so nobody will ever delete it: it was leaked, archived, or left "
        "behind when its volume was deleted. It may be the last copy of somebody's data."
    ),
    fix="Find out whose it is (its name has namespace and PVC), then restore or remove it by hand.",
    source="provisioner.md, Delete: archived, leaked and kept directories",
)
def orphan_directory(inventory: Inventory) -> Iterator[Hit]:
    """Find directories that no volume names, with size and age."""
    export = inventory.export
    for orphan in export.orphans if export else ():
        archived = posixpath.basename(orphan.path).startswith(ARCHIVED)
        rooted = [pv.title for pv in inventory.pvs if pv.directory == (export and export.root)]
        age = max(0, (export.looked_at if export else 0) - orphan.modified) // _DAY
        said = (
            f"{orphan.path}: {decimal(orphan.size)} in {orphan.files} file(s), "
            f"last changed {age} day(s) ago"
        )
        said += ", archived by a provisioner" if archived else ""
        said += f", or data of {rooted[0]}, which is the export's root" if rooted else ""
        expected = archived or rooted or not inventory.complete
        yield Hit(None, said, severity=Severity.NOTE if expected else None)


RULES = (directory_missing, orphan_directory)
