"""Rules for classes that make volumes on NFS: what their settings do, and what they do not."""

from collections.abc import Iterator

from landfast.audit.findings import Hit, Rule, Said, Severity, each
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvObject, StorageClass
from landfast.audit.rules.sources import CONTRACT, CONTROLLER
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
    example="""
        kind: StorageClass
        provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
        parameters:
          archiveOnDelete: "true"
    """,
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
    example="""
        kind: StorageClass
        provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
        parameters:
          archiveOnDelete: "false"
    """,
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
    example="""
        kind: StorageClass
        provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
        parameters:
          onDelete: retain
    """,
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
    example="""
        kind: StorageClass
        provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
        parameters:
          pathPattern: ${.PVC.namespace}-${.PVC.name}
          onDelete: retain
    """,
    source=CONTRACT,
)
def unknown_parameter(inventory: Inventory) -> Iterator[Hit]:
    for storage_class in inventory.subdir_classes:
        for key in storage_class.parameters:
            if key not in _KNOWN:
                yield Hit(storage_class, f"parameter {key} does nothing", ("parameters", key))


@Rule(
    "audit.class-of-no-provisioner",
    Severity.ERROR,
    "A class that names a server, and no provisioner that is known",
    reason=(
        "Kubernetes has no provisioner of its own for NFS, and none that is known takes server "
        "and path, as an example of its documentation has them: PVCs of the class stay Pending."
    ),
    fix=(
        "Install nfs-subdir-external-provisioner or csi-driver-nfs, and give the class what that "
        "takes; or create the volumes by hand."
    ),
    example="""
        kind: StorageClass
        provisioner: nfs.csi.k8s.io
        parameters: {server: nas.example.com, share: /export}
    """,
    source="Kubernetes documentation, Storage Classes, NFS",
)
def class_of_no_provisioner(inventory: Inventory) -> Iterator[Hit]:
    """Find such classes; where anybody may have a provisioner of that name, it is a warning."""
    for storage_class in inventory.classes:
        given = {key.lower() for key in storage_class.parameters}
        if {"server", "path"} <= given and storage_class not in inventory.nfs_classes:
            said = f"{storage_class.provisioner} is no provisioner that is known"
            own = storage_class.provisioner.startswith("kubernetes.io/")
            yield Hit(storage_class, said, ("provisioner",), None if own else Severity.WARNING)


@Rule(
    "audit.parameter-not-text",
    Severity.ERROR,
    "A class with a parameter that is not text",
    reason=(
        "The API server takes text only, and refuses the class. YAML makes something else of a "
        "value without quotes: 0777 is the number 511."
    ),
    fix="Put the value in quotes.",
    example="""
        kind: StorageClass
        parameters:
          mountPermissions: "0777"
    """,
    source="Kubernetes v1.37, pkg/apis/storage/types.go, StorageClass.Parameters",
)
def parameter_not_text(inventory: Inventory) -> Iterator[Hit]:
    """Find such values, whatever the provisioner; archiveOnDelete is another rule's."""
    subdir = {storage_class.name for storage_class in inventory.subdir_classes}
    for storage_class in inventory.classes:
        for key, value in storage_class.parameters.items():
            other = storage_class.name in subdir and key == "archiveOnDelete"
            if not isinstance(value, str) and not other:
                yield Hit(storage_class, f"{key} has no quotes", ("parameters", key))


@Rule(
    "audit.retain-ignores-parameters",
    Severity.WARNING,
    "A class with Retain whose parameters say otherwise",
    reason=(
        "With reclaimPolicy: Retain the provisioner is never asked to delete a volume: the "
        "directory stays, and so does the volume, as Released."
    ),
    fix="Leave out onDelete and archiveOnDelete, or set reclaimPolicy: Delete if you mean them.",
    example="""
        kind: StorageClass
        provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
        reclaimPolicy: Retain
    """,
    source=f"{CONTROLLER}, reclaimVolume; csi.retain-ondelete-delete-subdir-none",
)
def retain_ignores_parameters(inventory: Inventory) -> Iterator[Hit]:
    """Find such parameters; archiving that is only the chart's default is a note."""
    for made in inventory.nfs_classes:
        said = {key.lower(): (key, str(value)) for key, value in made.parameters.items()}
        key, value = said.get("ondelete") or said.get("archiveondelete") or ("", "")
        if made.reclaim_policy == "Retain" and key and value.lower() != "retain":
            archives = key.lower() == "archiveondelete" and value.lower() == "true"
            severity = Severity.NOTE if archives else None
            yield Hit(made, f"{key}: {value} does nothing", ("parameters", key), severity)


@Rule(
    "audit.expansion-not-done",
    Severity.WARNING,
    "A class that allows what its provisioner cannot do: expansion",
    reason=(
        "A larger request is accepted and then waits forever for an external controller. Nothing "
        "keeps the size anyway: a PVC of 1Mi can fill the server."
    ),
    fix="Remove allowVolumeExpansion. Watch the server's disk; use quotas there.",
    example="""
        kind: StorageClass
        provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
        allowVolumeExpansion: false
    """,
    source=(
        "nfs-subdir-external-provisioner v4.0.2, README, limitations; "
        "hazards.size-is-not-enforced; protection.resize-needs-the-class"
    ),
)
@each(_classes, ("allowVolumeExpansion",))
def expansion_not_done(_inventory: Inventory, storage_class: StorageClass) -> Said:
    return "allowVolumeExpansion is true" if storage_class.allow_volume_expansion else None


@Rule(
    "audit.class-of-volume-missing",
    Severity.WARNING,
    "A provisioned volume whose class is gone",
    reason=(
        "The provisioner reads the class when it deletes a volume. Without it every attempt "
        "fails: the volume stays Released and keeps its data."
    ),
    fix="Recreate the class with the parameters it had.",
    example="""
        kind: StorageClass
        metadata: {name: nfs}            # as it was
        provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
        parameters:
          archiveOnDelete: "true"
    """,
    source=f"{CONTRACT}; hazards.class-deleted-first-blocks-deletion",
)
@each(lambda inventory: inventory.pvs, ("spec", "storageClassName"))
def class_of_volume_missing(inventory: Inventory, pv: PvObject) -> Said:
    deleted = inventory.complete and pv.provisioned and pv.policy == "Delete" and pv.directory
    if deleted and inventory.find_class(pv.storage_class) is None:
        return f"StorageClass {pv.storage_class!r} no longer exists"
    return None
