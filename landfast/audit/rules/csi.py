"""Rules for classes of csi-driver-nfs, by its contract: what it refuses, mixes up and deletes."""

from collections.abc import Iterator

from landfast.audit.csi_nfs import directories, parameters, settings
from landfast.audit.findings import Hit, Rule, Said, Severity, each
from landfast.audit.inventory import Inventory
from landfast.audit.objects import StorageClass
from landfast.audit.subdir import SAMPLES
from landfast.provisioning import csi
from landfast.provisioning.contract import Reclaimed
from landfast.provisioning.csi_deletion import fate

_CONTRACT = (
    "csi-driver-nfs v4.13.4, its parameters and pkg/nfs/controllerserver.go; "
    "landfast/provisioning/csi.py"
)
_DELETION = f"{_CONTRACT}; landfast/provisioning/csi_deletion.py"
_SUB_DIR = ("parameters", "subDir")
_PV = "pvc-uid"
_EXAMPLE = """
    kind: StorageClass
    provisioner: nfs.csi.k8s.io
    parameters:
      server: nas.example.com
      share: /export
      subDir: ${pvc.metadata.namespace}-${pvc.metadata.name}-${pv.metadata.name}
      onDelete: retain
"""


def _usable(inventory: Inventory) -> Iterator[StorageClass]:
    """Yield the classes that the driver does not refuse."""
    return (c for c in inventory.csi_classes if csi.refusal(parameters(c)) is None)


@Rule(
    "audit.csi-class-refused",
    Severity.ERROR,
    "A class that csi-driver-nfs refuses",
    reason=(
        "The driver refuses what it does not know, where nfs-subdir-external-provisioner ignores "
        "it: every PVC of the class stays Pending."
    ),
    fix=(
        "Use server, share, subDir, onDelete (delete, retain or archive) and mountPermissions (an "
        'octal number) only. archiveOnDelete: "true" is onDelete: archive here, pathPattern is '
        "subDir with ${pvc.metadata.name}."
    ),
    example=_EXAMPLE,
    source=f"{_CONTRACT}; csi.delete-ondelete-misspelt; csi.delete-subdir-climbs",
)
def csi_class_refused(inventory: Inventory) -> Iterator[Hit]:
    """Find parameters that it does not know, each by itself, or else the first wrong value."""
    for made in inventory.csi_classes:
        given = parameters(made)
        unknown = csi.foreign(given)
        for key in unknown:
            yield Hit(made, f"it does not know the parameter {key}", ("parameters", key))
        known = {key: value for key, value in given.items() if key not in unknown}
        if why := csi.refusal(known):
            yield Hit(made, why, ("parameters",))


@Rule(
    "audit.csi-share-missing",
    Severity.ERROR,
    "A class of csi-driver-nfs without a share",
    reason=(
        "The driver does not refuse it: it makes the directory in the server's root. The PVC is "
        "Bound, and no pod can mount it."
    ),
    fix="Name the exported directory as share.",
    example=_EXAMPLE,
    source=f"{_CONTRACT}; csi.missing-share-cannot-be-mounted",
)
@each(_usable, ("parameters",))
def csi_share_missing(_inventory: Inventory, made: StorageClass) -> Said:
    return csi.mount_refusal(settings(made))


@Rule(
    "audit.csi-sub-dir-is-the-share",
    Severity.ERROR,
    "subDir is the share itself",
    reason="Every PVC gets the whole share. Deleting one of them removes everything on it.",
    fix="Use ${pvc.metadata.namespace} and ${pvc.metadata.name}, or leave out subDir.",
    example=_EXAMPLE,
    source=f"{_DELETION}; csi.dot-empties-the-share",
)
@each(_usable, _SUB_DIR)
def csi_sub_dir_is_the_share(_inventory: Inventory, made: StorageClass) -> Said:
    given = settings(made)
    if "" in directories(given):
        return f"{given.sub_dir!r} is the directory {given.share} with everything in it"
    return None


@Rule(
    "audit.csi-sub-dir-shared",
    Severity.ERROR,
    "subDir gives several PVCs one directory",
    reason=(
        "They write to one directory, and deleting one PVC removes or archives the data of the "
        "others, which stay Bound. Only ${pvc.metadata.namespace}, ${pvc.metadata.name} and "
        "${pv.metadata.name} are replaced; anything else is text."
    ),
    fix="Use both ${pvc.metadata.namespace} and ${pvc.metadata.name}, or ${pv.metadata.name}.",
    example=_EXAMPLE,
    source=f"{_DELETION}; csi.shared-subdir-is-removed; csi.shared-subdir-is-archived",
)
@each(_usable, _SUB_DIR)
def csi_sub_dir_shared(_inventory: Inventory, made: StorageClass) -> Said:
    """Find such patterns; if nothing is deleted, it is a warning."""
    given = settings(made)
    found = directories(given)
    if "" in found or len(set(found)) == len(found):
        return None
    kept = fate(given, SAMPLES[0], _PV).reclaimed is Reclaimed.KEPT
    said = f"{given.sub_dir!r} is not different for every namespace and name"
    return said, Severity.WARNING if kept else None


@Rule(
    "audit.csi-handle-misread",
    Severity.ERROR,
    "A # in share or subDir",
    reason=(
        "The driver separates the parts of a volume's handle with #, and reads them wrongly when "
        "it deletes the volume: it removes another directory, and leaks this one."
    ),
    fix="Leave out the #.",
    example="""
        kind: StorageClass
        provisioner: nfs.csi.k8s.io
        parameters:
          server: nas.example.com
          share: /export
          subDir: ${pvc.metadata.namespace}-${pvc.metadata.name}
    """,
    source=f"{_DELETION}; csi.hash-in-subdir-hits-a-neighbour",
)
@each(_usable, ("parameters",))
def csi_handle_misread(_inventory: Inventory, made: StorageClass) -> Said:
    given = settings(made)
    handle = csi.handle(given, SAMPLES[0], _PV)
    read, own = csi.parse(handle), csi.directory(given, SAMPLES[0], _PV)
    if read is None or read.directory != own:
        return f"a volume's handle is {handle}, which says something else"
    return None


@Rule(
    "audit.csi-archive-taken",
    Severity.WARNING,
    "An archive whose name can be taken",
    reason=(
        "A PVC that is created again under its name gets the same directory, and its archive the "
        "same name. Then deletion fails and the volume stays Released; with the driver's option "
        "remove-archived-volume-path the earlier archive is removed instead."
    ),
    fix="End subDir with ${pv.metadata.name}, which is new every time.",
    example=_EXAMPLE.replace("onDelete: retain", "onDelete: archive"),
    source=f"{_DELETION}; csi.archive-is-not-overwritten",
)
@each(_usable, _SUB_DIR)
def csi_archive_taken(_inventory: Inventory, made: StorageClass) -> Said:
    """Find classes under which the second archive of a PVC has the first one's name."""
    given = settings(made)
    first, second = (fate(given, SAMPLES[0], name) for name in ("pvc-1", "pvc-2"))
    if first.reclaimed is Reclaimed.ARCHIVED and first.data == second.data:
        return f"{given.sub_dir!r} is the same for the next PVC of the name"
    return None
