"""Rules for PVCs: what binds to what, and what never binds."""

from collections import defaultdict
from collections.abc import Iterator

from landfast.audit.findings import Hit, Rule, Said, Severity, each, listed
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvcObject, PvObject
from landfast.audit.rules.sources import CONTROLLER, DEFAULT_CLASS, MATCHING

_CLASS = ("spec", "storageClassName")


def _open(inventory: Inventory) -> Iterator[PvcObject]:
    """Yield the PVCs whose volume Kubernetes has yet to choose."""
    return (pvc for pvc in inventory.pvcs if not inventory.is_pinned(pvc))


@Rule(
    "audit.foreign-volume",
    Severity.ERROR,
    "A PVC that could bind a volume meant for another",
    reason=(
        "Among the volumes that fit, access modes, size and order of arrival decide, never names "
        "or paths. A PVC that is deleted and recreated may get another's data."
    ),
    fix=(
        "Tie them together: claimRef on the volume and volumeName on the PVC; or a selector with "
        "labels that only one volume has; or a class of their own."
    ),
    source=MATCHING,
)
def foreign_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs with a choice of volumes, or with a rival; an error only under a database."""
    fitting = [(pvc, [pv.name for pv in inventory.candidates(pvc)]) for pvc in _open(inventory)]
    takers: dict[str, list[str]] = defaultdict(list)
    for pvc, names in fitting:
        for name in names:
            takers[name].append(pvc.title)
    for pvc, names in fitting:
        severity = None if pvc.title in inventory.database_pvcs else Severity.WARNING
        if len(names) > 1:
            said = f"{len(names)} volumes fit it: {listed(names)}"
            yield Hit(pvc, said, ("spec",), severity)
        elif names and len(takers[names[0]]) > 1:
            rivals = listed([title for title in takers[names[0]] if title != pvc.title])
            said = f"{names[0]} is the only volume that fits it, and also fits {rivals}"
            yield Hit(pvc, said, ("spec",), severity)


@Rule(
    "audit.class-missing",
    Severity.ERROR,
    "A PVC whose class does not exist",
    reason=(
        "Without the class nothing is provisioned, and no existing volume fits: the PVC stays "
        "Pending, and so does its pod."
    ),
    fix="Correct storageClassName, or create the class.",
    source=f"{CONTROLLER}, syncUnboundClaim; binding.missing-class-stays-pending",
    cluster_decides=True,
)
@each(_open, _CLASS)
def class_missing(inventory: Inventory, pvc: PvcObject) -> Said:
    """Find PVCs of a missing class, unless a volume of that class fits."""
    name = pvc.storage_class
    if not name or inventory.find_class(name) or inventory.candidates(pvc):
        return None
    if inventory.complete:
        return f"StorageClass {name} does not exist, and no volume of that class fits"
    return f"StorageClass {name} is not in these manifests: does the cluster have it?"


@Rule(
    "audit.no-default-class",
    Severity.WARNING,
    "A PVC without a class, and no default class",
    reason=(
        "A PVC without storageClassName gets the default class. While there is none, only a "
        "volume without a class fits, and a default that is set later changes what the PVC gets."
    ),
    fix='Name a class, or set storageClassName: "" to get a volume without one.',
    source=(
        "Kubernetes v1.37, plugin/pkg/admission/storage/storageclass/setdefault; docs/binding.md"
    ),
    cluster_decides=True,
)
@each(_open, ("spec",))
def no_default_class(inventory: Inventory, pvc: PvcObject) -> Said:
    if pvc.storage_class is not None or inventory.defaults or inventory.candidates(pvc):
        return None
    return f"it names no class, and there is no default class {inventory.where}"


@Rule(
    "audit.several-default-classes",
    Severity.WARNING,
    "Several default classes",
    reason=(
        "A PVC without a class gets the newest of them, so recreating a class moves all new PVCs "
        "to it."
    ),
    fix='Keep storageclass.kubernetes.io/is-default-class: "true" on one of them only.',
    source=DEFAULT_CLASS,
)
def several_default_classes(inventory: Inventory) -> Iterator[Hit]:
    if len(inventory.defaults) > 1:
        first, *others = inventory.defaults
        said = f"it is a default class, besides {listed([c.name for c in others])}"
        yield Hit(first, said, ("metadata", "annotations"))


@Rule(
    "audit.volume-of-pvc-missing",
    Severity.ERROR,
    "A PVC that names a missing volume",
    reason=(
        "A new PVC stays Pending, without an event that says why. A PVC that was bound is Lost "
        "and takes no other volume."
    ),
    fix=(
        "Create the volume. For a PVC that is Lost, leave out claimRef: one without the PVC's uid "
        "keeps it Lost."
    ),
    source=(
        f"{CONTROLLER}, syncUnboundClaim, syncBoundClaim; "
        "binding.missing-volume-name-stays-pending; binding.lost-claim-finds-its-volume"
    ),
    cluster_decides=True,
)
@each(lambda inventory: inventory.pvcs, ("spec", "volumeName"))
def volume_of_pvc_missing(inventory: Inventory, pvc: PvcObject) -> Said:
    name = pvc.spec.volume_name
    if not name or inventory.find_pvs(name):
        return None
    lost = "; its phase is Lost" if pvc.status.phase == "Lost" else ""
    return f"there is no PersistentVolume {name} {inventory.where}{lost}"


@Rule(
    "audit.reserved-volume",
    Severity.NOTE,
    "A volume reserved for a missing PVC",
    reason="No other PVC can bind it. A typo in claimRef looks the same.",
    fix="Create the PVC, or remove claimRef.",
    source=f"{MATCHING}; binding.reserved-is-kept-for-its-claim",
)
@each(lambda inventory: inventory.pvs, ("spec", "claimRef"))
def reserved_volume(inventory: Inventory, pv: PvObject) -> Said:
    ref = pv.spec.claim_ref
    if ref is None or pv.status.phase not in ("", "Available", "Pending"):
        return None
    who = (ref.namespace or "default", ref.name)
    missing = not inventory.find_pvcs(*who)
    return f"it waits for PersistentVolumeClaim {who[0]}/{who[1]}" if missing else None


@Rule(
    "audit.defined-twice",
    Severity.WARNING,
    "Two manifests of one object",
    reason=(
        "They have the same kind, namespace and name: `kubectl apply` turns the first into the "
        "second, and most fields of a volume or a PVC cannot change. The audit judges each."
    ),
    fix="Remove or rename one, or audit each environment by itself.",
    source="Kubernetes documentation, Object Names and IDs",
)
def defined_twice(inventory: Inventory) -> Iterator[Hit]:
    for again, earlier in inventory.defined_again:
        yield Hit(again, f"it is also in {earlier.place.file}:{earlier.place.line()}")
