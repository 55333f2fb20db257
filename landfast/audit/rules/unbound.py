"""Rules for PVCs that never bind: no volume fits, and nothing makes one."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.fitting import core, why_not
from landfast.audit.free_volumes import is_free
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvcObject, PvObject, StorageClass
from landfast.audit.rules.sources import CONTROLLER, MATCHING
from landfast.audit.rules.ties import waiting
from landfast.audit.storage import is_block
from landfast.binding.matching import Misfit

_CLASS = ("spec", "storageClassName")
_NO_PROVISIONER = "kubernetes.io/no-provisioner"


class Unfit(NamedTuple):
    """A PVC for which there is no volume, and a volume that nobody uses, which may be its own.

    `alike` says that name or class tie them together; else they are what is left of each.
    """

    pvc: PvcObject
    pv: PvObject
    why: list[Misfit]
    alike: bool


def makes_volumes(storage_class: StorageClass | None) -> bool:
    """Whether a class has a provisioner."""
    return storage_class is not None and storage_class.provisioner != _NO_PROVISIONER


def _without_volume(inventory: Inventory) -> list[PvcObject]:
    """Return the PVCs that no volume fits."""
    return [pvc for pvc in waiting(inventory.open_pvcs) if not inventory.fitting(pvc).count]


def _hungry(inventory: Inventory) -> list[PvcObject]:
    """Return the PVCs that no volume fits, and for which no class that is known makes one."""
    return [
        pvc
        for pvc in _without_volume(inventory)
        if not makes_volumes(inventory.find_class(inventory.storage_class_of(pvc)))
    ]


def _unused(inventory: Inventory) -> list[PvObject]:
    """Return the volumes that no PVC names or could take."""
    named = {pvc.spec.volume_name for pvc in inventory.pvcs}
    free = (pv for pv in inventory.pvs if is_free(pv) and pv.name not in named)
    return [pv for pv in free if not inventory.takers(pv).count]


def unfit(inventory: Inventory) -> dict[str, Unfit]:
    """Return the PVCs with a volume that seems to be meant for them and does not fit, by title.

    It is an unused one of the PVC's class; or one of another class that fits otherwise, if the
    names are alike, or there is one such volume and one such PVC.
    """
    hungry, unused = _hungry(inventory), _unused(inventory)
    of_class: dict[str, PvObject] = {}
    by_name: dict[tuple[str, ...], PvObject] = {}
    for pv in unused:
        of_class.setdefault(pv.storage_class, pv)
        by_name.setdefault(core(pv.name), pv)
    found = {}
    for pvc in hungry:
        alike = by_name.get(core(pvc.name))
        own = of_class.get(pvc.storage_class) if pvc.storage_class is not None else None
        only = unused[0] if len(hungry) == len(unused) == 1 else None
        if pv_meant := alike or own or only:
            why = inventory.misfits(pv_meant, pvc)
            if pv_meant is not only or alike or own or why == [Misfit.CLASS]:
                found[pvc.title] = Unfit(pvc, pv_meant, why, bool(alike or own))
    return found


@Rule(
    "audit.no-volume-fits",
    Severity.ERROR,
    "A PVC that no volume fits",
    reason=(
        "A volume must be of the PVC's class and volumeMode, large enough, and have its access "
        "modes and the labels of its selector. Without one the PVC stays Pending; if its class "
        "has a provisioner on the cluster, it gets a new and empty volume instead."
    ),
    fix="Make the volume and the PVC equal in what differs.",
    example="""
        kind: PersistentVolume
        spec:
          storageClassName: manual
          capacity: {storage: 5Gi}
          accessModes: [ReadWriteOnce]
        ---
        kind: PersistentVolumeClaim
        spec:
          storageClassName: manual
          accessModes: [ReadWriteOnce]
          resources: {requests: {storage: 5Gi}}
    """,
    source=(
        f"{MATCHING}; binding.too-small-stays-pending; binding.missing-mode-stays-pending; "
        "binding.class-mismatch-stays-pending; binding.volume-mode-must-match; "
        "binding.selector-without-match-stays-pending"
    ),
)
def no_volume_fits(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs beside a volume that nobody uses.

    A default class, or one that these manifests do not show, may make a volume: then it warns.
    """
    for pvc, pv, why, alike in unfit(inventory).values():
        helped = pvc.storage_class is None or not (alike or inventory.complete)
        severity = Severity.WARNING if helped else None
        yield Hit(pvc, f"{pv.title}: {why_not(inventory, pv, pvc, why)}", ("spec",), severity)


