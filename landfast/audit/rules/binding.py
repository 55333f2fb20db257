"""Rules on what binds to what."""

from collections import defaultdict
from collections.abc import Iterator

from landfast.audit.findings import Hit, Severity, listed, rule
from landfast.audit.inventory import Inventory
from landfast.audit.objects import Pvc

_CLASS = ("spec", "storageClassName")
_CONTROLLER = "Kubernetes, pkg/controller/volume/persistentvolume/pv_controller.go"
_MATCHING = "k8s.io/component-helpers/storage/volume/pv_helpers.go, FindMatchingVolume"


def _open(inventory: Inventory) -> Iterator[Pvc]:
    """Give the PersistentVolumeClaims whose volume Kubernetes has yet to choose."""
    return (pvc for pvc in inventory.pvcs if not inventory.is_pinned(pvc))


@rule(
    "audit.foreign-volume",
    Severity.ERROR,
    "A PVC that could bind a volume meant for another",
    reason=(
        "Among volumes that fit, access modes and size decide, and who comes first; names and "
        "paths do not. After a PVC was deleted and made again its data may be another's."
    ),
    fix=(
        "Tie them together: claimRef on the volume and volumeName on the PVC; or a selector, with "
        "labels that one volume has; or a class of their own."
    ),
    source=_MATCHING,
)
def foreign_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find claims with a choice of volumes, or with a rival; an error under a database only."""
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
            said = f"{names[0]}, the one volume that fits it, fits {rivals}, too"
            yield Hit(pvc, said, ("spec",), severity)


@rule(
    "audit.class-missing",
    Severity.ERROR,
    "A PVC of a class that does not exist",
    reason=(
        "Without the class nothing is provisioned, and no volume that is there fits: the PVC stays "
        "Pending, and so does its pod."
    ),
    fix="Correct storageClassName, or make the class.",
    source=f"{_CONTROLLER} syncUnboundClaim; binding suite",
)
def class_missing(inventory: Inventory) -> Iterator[Hit]:
    """Find claims of a class that is not there, unless a volume of that class fits."""
    for pvc in _open(inventory):
        name = pvc.storage_class
        if name and inventory.find_class(name) is None and not inventory.candidates(pvc):
            if inventory.complete:
                said = f"there is no StorageClass {name}, and no volume of that class fits"
                yield Hit(pvc, said, _CLASS)
            else:
                said = f"the StorageClass {name} is not among these manifests: has the cluster it?"
                yield Hit(pvc, said, _CLASS, Severity.NOTE)


@rule(
    "audit.no-default-class",
    Severity.WARNING,
    "A PVC without a class, and no default class",
    reason=(
        "A PVC that leaves out storageClassName gets the default class. While there is none, only "
        "a volume without a class fits, and a default that is set later changes what the PVC gets."
    ),
    fix='Name a class; or storageClassName: "" for a volume without one.',
    source="Kubernetes, plugin/pkg/admission/storage/storageclass/setdefault; binding suite",
)
def no_default_class(inventory: Inventory) -> Iterator[Hit]:
    """Find claims that wait for a default class."""
    for pvc in _open(inventory):
        waits = pvc.storage_class is None and not inventory.defaults
        if waits and not inventory.candidates(pvc):
            where = "on this cluster" if inventory.complete else "among these manifests"
            said = f"it names no class, and there is no default class {where}"
            yield Hit(pvc, said, ("spec",), None if inventory.complete else Severity.NOTE)


@rule(
    "audit.several-default-classes",
    Severity.WARNING,
    "Several default classes",
    reason=(
        "A PVC without a class gets the newest of them, so that it depends on when the classes "
        "were made: making one again moves all new PVCs to it."
    ),
    fix='Leave storageclass.kubernetes.io/is-default-class: "true" on one of them.',
    source="k8s.io/kubernetes/pkg/volume/util/storageclass.go, GetDefaultClass; binding suite",
)
def several_default_classes(inventory: Inventory) -> Iterator[Hit]:
    """Find more than one default class."""
    if len(inventory.defaults) > 1:
        first, *others = inventory.defaults
        said = f"it is a default class, and so are {listed([c.name for c in others])}"
        yield Hit(first, said, ("metadata", "annotations"))


@rule(
    "audit.volume-of-pvc-missing",
    Severity.ERROR,
    "A PVC that names a volume that is not there",
    reason=(
        "A new PVC stays Pending, without an event that says why. One that was bound is Lost: its "
        "volume was deleted under it, and it never binds again."
    ),
    fix="Make the volume, with a claimRef to the PVC; a PVC that is Lost must be made again.",
    source=f"{_CONTROLLER} syncUnboundClaim, syncBoundClaim; binding suite",
)
def volume_of_pvc_missing(inventory: Inventory) -> Iterator[Hit]:
    """Find claims whose `volumeName` names nothing."""
    names = {pv.name for pv in inventory.pvs}
    for pvc in inventory.pvcs:
        name = pvc.spec.volume_name
        if name and name not in names:
            where = "" if inventory.complete else " among these manifests"
            lost = "; its phase is Lost" if pvc.status.phase == "Lost" else ""
            said = f"there is no PersistentVolume {name}{where}{lost}"
            severity = None if inventory.complete else Severity.NOTE
            yield Hit(pvc, said, ("spec", "volumeName"), severity)


@rule(
    "audit.reserved-volume",
    Severity.NOTE,
    "A volume reserved for a PVC that is not there",
    reason="Nobody else can bind it, whatever fits. A typo in claimRef looks the same.",
    fix="Make the PVC, or remove claimRef.",
    source=f"{_MATCHING}; binding suite",
)
def reserved_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find unbound volumes whose `claimRef` names nothing."""
    names = {(pvc.namespace, pvc.name) for pvc in inventory.pvcs}
    for pv in inventory.pvs:
        ref = pv.spec.claim_ref
        if ref and pv.status.phase in ("", "Available", "Pending"):
            who = (ref.namespace or "default", ref.name)
            if who not in names:
                said = f"it waits for PersistentVolumeClaim {who[0]}/{who[1]}"
                yield Hit(pv, said, ("spec", "claimRef"))


@rule(
    "audit.defined-twice",
    Severity.WARNING,
    "Two manifests of one object",
    reason=(
        "kind, namespace and name are the same: `kubectl apply` changes the first into the second, "
        "and of a volume or a PVC most fields cannot be changed. The audit counts the last."
    ),
    fix="Remove one, rename it, or audit the environments that they belong to one by one.",
    source="Kubernetes documentation, Object Names and IDs",
)
def defined_twice(inventory: Inventory) -> Iterator[Hit]:
    """Find objects that are there more than once."""
    for again, earlier in inventory.defined_again:
        yield Hit(again, f"it is also in {earlier.place.file}:{earlier.place.line()}")


RULES = (
    foreign_volume,
    class_missing,
    no_default_class,
    several_default_classes,
    volume_of_pvc_missing,
    reserved_volume,
    defined_twice,
)
