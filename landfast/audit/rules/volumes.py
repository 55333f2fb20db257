"""Rules for PersistentVolumes: what a reclaim policy does, and who shares a directory."""

from collections.abc import Iterator

from landfast.audit.csi_nfs import share_of
from landfast.audit.fates import fate_of_class, fate_of_volume
from landfast.audit.findings import Hit, Rule, Said, Severity, each, listed
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvObject
from landfast.audit.rules.sources import CONTROLLER, DOCUMENTATION, PATHS
from landfast.provisioning.contract import Reclaimed

_POLICY = ("spec", "persistentVolumeReclaimPolicy")
_POLICY_OF_HELM = "helm.sh/resource-policy"


def _on_nfs(inventory: Inventory) -> Iterator[PvObject]:
    return (pv for pv in inventory.pvs if pv.directory)


def _others_in(inventory: Inventory, pv: PvObject, *, below: bool = False) -> list[str]:
    """Name everything else in a volume's directory, or only what is `below` it."""
    outer = pv.directory
    if outer is None:
        return []
    index = inventory.volumes_by_directory
    pvs = [
        f"{other.title} ({other.directory.path})"
        for other in (index.below(outer) if below else index.within(outer))
        if other.title != pv.title and other.directory
    ]
    provisioned = [
        f"everything that {workload.title} provisions ({root.path})"
        for root, workload in inventory.provisioner_roots
        if outer.holds(root)
    ]
    provisioned += [
        f"everything of StorageClass {made.name} ({share.path})"
        for made in inventory.csi_classes
        if (share := share_of(made)) and outer.holds(share)
    ]
    return pvs + provisioned


@Rule(
    "audit.recycle-shared-directory",
    Severity.ERROR,
    "Recycle on a directory that others use",
    reason=(
        "When the PVC is deleted, a recycler pod deletes everything in the volume's directory, "
        "including other volumes' data that is in use."
    ),
    fix="Set persistentVolumeReclaimPolicy: Retain. You can change it on a bound volume.",
    example="""
        kind: PersistentVolume
        spec:
          persistentVolumeReclaimPolicy: Retain
    """,
    source=f"{CONTROLLER}, recycleVolumeOperation; docs/reclaim.md",
)
@each(_on_nfs, _POLICY)
def recycle_shared_directory(inventory: Inventory, pv: PvObject) -> Said:
    if pv.policy == "Recycle" and (others := _others_in(inventory, pv)):
        return f"Recycle empties {pv.directory}, which also holds {listed(others)}"
    return None


@Rule(
    "audit.recycle-deprecated",
    Severity.WARNING,
    "Reclaim policy Recycle",
    reason=(
        "Recycle is deprecated, deletes everything in the directory, and needs an image that an "
        "air-gapped cluster does not have."
    ),
    fix="Set Retain and clean up by hand, or let a provisioner create and delete the volumes.",
    example="""
        kind: PersistentVolume
        spec:
          persistentVolumeReclaimPolicy: Retain
    """,
    source=f"{DOCUMENTATION}, Recycle; walkthrough.recycle-scrubs-and-is-deprecated",
)
@each(lambda inventory: inventory.pvs, _POLICY)
def recycle_deprecated(inventory: Inventory, pv: PvObject) -> Said:
    """Find recycled volumes that the rule above does not report."""
    alone = pv.policy == "Recycle" and not _others_in(inventory, pv)
    return "its reclaim policy is Recycle" if alone else None


@Rule(
    "audit.nested-directory",
    Severity.WARNING,
    "A volume inside another volume's directory",
    reason=(
        "Whoever mounts the outer volume can read, change and delete the inner one's files, and "
        "reclaiming the outer one deletes the inner one's data."
    ),
    fix="Put volumes side by side, and none on the export's root.",
    example="""
        kind: PersistentVolume
        metadata: {name: shop}
        spec:
          nfs: {server: nas.example.com, path: /export/shop}   # not /export
        ---
        kind: PersistentVolume
        metadata: {name: blog}
        spec:
          nfs: {server: nas.example.com, path: /export/blog}
    """,
    source=PATHS,
)
def nested_directory(inventory: Inventory) -> Iterator[Hit]:
    """Find such volumes, but for those that a provisioner mounts to make the inner ones."""
    provisioners = {id(workload) for _, workload in inventory.provisioner_roots}
    roots = {use.pv.title for use in inventory.uses if use.pv and id(use.workload) in provisioners}
    for pv in _on_nfs(inventory):
        if pv.title not in roots and (inner := _others_in(inventory, pv, below=True)):
            yield Hit(pv, f"its directory {pv.directory} contains {listed(inner)}", pv.directory_at)


