"""Rules for classes of nfs-subdir-external-provisioner: what deleting a PVC does there."""

from collections.abc import Iterator

from landfast.audit.findings import Hit, Rule, Said, Severity, each
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvObject, StorageClass
from landfast.audit.rules.sources import CONTRACT
from landfast.audit.subdir import fate_under, settings
from landfast.provisioning.contract import ClassSettings, Reclaimed

_KNOWN = ("archiveOnDelete", "onDelete", "pathPattern")
_EFFECTIVE = ("delete", "retain")


def _classes(inventory: Inventory) -> tuple[StorageClass, ...]:
    return inventory.subdir_classes


@Rule(
    "audit.archive-on-delete-absent",
    Severity.WARNING,
    "archiveOnDelete is missing, so data is archived",
    reason=(
        "Deleting a PVC renames its directory to archived-…, which takes space until somebody "
        "removes it. Many guides say that the data is deleted: it is not."
    ),
    fix='Say what you want: archiveOnDelete: "true", or onDelete: delete or retain.',
    source=f"{CONTRACT}; walkthrough.deletion-archives-by-default",
)
@each(_classes, ("parameters",))
def archive_on_delete_absent(_inventory: Inventory, storage_class: StorageClass) -> Said:
    given = settings(storage_class)
    silent = given.archive_on_delete is None and given.on_delete is None
    if silent and given.reclaim_policy == "Delete":
        return "it sets neither archiveOnDelete nor onDelete"
    return None


@Rule(
    "audit.archive-on-delete-invalid",
    Severity.ERROR,
    "archiveOnDelete is not a quoted boolean",
    reason=(
        "The API server refuses a value without quotes. Any word but true and false makes every "
        "deletion fail: volumes stay Released and keep their data."
    ),
    fix='Write archiveOnDelete: "true" or "false", and recreate the class: it cannot be changed.',
    source=f"Go, strconv.ParseBool; {CONTRACT}",
)
@each(_classes, ("parameters", "archiveOnDelete"))
def archive_on_delete_invalid(_inventory: Inventory, storage_class: StorageClass) -> Said:
    value = storage_class.parameters.get("archiveOnDelete")
    if value is None:
        return None
    if not isinstance(value, str):
        return "archiveOnDelete has no quotes"
    given = settings(storage_class)
    counts = given.reclaim_policy == "Delete" and given.on_delete not in _EFFECTIVE
    end = fate_under(ClassSettings(archive_on_delete=value))
    fails = counts and end.reclaimed is Reclaimed.FAILED
    return f"archiveOnDelete is {value!r}" if fails else None


@Rule(
    "audit.on-delete-ignored",
    Severity.WARNING,
    "onDelete has a value that is ignored",
    reason=(
        "Only delete and retain count, in lower case. Anything else is ignored silently, and "
        "archiveOnDelete decides: without it, data is archived."
    ),
    fix="Write onDelete: delete or onDelete: retain.",
    source=f"{CONTRACT}; hazards.misspelt-on-delete-archives",
)
@each(_classes, ("parameters", "onDelete"))
def on_delete_ignored(_inventory: Inventory, storage_class: StorageClass) -> Said:
    value = storage_class.parameters.get("onDelete")
    return None if value is None or value in _EFFECTIVE else f"onDelete is {value!r}"


@Rule(
    "audit.unknown-parameter",
    Severity.WARNING,
    "A parameter that the provisioner does not know",
    reason="It is ignored silently: the class does not do what it says. Case counts.",
    fix="Spell it archiveOnDelete, onDelete or pathPattern.",
    source=CONTRACT,
)
def unknown_parameter(inventory: Inventory) -> Iterator[Hit]:
    for storage_class in inventory.subdir_classes:
        for key in storage_class.parameters:
            if key not in _KNOWN:
                yield Hit(storage_class, f"parameter {key} does nothing", ("parameters", key))


@Rule(
    "audit.class-of-volume-missing",
    Severity.WARNING,
    "A provisioned volume whose class is gone",
    reason=(
        "The provisioner reads the class when it deletes a volume. Without it every attempt "
        "fails: the volume stays Released and keeps its data."
    ),
    fix="Recreate the class with the parameters it had.",
    source=f"{CONTRACT}; hazards.class-deleted-first-blocks-deletion",
)
@each(lambda inventory: inventory.pvs, ("spec", "storageClassName"))
def class_of_volume_missing(inventory: Inventory, pv: PvObject) -> Said:
    deleted = inventory.complete and pv.provisioned and pv.policy == "Delete" and pv.directory
    if deleted and inventory.find_class(pv.storage_class) is None:
        return f"StorageClass {pv.storage_class!r} no longer exists"
    return None
