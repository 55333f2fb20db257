"""Rules for PVCs and volumes that name each other: by volumeName, by claimRef, or by neither."""

import posixpath
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
    """Find what keeps the two apart; without a class, only the cluster's default could help.

    Of several definitions of the volume one that fits is enough: each environment has its own.
    """
    for pvc in waiting(inventory.pvcs):
        found = [
            (pv, why)
            for pv in inventory.find_pvs(pvc.spec.volume_name)
            if (why := _in_the_way(inventory, pv, pvc)) is not None
        ]
        if not found or len(found) < len(inventory.find_pvs(pvc.spec.volume_name)):
            continue
        pv, why = found[0]
        if pv.status.phase in _GONE:
            said = f"{pv.title} is {pv.status.phase}: a PVC that is gone still owns it"
            yield Hit(pvc, said, _NAMED)
        else:
            said = f"{pv.title} does not fit it: {why_not(inventory, pv, pvc, why)}"
            unsaid = why == [_unsaid(inventory, pv, pvc)]
            yield Hit(pvc, said, _NAMED, Severity.WARNING if unsaid else None)


def _in_the_way(inventory: Inventory, pv: PvObject, pvc: PvcObject) -> list[Misfit] | None:
    """Return why a PVC cannot get the volume that it names; None if it can."""
    if pv.status.phase in _GONE:
        return []
    why = inventory.misfits(pv, pvc)
    if Misfit.SELECTOR in why:  # of what is named it is not asked
        why.remove(Misfit.SELECTOR)
    return why if why and not is_reserved(pv, pvc) else None


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
        unfit = [
            [m for m in inventory.misfits(pv, pvc) if m in NEEDED_IF_RESERVED] for pv in reserved
        ]
        if all(unfit):
            said = f"{reserved[0].title} is reserved for it and does not fit: "
            yield Hit(pvc, said + why_not(inventory, reserved[0], pvc, unfit[0]), ("spec",))
            continue
        fit = [pv for pv, why in zip(reserved, unfit, strict=True) if not why]
        fewest = min(len({*pv.spec.access_modes}) for pv in fit)
        first = [pv for pv in inventory.fitting(pvc).first if len({*pv.spec.access_modes}) < fewest]
        if first:
            said = f"{first[0].title} has fewer access modes and wins over {fit[0].title}, "
            yield Hit(pvc, f"{said}which is reserved for it", ("spec", "accessModes"))


@Rule(
    "audit.volume-named-twice",
    Severity.ERROR,
    "Two PVCs that name one volume",
    reason="One of them gets it, whichever is created first. The other stays Pending.",
    fix="Give each PVC a volume of its own; pods of one namespace can share one PVC.",
    example="""
        kind: PersistentVolumeClaim
        metadata: {namespace: shop, name: data}
        spec:
          volumeName: shop
        ---
        kind: PersistentVolumeClaim
        metadata: {namespace: blog, name: data}
        spec:
          volumeName: blog
    """,
    source=f"{CONTROLLER}, syncUnboundClaim; binding.two-claims-name-one-volume",
)
def volume_named_twice(inventory: Inventory) -> Iterator[Hit]:
    """Find volumes that several PVCs name; one that is reserved is another rule's.

    PVCs of one name in several namespaces and folders are most likely environments: a note.
    """
    naming: dict[str, dict[str, PvcObject]] = defaultdict(dict)
    for pvc in inventory.pvcs:
        if pvc.spec.volume_name:
            naming[pvc.spec.volume_name].setdefault(pvc.title, pvc)
    for name, pvcs in naming.items():
        if len(pvcs) < 2 or any(pv.spec.claim_ref for pv in inventory.find_pvs(name)):
            continue
        first, *rest = pvcs.values()
        for pvc in rest:
            do = "does" if len(pvcs) == 2 else "do"
            said = f"it names PersistentVolume {name}, as {do} {others(list(pvcs), pvc.title)}"
            elsewhere = posixpath.dirname(pvc.place.file) != posixpath.dirname(first.place.file)
            apart = elsewhere and pvc.name == first.name
            yield Hit(pvc, said, _NAMED, Severity.NOTE if apart else None)


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
    reserved: dict[tuple[str, str], dict[str, PvObject]] = defaultdict(dict)
    for pv in inventory.pvs:
        if (ref := pv.spec.claim_ref) and pv.status.phase not in _GONE:
            reserved[ref.namespace or "default", ref.name].setdefault(pv.title, pv)
    named = {(p.namespace, p.name): p.spec.volume_name for p in inventory.pvcs}
    for who, pvs in reserved.items():
        if len(pvs) > 1:
            titles, be = list(pvs), "is" if len(pvs) == 2 else "are"
            chosen = named.get(who) in {pv.name for pv in pvs.values()}
            for pv in list(pvs.values())[1:]:
                said = f"it is reserved for PersistentVolumeClaim {'/'.join(who)}, as {be} "
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
            titles = [taker.title for taker in takers.first if taker.title != pvc.title]
            if not titles or pv.name in found:
                continue
            found.add(pv.name)
            database = not inventory.database_pvcs.keys().isdisjoint((pvc.title, *titles))
            said = f"{pv.title} also fits {others(titles, '', takers.count + 1)}"
            severity = None if database else Severity.WARNING
            yield Hit(pvc, f"{said}, which can take it first", _NAMED, severity)
