"""Rules for what lies under a database: reclaim policy, who else writes there."""

from collections import defaultdict
from collections.abc import Iterator

from landfast.audit.fates import fate_of_class, fate_of_volume
from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvObject, StorageClass
from landfast.audit.open_pvcs import OpenPvcs
from landfast.audit.rules.sources import DOCUMENTATION
from landfast.provisioning.contract import Reclaimed

_LOST = (Reclaimed.REMOVED, Reclaimed.EMPTIED)


def volumes(inventory: Inventory) -> Iterator[tuple[str, PvObject]]:
    """Yield the NFS volumes that databases have or could have, each with the databases."""
    on_pvc = _databases(inventory)
    pvcs = {pvc.title: pvc for pvc in inventory.pvcs if pvc.title in on_pvc}
    tied: dict[str, list[str]] = defaultdict(list)
    for title, pvc in pvcs.items():
        for pv in inventory.volumes_for(pvc) if inventory.is_pinned(pvc) else ():
            tied[pv.title] += on_pvc[title]
    open_pvcs = (pvc for pvc in pvcs.values() if not inventory.is_pinned(pvc))
    askers = OpenPvcs((pvc, inventory.storage_class_of(pvc)) for pvc in open_pvcs)
    for pv in inventory.pvs:
        takers = askers.takers(pv).first
        names = tied.get(pv.title) or [name for pvc in takers for name in on_pvc[pvc.title]]
        if pv.directory is not None and names:
            yield listed([*dict.fromkeys(names)]), pv


def classes(inventory: Inventory) -> Iterator[tuple[str, StorageClass]]:
    """Yield the NFS classes that will provision for databases, each with the databases."""
    on_pvc = _databases(inventory)
    of_class: dict[str, list[str]] = defaultdict(list)
    for pvc in inventory.open_pvcs:
        if pvc.title in on_pvc and not inventory.fitting(pvc).count:
            of_class[inventory.storage_class_of(pvc)] += on_pvc[pvc.title]
    for made in inventory.nfs_classes:
        if names := of_class.get(made.name):
            yield listed([*dict.fromkeys(names)]), made


def _databases(inventory: Inventory) -> dict[str, list[str]]:
    """Return what runs on PVCs, by their titles."""
    found: dict[str, list[str]] = defaultdict(list)
    for database in inventory.databases:
        found[database.pvc.title].append(str(database))
    return found


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
    example="""
        kind: PersistentVolume
        spec:
          persistentVolumeReclaimPolicy: Retain
        ---
        kind: StorageClass
        reclaimPolicy: Retain
    """,
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