@Rule(
    "audit.delete-on-static-volume",
    Severity.WARNING,
    "Delete on a volume that no provisioner made",
    reason=(
        "Kubernetes has no deleter for NFS, and a provisioner deletes only what it made: once the "
        "PVC is deleted, the volume ends as Failed, its data stays, and nothing can bind it."
    ),
    fix="Set persistentVolumeReclaimPolicy: Retain.",
    example="""
        kind: PersistentVolume
        spec:
          persistentVolumeReclaimPolicy: Retain
    """,
    source=f"{CONTROLLER}, doDeleteVolume; walkthrough.delete-fails-on-a-static-nfs-volume",
)
@each(_on_nfs, _POLICY)
def delete_on_static_volume(_inventory: Inventory, pv: PvObject) -> Said:
    nobodys = pv.policy == "Delete" and not pv.provisioned
    return f"nothing will delete {pv.directory} of this volume" if nobodys else None


@Rule(
    "audit.released-volume",
    Severity.WARNING,
    "A volume whose PVC is gone",
    reason=(
        "Its PVC was deleted. It binds to no other PVC, not even one of the same name, until its "
        "claimRef is removed. Its data still takes space."
    ),
    fix=(
        "To use the data again: `kubectl patch pv NAME --type=json -p "
        '\'[{"op":"remove","path":"/spec/claimRef"}]\'`. Otherwise delete volume and directory.'
    ),
    source=f"{CONTROLLER}, syncVolume; walkthrough.retain-keeps-volume-and-data",
)
@each(_on_nfs)
def released_volume(_inventory: Inventory, pv: PvObject) -> Said:
    """Find volumes that are Released or Failed; Released under Retain is what was asked for."""
    phase, ref = pv.status.phase, pv.spec.claim_ref
    if phase not in ("Released", "Failed"):
        return None
    last = f", last used by PVC {ref.namespace}/{ref.name}" if ref else ""
    why = f": {pv.status.message}" if pv.status.message else ""
    kept = pv.policy == "Retain" and phase == "Released"
    said = f"{phase} under the policy {pv.policy}; data in {pv.directory}{last}{why}"
    return said, Severity.NOTE if kept else None


@Rule(
    "audit.kept-by-helm-only",
    Severity.NOTE,
    "A PVC that only Helm keeps",
    reason=(
        "helm.sh/resource-policy: keep stops `helm uninstall` and upgrades, nothing else: deleting "
        "the PVC or its namespace ends its data as class and volume say. A release of another "
        "name refuses to take over the PVC that is left."
    ),
    fix="Set Retain on the volume, or on the class, as well.",
    example="""
        kind: StorageClass
        reclaimPolicy: Retain
    """,
    source="Helm documentation, Chart Development Tips and Tricks, Tell Helm Not To Uninstall",
)
def kept_by_helm_only(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs with the annotation whose volume is not retained, as far as that is known."""
    on_nfs = {made.name for made in inventory.nfs_classes}
    for pvc in inventory.pvcs:
        if pvc.metadata.annotations.get(_POLICY_OF_HELM, "").strip().lower() != "keep":
            continue
        volumes = [pv for pv in inventory.volumes_for(pvc) if pv.directory]
        made = inventory.find_class(inventory.storage_class_of(pvc))
        if volumes:
            lost = any(fate_of_volume(pv, made) is not Reclaimed.KEPT for pv in volumes)
        else:
            known = made is not None and made.name in on_nfs and not pvc.spec.volume_name
            lost = bool(known and made and fate_of_class(made).reclaimed is not Reclaimed.KEPT)
        if lost:
            said = "its volume is not retained"
            yield Hit(pvc, said, ("metadata", "annotations", _POLICY_OF_HELM))