@Rule(
    "audit.class-missing",
    Severity.ERROR,
    "A PVC whose class does not exist",
    reason=(
        "Without the class nothing is provisioned, and no existing volume fits: the PVC stays "
        "Pending, and so does its pod."
    ),
    fix="Correct storageClassName, or create the class.",
    example="""
        kind: StorageClass
        metadata: {name: nfs}
        provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
        ---
        kind: PersistentVolumeClaim
        spec:
          storageClassName: nfs
    """,
    source=f"{CONTROLLER}, syncUnboundClaim; binding.missing-class-stays-pending",
    cluster_decides=True,
)
def class_missing(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs of a missing class for which no volume was meant; in manifests, once a class."""
    reported = unfit(inventory)
    missing: dict[str, list[PvcObject]] = defaultdict(list)
    for pvc in _hungry(inventory):
        name = pvc.storage_class
        asks = inventory.complete or not is_block(name or "")  # an installer has made that
        if name and not inventory.find_class(name) and pvc.title not in reported and asks:
            missing[name].append(pvc)
    for name, pvcs in missing.items():
        for pvc in pvcs if inventory.complete else ():
            said = f"StorageClass {name} does not exist, and no volume of that class fits"
            yield Hit(pvc, said, _CLASS)
        if not inventory.complete:
            more = f" (PVCs that name it: {len(pvcs)})" if len(pvcs) > 1 else ""
            said = f"StorageClass {name} is not in these manifests: does the cluster have it?{more}"
            yield Hit(pvcs[0], said, _CLASS)


@Rule(
    "audit.nothing-provisions",
    Severity.ERROR,
    "A PVC for which nobody makes a volume",
    reason=(
        'The class "" and a class of the provisioner kubernetes.io/no-provisioner make no '
        "volumes: the PVC stays Pending until an administrator creates one that fits."
    ),
    fix="Create the volume, or name a class that makes volumes.",
    example="""
        kind: PersistentVolumeClaim
        spec:
          storageClassName: nfs      # a class with a provisioner
    """,
    source=f"{CONTROLLER}, syncUnboundClaim; binding.empty-class-no-other",
    cluster_decides=True,
)
def nothing_provisions(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs without a volume that ask for no provisioning."""
    reported = unfit(inventory)
    for pvc in _hungry(inventory):
        name = pvc.storage_class
        if name is None or pvc.title in reported or (name and not inventory.find_class(name)):
            continue
        what = f"class {name}, which has no provisioner" if name else "no class"
        yield Hit(pvc, f"it asks for a volume of {what}, and none fits {inventory.where}", _CLASS)


@Rule(
    "audit.provisioner-refuses-pvc",
    Severity.ERROR,
    "A PVC that provisioners of NFS refuse",
    reason=(
        "They make file systems, and no volume with labels that somebody else chose: a PVC with "
        "a selector, even an empty one, or with volumeMode Block stays Pending."
    ),
    fix="Leave out selector and volumeMode, or create a volume that fits.",
    example="""
        kind: PersistentVolumeClaim
        spec:                        # no selector, no volumeMode: Block
          storageClassName: nfs
          accessModes: [ReadWriteOnce]
          resources: {requests: {storage: 5Gi}}
    """,
    source=(
        "nfs-subdir-external-provisioner v4.0.2, provisioner.go, Provision; "
        "csi.selector-is-refused; csi.block-is-refused"
    ),
)
def provisioner_refuses_pvc(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs with a selector or volumeMode Block whose class makes volumes on NFS."""
    on_nfs = {made.name: made for made in inventory.nfs_classes}
    for pvc in _without_volume(inventory):
        if made := on_nfs.get(inventory.storage_class_of(pvc)):
            if pvc.spec.selector is not None:
                said = f"it has a selector, which {made.provisioner} refuses"
                yield Hit(pvc, said, ("spec", "selector"))
            elif pvc.spec.volume_mode == "Block":
                said = f"it asks for a block device, which {made.provisioner} refuses"
                yield Hit(pvc, said, ("spec", "volumeMode"))


@Rule(
    "audit.pvc-of-pod-missing",
    Severity.ERROR,
    "A pod whose PVC does not exist",
    reason="A PVC must be in the pod's own namespace. Without it the pod stays Pending.",
    fix="Create the PVC in the namespace of the pod, or correct claimName.",
    example="""
        kind: PersistentVolumeClaim
        metadata: {namespace: shop, name: data}
        ---
        kind: Deployment
        metadata: {namespace: shop, name: db}
        spec:
          template:
            spec:
              volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
    """,
    source="Kubernetes documentation, Persistent Volumes, Claims As Volumes",
)
def pvc_of_pod_missing(inventory: Inventory) -> Iterator[Hit]:
    """Find missing PVCs; in manifests it is a note, unless an unused one has another namespace.

    Where one of the two leaves out its namespace, whoever applies the manifests decides.
    """
    there = {(pvc.namespace, pvc.name): pvc for pvc in inventory.pvcs}
    used = {
        (workload.namespace, volume.persistent_volume_claim.claim_name)
        for workload in inventory.workloads
        for volume in workload.pod.volumes
        if volume.persistent_volume_claim
    }
    elsewhere = {pvc.name: pvc for who, pvc in there.items() if who not in used}
    for workload in inventory.workloads:
        for number, volume in enumerate(workload.pod.volumes):
            name = volume.persistent_volume_claim and volume.persistent_volume_claim.claim_name
            if not name or (workload.namespace, name) in there or not workload.at_once:
                continue
            if "$" in name:  # whoever renders it decides
                continue
            said = (
                f"there is no PersistentVolumeClaim {workload.namespace}/{name} {inventory.where}"
            )
            severity = None if inventory.complete else Severity.NOTE
            if other := elsewhere.get(name):
                said += f", only {other.title}, which nobody uses"
                explicit = other.metadata.namespace and workload.metadata.namespace
                severity = None if explicit else Severity.WARNING
            at = (*workload.template_at, "spec", "volumes", number)
            yield Hit(workload, said, at, severity)
