"""Rules for PVCs and volumes that name each other: by volumeName, by claimRef, or by neither."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.fitting import why_not
from landfast.audit.free_volumes import SHOWN
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvcObject, PvObject
from landfast.audit.rules.sources import CONTROLLER, MATCHING
from landfast.binding.matching import NEEDED_IF_RESERVED, Misfit

_NAMED = ("spec", "volumeName")
_RESERVED = ("spec", "claimRef")
_GONE = ("Released", "Failed")


def waiting(pvcs: Iterable[PvcObject]) -> Iterator[PvcObject]:
    """Yield the PVCs that are not bound, and were not."""
    return (pvc for pvc in pvcs if pvc.status.phase in ("", "Pending"))


def is_reserved(pv: PvObject, pvc: PvcObject) -> bool:
    """Whether a volume's claimRef names a PVC."""
    ref = pv.spec.claim_ref
    return ref is not None and (ref.namespace or "default", ref.name) == (pvc.namespace, pvc.name)


def _volumes(inventory: Inventory) -> dict[str, PvObject]:
    return {pv.name: pv for pv in inventory.pvs}


def others(titles: Sequence[str], own: str, count: int = 0) -> str:
    """Name all but one's own, only the first three if there are more; `count` counts all."""
    shown = [title for title in titles[:SHOWN] if title != own][: SHOWN - 1]
    more = (count or len(titles)) - 1 - len(shown)
    return f"{', '.join(shown)} and {more} more" if more > 0 else listed(shown)


@Rule(
    "audit.named-volume-does-not-fit",
    Severity.ERROR,
    "A PVC that names a volume which it cannot get",
    reason=(
        "The PVC stays Pending, and takes no other volume: what it names must be free, of its "
        "class and volumeMode, large enough, and have its access modes."
    ),
    fix=(
        "Make size, class, access modes and volumeMode equal; or have the volume name the PVC in "
        "its claimRef as well, after which nothing is compared."
    ),
    example="""
        kind: PersistentVolume
        spec:
          storageClassName: nfs
          claimRef: {namespace: shop, name: data}
        ---
        kind: PersistentVolumeClaim
        metadata: {namespace: shop, name: data}
        spec:
          storageClassName: nfs
    """,
    source=(
        f"{CONTROLLER}, checkVolumeSatisfyClaim; binding.volume-name-needs-class; "
        "binding.volume-name-of-reserved-volume; binding.both-sides-check-nothing; "
        "binding.recreated-claim-that-names-its-volume"
    ),
)
def named_volume_does_not_fit(inventory: Inventory) -> Iterator[Hit]:
    """Find what keeps the two apart; without a class, only the cluster's default could help."""
    there = _volumes(inventory)
    for pvc in waiting(inventory.pvcs):
        pv = there.get(pvc.spec.volume_name)
        if pv is None:
            continue
        if pv.status.phase in _GONE:
            said = f"{pv.title} is {pv.status.phase}: a PVC that is gone still owns it"
            yield Hit(pvc, said, _NAMED)
        elif not is_reserved(pv, pvc):
            found = [m for m in inventory.misfits(pv, pvc) if m is not Misfit.SELECTOR]
            if found:
                said = f"{pv.title} does not fit it: {why_not(inventory, pv, pvc, found)}"
                unsaid = found == [_unsaid(inventory, pv, pvc)]
                yield Hit(pvc, said, _NAMED, Severity.WARNING if unsaid else None)


def _unsaid(inventory: Inventory, pv: PvObject, pvc: PvcObject) -> Misfit | None:
    """Return what a manifest leaves to the cluster, or to the one who applies it."""
    if pvc.storage_class is None and not inventory.defaults:
        return Misfit.CLASS
    same_name = pv.spec.claim_ref and pv.spec.claim_ref.name == pvc.name
    return Misfit.TAKEN if same_name and not pvc.metadata.namespace else None


