"""Rules on the classes of nfs-subdir-external-provisioner: what deleting a PVC does there."""

from collections.abc import Iterator

from landfast.audit.findings import Hit, Severity, rule
from landfast.audit.inventory import Inventory
from landfast.audit.objects import StorageClass
from landfast.provisioning.contract import ClassSettings, Fate, Line, PvcMeta, Reclaimed, fate

_KNOWN = ("archiveOnDelete", "onDelete", "pathPattern")
_EFFECTIVE = ("delete", "retain")
_SOURCE = "landfast/provisioning/contract.py; reclaim suite"


def settings(storage_class: StorageClass) -> ClassSettings:
    """Give what a class says, for the provisioner's contract."""
    given = {key: str(value) for key, value in storage_class.parameters.items()}
    return ClassSettings(
        storage_class.reclaim_policy,
        given.get("archiveOnDelete"),
        given.get("onDelete"),
        given.get("pathPattern"),
    )


def fate_of(storage_class: StorageClass, line: Line = Line.V402) -> Fate:
    """Give what becomes of a volume of a class once its PVC is deleted; any PVC will do."""
    return fate(line, settings(storage_class), PvcMeta("namespace", "name"), "pvc-uid", "/export")


def _deleting(inventory: Inventory) -> Iterator[StorageClass]:
    """Give the provisioner's classes whose volumes it is asked to delete."""
    return (c for c in inventory.subdir_classes if c.reclaim_policy == "Delete")


@rule(
    "audit.archive-on-delete-absent",
    Severity.WARNING,
    "archiveOnDelete is left out, which archives",
    reason=(
        "Deleting a PVC renames its directory to archived-…, where it takes space until somebody "
        "removes it. Many a guide says that the data is deleted then: it is not."
    ),
    fix='Say what is wanted: archiveOnDelete: "true", or onDelete: delete or retain.',
    source=_SOURCE,
)
def archive_on_delete_absent(inventory: Inventory) -> Iterator[Hit]:
    """Find classes that say nothing of what a deletion does."""
    for storage_class in _deleting(inventory):
        given = settings(storage_class)
        if given.archive_on_delete is None and given.on_delete is None:
            yield Hit(
                storage_class, "it says neither archiveOnDelete nor onDelete", ("parameters",)
            )


@rule(
    "audit.archive-on-delete-invalid",
    Severity.ERROR,
    "archiveOnDelete is no boolean in quotes",
    reason=(
        "A value without quotes is refused by the API server. Another word than true and false "
        "makes every deletion end in an error: volumes stay Released, their data stays."
    ),
    fix='Write archiveOnDelete: "true" or "false"; parameters of a class cannot be changed later.',
    source=f"Go, strconv.ParseBool; {_SOURCE}",
)
def archive_on_delete_invalid(inventory: Inventory) -> Iterator[Hit]:
    """Find values that the API server or the provisioner does not take."""
    for storage_class in inventory.subdir_classes:
        value = storage_class.parameters.get("archiveOnDelete")
        given = settings(storage_class)
        broken = (
            storage_class.reclaim_policy == "Delete"
            and given.on_delete not in _EFFECTIVE
            and _ends_in_error(given)
        )
        if value is not None and (broken or not isinstance(value, str)):
            said = f"archiveOnDelete is {value!r}" if isinstance(value, str) else "it has no quotes"
            yield Hit(storage_class, said, ("parameters", "archiveOnDelete"))


def _ends_in_error(given: ClassSettings) -> bool:
    plain = ClassSettings(archive_on_delete=given.archive_on_delete)
    end = fate(Line.V402, plain, PvcMeta("namespace", "name"), "pvc-uid", "/export")
    return end.reclaimed is Reclaimed.FAILED


@rule(
    "audit.on-delete-ignored",
    Severity.WARNING,
    "onDelete has a value that is ignored",
    reason=(
        "Only delete and retain count, in small letters. Anything else is passed over without a "
        "word, and archiveOnDelete decides: left out, it archives."
    ),
    fix="Write onDelete: delete or onDelete: retain.",
    source=_SOURCE,
)
def on_delete_ignored(inventory: Inventory) -> Iterator[Hit]:
    """Find values of onDelete that the provisioner does not know."""
    for storage_class in inventory.subdir_classes:
        value = storage_class.parameters.get("onDelete")
        if value is not None and value not in _EFFECTIVE:
            yield Hit(storage_class, f"onDelete is {value!r}", ("parameters", "onDelete"))


@rule(
    "audit.unknown-parameter",
    Severity.WARNING,
    "A parameter that the provisioner does not know",
    reason="It is passed over without a word: what was asked for is not done. Case counts.",
    fix="Spell it archiveOnDelete, onDelete or pathPattern.",
    source=_SOURCE,
)
def unknown_parameter(inventory: Inventory) -> Iterator[Hit]:
    """Find misspelt parameters."""
    for storage_class in inventory.subdir_classes:
        for key in storage_class.parameters:
            if key not in _KNOWN:
                yield Hit(storage_class, f"the parameter {key} does nothing", ("parameters", key))


@rule(
    "audit.class-of-volume-missing",
    Severity.WARNING,
    "A provisioned volume whose class is gone",
    reason=(
        "The provisioner reads the class when it deletes: without it every attempt ends in an "
        "error, the volume stays Released and its data stays."
    ),
    fix="Make the class again, with the parameters it had.",
    source=_SOURCE,
)
def class_of_volume_missing(inventory: Inventory) -> Iterator[Hit]:
    """Find volumes that cannot be deleted, as their class was."""
    for pv in inventory.pvs if inventory.complete else ():
        deleted = pv.provisioned and pv.policy == "Delete" and pv.directory
        if deleted and inventory.find_class(pv.storage_class) is None:
            said = f"there is no StorageClass {pv.storage_class!r} any more"
            yield Hit(pv, said, ("spec", "storageClassName"))


RULES = (
    archive_on_delete_absent,
    archive_on_delete_invalid,
    on_delete_ignored,
    unknown_parameter,
    class_of_volume_missing,
)
