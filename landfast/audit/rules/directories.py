"""Rules for the export: volumes without a directory, directories without a volume."""

import posixpath
from collections.abc import Iterator

from rich.filesize import decimal

from landfast.audit.drivers import on_nfs
from landfast.audit.export import ARCHIVED
from landfast.audit.findings import Hit, Rule, Severity, counted
from landfast.audit.inventory import Inventory
from landfast.audit.owners import owners
from landfast.audit.rules.sources import CONTRACT
from landfast.provisioning.csi import DRIVER

_DAY = 86400
_CSI = ("spec", "csi")


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
def directory_missing(inventory: Inventory) -> Iterator[Hit]:
    """Find what mounts a directory that is not there; a sub-path is made by the kubelet."""
    export = inventory.export
    for owner in owners(inventory) if export else ():
        there = owner.directory
        if owner.mounts and export and export.root.holds(there) and there.path in export.missing:
            yield Hit(owner.resource, f"there is no directory {there}", owner.at)


@Rule(
    "audit.orphan-directory",
    Severity.WARNING,
    "A directory without a volume",
    reason=(
        "No volume and no pod names it, so nothing will ever delete it. It was leaked, archived, "
        "or left behind by a deleted volume, and may be the only copy of somebody's data."
    ),
    fix="Find its owner (the name has namespace and PVC), then restore or remove it by hand.",
    source=f"{CONTRACT}; docs/reclaim.md",
    cluster_decides=True,
)
def orphan_directory(inventory: Inventory) -> Iterator[Hit]:
    export = inventory.export
    if export is None:
        return
    rooted = [
        owner.resource.title
        for owner in owners(inventory)
        if owner.directory.holds(export.root) and not owner.provisions
    ]
    for orphan in export.orphans:
        archived = posixpath.basename(orphan.path).startswith(ARCHIVED)
        age = max(0, export.looked_at - orphan.modified) // _DAY
        said = (
            f"{decimal(orphan.size)} in {counted(orphan.files, 'file')}, "
            f"last changed {counted(age, 'day')} ago"
        )
        said += ", archived by a provisioner" if archived else ""
        said += f", or data of {rooted[0]}, which holds all of the export" if rooted else ""
        milder = Severity.NOTE if archived or rooted else None
        yield Hit(None, said, severity=milder, directory=orphan.path)


@Rule(
    "audit.driver-not-known",
    Severity.NOTE,
    "A driver on NFS of which the audit knows little",
    reason=(
        "Its volumes are on NFS, but what it does when a PVC is deleted, or where a volume is, is "
        "not in the manifests: the audit cannot judge it."
    ),
    fix="Look it up in the driver's documentation, and see which directories are used twice.",
    source="landfast/audit/drivers.py",
)
def driver_not_known(inventory: Inventory) -> Iterator[Hit]:
    """Find classes of other drivers on NFS, and volumes that do not say where they are."""
    known = (*inventory.subdir_classes, *(c for c in inventory.classes if c.provisioner == DRIVER))
    for storage_class in inventory.classes:
        if on_nfs(storage_class.provisioner) and storage_class not in known:
            said = f"what {storage_class.provisioner} does with its data is not known here"
            yield Hit(storage_class, said, ("provisioner",))
    for pv in inventory.pvs:
        if pv.spec.csi and pv.backing.on_nfs and pv.backing.directory is None:
            yield Hit(pv, "its volumeHandle and volumeAttributes do not say where it is", _CSI)