@Rule(
    "audit.reserved-volume-does-not-fit",
    Severity.ERROR,
    "A PVC that cannot get the volume reserved for it",
    reason=(
        "A claimRef alone overrides class and selector, not size, access modes and volumeMode. "
        "The PVC takes another volume that fits, even a new and empty one, or stays Pending."
    ),
    fix=(
        "Make size, access modes and volumeMode equal, and set volumeName on the PVC as well: "
        "then it gets this volume or none."
    ),
    example="""
        kind: PersistentVolume
        metadata: {name: data}
        spec:
          capacity: {storage: 20Gi}
          accessModes: [ReadWriteOnce]
          claimRef: {namespace: shop, name: data}
        ---
        kind: PersistentVolumeClaim
        metadata: {namespace: shop, name: data}
        spec:
          volumeName: data
          accessModes: [ReadWriteOnce]
          resources: {requests: {storage: 20Gi}}
    """,
    source=(
        f"{MATCHING}; binding.reserved-needs-size; binding.reserved-needs-modes; "
        "binding.unfit-reserved-is-no-obstacle; binding.fewest-modes-before-reserved"
    ),
)
def reserved_volume_does_not_fit(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs without a volumeName for which no reserved volume fits, or another one wins."""
    for pvc in waiting(inventory.pvcs):
        reserved = [pv for pv in inventory.reserved_for(pvc) if pv.status.phase not in _GONE]
        if pvc.spec.volume_name or not reserved:
            continue
        unfit = {
            pv.name: [m for m in inventory.misfits(pv, pvc) if m in NEEDED_IF_RESERVED]
            for pv in reserved
        }
        if all(unfit.values()):
            pv = reserved[0]
            said = f"{pv.title} is reserved for it and does not fit: "
            yield Hit(pvc, said + why_not(inventory, pv, pvc, unfit[pv.name]), ("spec",))
            continue
        fewest = min(len({*pv.spec.access_modes}) for pv in reserved if not unfit[pv.name])
        first = [pv for pv in inventory.candidates(pvc) if len({*pv.spec.access_modes}) < fewest]
        if first:
            said = f"{first[0].title} has fewer access modes and wins over {reserved[0].title}, "
            yield Hit(pvc, f"{said}which is reserved for it", ("spec", "accessModes"))


@Rule(
    "audit.volume-named-twice",
    Severity.ERROR,
    "Two PVCs that name one volume",
    reason="One of them gets it, whichever is created first. The other stays Pending.",
    fix="Give each PVC a volume of its own; pods of one namespace can share one PVC.",
    source=f"{CONTROLLER}, syncUnboundClaim; binding.two-claims-name-one-volume",
)
def volume_named_twice(inventory: Inventory) -> Iterator[Hit]:
    """Find volumes that several PVCs name; one that is reserved is another rule's."""
    there = _volumes(inventory)
    naming: dict[str, list[PvcObject]] = defaultdict(list)
    for pvc in inventory.pvcs:
        if pvc.spec.volume_name:
            naming[pvc.spec.volume_name].append(pvc)
    for name, pvcs in naming.items():
        pv = there.get(name)
        if len(pvcs) > 1 and not (pv and pv.spec.claim_ref):
            titles = [pvc.title for pvc in pvcs]
            for pvc in pvcs[1:]:
                said = f"it names PersistentVolume {name}, as does {others(titles, pvc.title)}"
                yield Hit(pvc, said, _NAMED)


@Rule(
    "audit.pvc-reserved-twice",
    Severity.ERROR,
    "Two volumes reserved for one PVC",
    reason=(
        "The PVC gets one of them, and nothing decides which: perhaps the one without its data. "
        "The other can be bound by nobody."
    ),
    fix="Remove claimRef from one of them, and set volumeName on the PVC.",
    example="""
        kind: PersistentVolumeClaim
        metadata: {namespace: shop, name: data}
        spec:
          volumeName: data-2
    """,
    source=f"{MATCHING}; binding.reserved-twice",
)
def pvc_reserved_twice(inventory: Inventory) -> Iterator[Hit]:
    """Find such volumes; if the PVC says by volumeName which it wants, it is a warning."""
    reserved: dict[tuple[str, str], list[PvObject]] = defaultdict(list)
    for pv in inventory.pvs:
        if (ref := pv.spec.claim_ref) and pv.status.phase in ("", "Available", "Pending", "Bound"):
            reserved[ref.namespace or "default", ref.name].append(pv)
    named = {(p.namespace, p.name): p.spec.volume_name for p in inventory.pvcs}
    for who, pvs in reserved.items():
        if len(pvs) > 1:
            titles = [pv.title for pv in pvs]
            chosen = named.get(who) in {pv.name for pv in pvs}
            for pv in pvs[1:]:
                said = f"it is reserved for PersistentVolumeClaim {'/'.join(who)}, as is "
                said += others(titles, pv.title)
                yield Hit(pv, said, _RESERVED, Severity.WARNING if chosen else None)


@Rule(
    "audit.named-volume-not-reserved",
    Severity.ERROR,
    "A PVC whose volume another PVC can take",
    reason=(
        "volumeName says what the PVC wants, but does not keep the volume for it. A PVC that "
        "comes first gets the volume with its data, and this one stays Pending."
    ),
    fix="Name the PVC in the volume's claimRef: then no other PVC can take it.",
    example="""
        kind: PersistentVolume
        metadata: {name: data}
        spec:
          claimRef: {namespace: shop, name: data}
    """,
    source=f"{MATCHING}; binding.first-come-first-served; binding.two-claims-name-one-volume",
)
def named_volume_not_reserved(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs whose volume fits another that names none; an error only under a database."""
    found = set()
    for pvc in waiting(inventory.pvcs):
        for pv in inventory.find_pvs(pvc.spec.volume_name):
            takers = inventory.takers(pv)
            if not takers.count or pv.name in found:
                continue
            found.add(pv.name)
            titles = [taker.title for taker in takers.first]
            database = not inventory.database_pvcs.keys().isdisjoint((pvc.title, *titles))
            said = f"{pv.title} also fits {others(titles, '', takers.count + 1)}"
            severity = None if database else Severity.WARNING
            yield Hit(pvc, f"{said}, which can take it first", _NAMED, severity)
