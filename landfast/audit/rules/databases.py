"""Rules for what lies under a database: mount options, reclaim policy, who else writes there."""

from collections.abc import Iterator, Sequence

from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Database, Inventory
from landfast.audit.objects import PvObject, StorageClass
from landfast.audit.place import Path
from landfast.audit.rules.sources import DOCUMENTATION, NOT_ATTACHED
from landfast.audit.subdir import fate_under, settings
from landfast.nfs.mount_options import family
from landfast.provisioning.contract import Reclaimed

_ONE_NODE = "locks hold on one node only, so a second server can open the files"
_LOST = (Reclaimed.REMOVED, Reclaimed.EMPTIED)


def _volumes(inventory: Inventory) -> Iterator[tuple[Database, PvObject]]:
    """Yield databases with the NFS volumes that they have or could have, each volume once."""
    seen = set()
    for database in inventory.database_pvcs.values():
        for pv in inventory.volumes_for(database.pvc):
            if pv.directory is not None and pv.name not in seen:
                seen.add(pv.name)
                yield database, pv


def _classes(inventory: Inventory) -> Iterator[tuple[Database, StorageClass]]:
    """Yield databases with the NFS subdir classes that will provision for them."""
    seen = set()
    for database in inventory.database_pvcs.values():
        pvc = database.pvc
        if pvc.spec.volume_name or inventory.volumes_for(pvc):
            continue
        made = inventory.find_class(inventory.storage_class_of(pvc))
        if made in inventory.subdir_classes and made and made.name not in seen:
            seen.add(made.name)
            yield database, made


def unsafe_options(options: Sequence[str]) -> list[tuple[str, str]]:
    """Return the mount options that cost a database its data, each with the reason.

    Of options that exclude each other the last counts (nfs(5)). Options for locks mean nothing to
    NFSv4, so they are ignored where that version is asked for.
    """
    given = [part.strip() for option in options for part in option.split(",")]
    last = {family(option): option for option in given}
    version = last.get("vers", "").partition("=")[2]
    found = []
    if (hard := last.get("hard")) in ("soft", "softerr"):
        found.append((hard, "a slow server becomes an I/O error in the middle of a write"))
    if not version.startswith("4"):
        if last.get("lock") == "nolock":
            found.append(("nolock", _ONE_NODE))
        if (local := last.get("local_lock", "")) and local != "local_lock=none":
            found.append((local, _ONE_NODE))
    if version.startswith("3"):
        said = "locks need rpc.statd on every node, and outlive a node that is gone"
        found.append((last["vers"], said))
    return found


@Rule(
    "audit.unsafe-mount-options",
    Severity.ERROR,
    "Mount options that a database does not survive",
    reason=(
        "A database takes an error from write or fsync for a broken disk, and the lock on its "
        "files as proof that it is alone. With these options neither is true."
    ),
    fix="Mount with hard and nfsvers=4.1 or newer, without nolock and local_lock.",
    source="nfs(5): soft, softerr, hard, lock, local_lock, nfsvers",
)
def unsafe_mount_options(inventory: Inventory) -> Iterator[Hit]:
    """Find such options under a database, on volumes and on classes that make volumes."""
    found: list[tuple[Database, PvObject | StorageClass, Path]] = [
        *((database, pv, ("spec", "mountOptions")) for database, pv in _volumes(inventory)),
        *((database, made, ("mountOptions",)) for database, made in _classes(inventory)),
    ]
    for database, on, at in found:
        for option, why in unsafe_options(on.mount_options):
            old = option.partition("=")[0] in ("vers", "nfsvers")
            yield Hit(
                on, f"{option} under {database}: {why}", at, Severity.WARNING if old else None
            )


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
    for database, pv in _volumes(inventory):
        made_by = inventory.find_class(pv.storage_class) if pv.provisioned else None
        end = fate_under(settings(made_by)).reclaimed if made_by and pv.policy == "Delete" else None
        if pv.policy != "Retain" and end is not Reclaimed.KEPT:
            lost = pv.policy == "Recycle" or end in _LOST
            said = f"its policy is {pv.policy} under {database}"
            at = ("spec", "persistentVolumeReclaimPolicy")
            yield Hit(pv, said, at, None if lost else Severity.WARNING)
    for database, storage_class in _classes(inventory):
        end = fate_under(settings(storage_class)).reclaimed
        if storage_class.reclaim_policy == "Delete" and end is not Reclaimed.KEPT:
            said = f"its volumes have the policy Delete under {database}"
            yield Hit(
                storage_class, said, ("reclaimPolicy",), None if end in _LOST else Severity.WARNING
            )


@Rule(
    "audit.database-twice-on-one-pvc",
    Severity.ERROR,
    "Two database servers on one PVC",
    reason=(
        "ReadWriteOnce is not enforced on NFS, not even across nodes: two servers can run on one "
        "data directory, if only during a rolling update, and destroy it."
    ),
    fix=(
        "Use a StatefulSet with volumeClaimTemplates; or one replica, strategy Recreate, and the "
        "access mode ReadWriteOncePod, which is enforced."
    ),
    source=f"{NOT_ATTACHED}; protection.rwo-is-no-lock; protection.rwop-is-enforced",
)
def database_twice_on_one_pvc(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs that more than one server can write, unless the access mode forbids it."""
    for title, database in inventory.database_pvcs.items():
        if database.pvc.spec.access_modes == ("ReadWriteOncePod",):
            continue
        users = inventory.databases_on[title]
        pods = [d.workload for d in users if d.workload.kind == "Pod" and d.at_once]
        many = [d for d in users if d.at_once > 1]
        if len(pods) > 1:
            yield Hit(pods[0], f"{listed([pod.title for pod in pods])} are servers on {title}")
        elif many:
            said = f"{many[0].at_once} of its pods can run on {title} at the same time"
            yield Hit(many[0].workload, said, ("spec", "replicas"))
