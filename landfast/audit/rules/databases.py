"""Rules for what lies under a database: reclaim policy, who else writes there."""

from collections.abc import Iterator

from landfast.audit.fates import fate_of_class, fate_of_volume
from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Database, Inventory
from landfast.audit.objects import PvObject, StorageClass
from landfast.audit.rules.sources import DOCUMENTATION
from landfast.provisioning.contract import Reclaimed

_LOST = (Reclaimed.REMOVED, Reclaimed.EMPTIED)


def volumes(inventory: Inventory) -> Iterator[tuple[Database, PvObject]]:
    """Yield databases with the NFS volumes that they have or could have, each volume once."""
    seen = set()
    for database in inventory.database_pvcs.values():
        for pv in inventory.volumes_for(database.pvc):
            if pv.directory is not None and pv.name not in seen:
                seen.add(pv.name)
                yield database, pv


def classes(inventory: Inventory) -> Iterator[tuple[Database, StorageClass]]:
    """Yield databases with the NFS classes that will provision for them, each class once."""
    seen: set[str] = set()
    on_nfs = {made.name for made in inventory.nfs_classes}
    for database in inventory.database_pvcs.values():
        pvc = database.pvc
        if pvc.spec.volume_name or inventory.volumes_for(pvc):
            continue
        made = inventory.find_class(inventory.storage_class_of(pvc))
        if made and made.name in on_nfs - seen:
            seen.add(made.name)
            yield database, made


@Rule(
    "audit.database-volume-not-retained",
    Severity.ERROR,
    "A database on a volume that is not retained",
    reason=(
        "Deleting the PVC or its namespace is enough to lose it: nobody asks, and there is no way "
        "back. With Retain, volume and data stay until an administrator decides."
    ),
    fix=(
        "Set persistentVolumeReclaimPolicy: Retain on the volume, even while it is in use, and "
        "reclaimPolicy: Retain (or onDelete: retain) on the class."
    ),
    source=f"{DOCUMENTATION}; docs/reclaim.md",
)
def database_volume_not_retained(inventory: Inventory) -> Iterator[Hit]:
    """Find other policies than Retain; what is archived, or cannot be deleted, is a warning."""
    for database, pv in volumes(inventory):
        end = fate_of_volume(pv, inventory.find_class(pv.storage_class))
        if end is not Reclaimed.KEPT:
            lost = end in _LOST
            said = f"its policy is {pv.policy} under {database}"
            at = ("spec", "persistentVolumeReclaimPolicy")
            yield Hit(pv, said, at, None if lost else Severity.WARNING)
    for database, storage_class in classes(inventory):
        end = fate_of_class(storage_class).reclaimed
        if storage_class.reclaim_policy == "Delete" and end is not Reclaimed.KEPT:
            said = f"its volumes have the policy Delete under {database}"
            yield Hit(
                storage_class, said, ("reclaimPolicy",), None if end in _LOST else Severity.WARNING
            )
