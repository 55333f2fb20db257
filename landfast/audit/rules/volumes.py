"""Rules on PersistentVolumes: what their reclaim policy does to which directory."""

from collections import defaultdict
from collections.abc import Iterator

from landfast.audit.findings import Hit, Severity, listed, rule
from landfast.audit.inventory import Inventory
from landfast.audit.objects import Directory, Pv

_POLICY = ("spec", "persistentVolumeReclaimPolicy")
_PATH = ("spec", "nfs", "path")
_SHARED_MODES = {"ReadOnlyMany", "ReadWriteMany"}
_CONTROLLER = "pkg/controller/volume/persistentvolume/pv_controller.go"


def _on_nfs(inventory: Inventory) -> Iterator[tuple[Pv, Directory]]:
    for pv in inventory.pvs:
        if pv.directory is not None:
            yield pv, pv.directory


def _in_it(inventory: Inventory, pv: Pv, directory: Directory) -> list[str]:
    """Name all else that has its files in a volume's directory."""
    others = [
        f"{other.title} ({there.path})"
        for other, there in _on_nfs(inventory)
        if other is not pv and directory.holds(there)
    ]
    return others + _provisioned_in(inventory, directory)


def _provisioned_in(inventory: Inventory, directory: Directory) -> list[str]:
    return [
        f"all that {workload.title} provisions ({root.path})"
        for root, workload in inventory.provisioner_roots
        if directory.holds(root)
    ]


@rule(
    "audit.recycle-shared-directory",
    Severity.ERROR,
    "Recycle on a directory that others use",
    reason=(
        "When the PVC is deleted, a recycler pod removes all that is in the volume's directory, "
        "other volumes' data included, even while they are in use."
    ),
    fix="Set persistentVolumeReclaimPolicy: Retain. It can be changed on a bound volume, too.",
    source=f"Kubernetes, {_CONTROLLER} recycleVolumeOperation; seen by hazards and walkthrough",
)
def recycle_shared_directory(inventory: Inventory) -> Iterator[Hit]:
    """Find recycled volumes that hold others' directories."""
    for pv, directory in _on_nfs(inventory):
        if pv.policy == "Recycle" and (others := _in_it(inventory, pv, directory)):
            message = f"Recycle empties {directory}, where these are: {listed(others)}"
            yield Hit(pv, message, _POLICY)


@rule(
    "audit.recycle-deprecated",
    Severity.WARNING,
    "Reclaim policy Recycle",
    reason=(
        "Recycle is deprecated, removes everything in the directory without a trace, and needs an "
        "image that an air-gapped cluster does not have."
    ),
    fix="Set Retain and clean up by hand, or let a provisioner make and delete the volumes.",
    source="Kubernetes documentation, Persistent Volumes, Reclaiming, Recycle",
)
def recycle_deprecated(inventory: Inventory) -> Iterator[Hit]:
    """Find recycled volumes that are no case of the rule before."""
    for pv in inventory.pvs:
        alone = pv.directory is None or not _in_it(inventory, pv, pv.directory)
        if pv.policy == "Recycle" and alone:
            yield Hit(pv, "its reclaim policy is Recycle", _POLICY)


@rule(
    "audit.shared-directory",
    Severity.ERROR,
    "Two volumes on one directory",
    reason=(
        "Kubernetes does not compare paths: each volume binds to a PVC of its own, and both write "
        "into one directory. Two database servers that do so destroy each other's files."
    ),
    fix="Give each volume a directory of its own.",
    source="Kubernetes, pkg/apis/core/validation: the path is compared with no other volume's",
)
def shared_directory(inventory: Inventory) -> Iterator[Hit]:
    """Find directories of several volumes; sharing is less bad where the access modes say so."""
    by_directory: dict[str, list[Pv]] = defaultdict(list)
    for pv, directory in _on_nfs(inventory):
        by_directory[str(directory)].append(pv)
    for where, pvs in by_directory.items():
        if len(pvs) < 2:
            continue
        first, *others = pvs
        meant = all(
            pv.policy == "Retain" and set(pv.spec.access_modes) <= _SHARED_MODES for pv in pvs
        )
        severity = Severity.NOTE if meant else Severity.ERROR
        said = f"{where} is also the directory of {listed([pv.title for pv in others])}"
        yield Hit(first, said, _PATH, severity)


@rule(
    "audit.nested-directory",
    Severity.WARNING,
    "A volume inside another's directory",
    reason=(
        "Whoever mounts the outer volume sees, changes and deletes the inner one's files; "
        "reclaiming the outer one takes the inner one's data with it."
    ),
    fix="Put volumes side by side, and let none be the export's root.",
    source="Kubernetes, pkg/apis/core/validation: the path is compared with no other volume's",
)
def nested_directory(inventory: Inventory) -> Iterator[Hit]:
    """Find volumes that have other volumes, or a provisioner's, inside."""
    for pv, directory in _on_nfs(inventory):
        inner = [
            f"{other.title} ({there.path})"
            for other, there in _on_nfs(inventory)
            if directory.holds(there) and there != directory
        ] + _provisioned_in(inventory, directory)
        if inner:
            yield Hit(pv, f"in its directory {directory} there are {listed(inner)}", _PATH)


@rule(
    "audit.delete-on-static-volume",
    Severity.WARNING,
    "Delete on a volume that nobody provisioned",
    reason=(
        "There is no deleter for NFS in Kubernetes: once its PVC is deleted the volume ends in the "
        "phase Failed, and its data stays. Nothing is deleted, and nothing can bind it."
    ),
    fix="Set persistentVolumeReclaimPolicy: Retain.",
    source=(
        f"Kubernetes, {_CONTROLLER} doDeleteVolume; walkthrough.delete-fails-on-a-static-nfs-volume"
    ),
)
def delete_on_static_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find NFS volumes under the policy Delete that no provisioner made."""
    for pv, directory in _on_nfs(inventory):
        if pv.policy == "Delete" and not pv.provisioned:
            yield Hit(pv, f"nobody will delete {directory} of this volume", _POLICY)


@rule(
    "audit.released-volume",
    Severity.WARNING,
    "A volume that no PVC uses any more",
    reason=(
        "Its PVC was deleted; the volume binds to no other, not even one of the same name, until "
        "its claimRef is cleared. Its data still takes space."
    ),
    fix=(
        "To use the data again: `kubectl patch pv NAME --type=json -p "
        '\'[{"op":"remove","path":"/spec/claimRef"}]\'`. Else delete volume and directory.'
    ),
    source=f"Kubernetes, {_CONTROLLER} syncVolume; walkthrough.retain-keeps-volume-and-data",
)
def released_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find volumes in the phases Released and Failed; under Retain the first is as asked for."""
    for pv, directory in _on_nfs(inventory):
        if pv.status.phase in ("Released", "Failed"):
            ref = pv.spec.claim_ref
            last = f", last of PVC {ref.namespace}/{ref.name}" if ref else ""
            why = f": {pv.status.message}" if pv.status.message else ""
            kept = pv.policy == "Retain" and pv.status.phase == "Released"
            said = f"{pv.status.phase} under the policy {pv.policy}; data in {directory}{last}{why}"
            yield Hit(pv, said, severity=Severity.NOTE if kept else None)


RULES = (
    recycle_shared_directory,
    recycle_deprecated,
    shared_directory,
    nested_directory,
    delete_on_static_volume,
    released_volume,
)
