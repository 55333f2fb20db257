"""Rules for the export: volumes without a directory, directories without a volume."""

import posixpath
from collections.abc import Iterator

from rich.filesize import decimal

from landfast.audit.export import ARCHIVED
from landfast.audit.findings import Hit, Rule, Said, Severity, counted, each
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvObject
from landfast.audit.rules.sources import CONTRACT

_DAY = 86400


@Rule(
    "audit.directory-missing",
    Severity.ERROR,
    "A volume without its directory",
    reason=(
        "Pods that use it stay in ContainerCreating: the mount fails with `No such file or "
        "directory`. If it held data, that data is gone."
    ),
    fix="Restore the directory; create it if the volume is new; otherwise delete the volume.",
    source="mount.nfs(8); hazards.vanished-directory-goes-unnoticed",
)
@each(lambda inventory: inventory.pvs, ("spec", "nfs", "path"))
def directory_missing(inventory: Inventory, pv: PvObject) -> Said:
    export, there = inventory.export, pv.directory
    if export and there and export.root.holds(there) and there.path in export.missing:
        return f"there is no directory {there}"
    return None


@Rule(
    "audit.orphan-directory",
    Severity.WARNING,
    "A directory without a volume",
    reason=(
        "No volume names it, so nothing will ever delete it. It was leaked, archived, or left "
        "behind by a deleted volume, and may be the only copy of somebody's data."
    ),
    fix="Find its owner (the name has namespace and PVC), then restore or remove it by hand.",
    source=f"{CONTRACT}; docs/reclaim.md",
    cluster_decides=True,
)
def orphan_directory(inventory: Inventory) -> Iterator[Hit]:
    export = inventory.export
    if export is None:
        return
    rooted = [pv.title for pv in inventory.pvs if pv.directory == export.root]
    for orphan in export.orphans:
        archived = posixpath.basename(orphan.path).startswith(ARCHIVED)
        age = max(0, export.looked_at - orphan.modified) // _DAY
        said = (
            f"{decimal(orphan.size)} in {counted(orphan.files, 'file')}, "
            f"last changed {counted(age, 'day')} ago"
        )
        said += ", archived by a provisioner" if archived else ""
        said += f", or data of {rooted[0]}, which is the export's root" if rooted else ""
        milder = Severity.NOTE if archived or rooted else None
        yield Hit(None, said, severity=milder, directory=orphan.path)
