"""Rules for PVCs: what binds to what, and what never binds."""

from collections import Counter
from collections.abc import Iterator

from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvcObject
from landfast.audit.rules.sources import CONTROLLER, MATCHING
from landfast.audit.rules.ties import others


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
    example="""
        kind: PersistentVolume
        metadata: {name: shop}
        spec:
          claimRef: {namespace: shop, name: data}
        ---
        kind: PersistentVolumeClaim
        metadata: {namespace: shop, name: data}
        spec:
          volumeName: shop
    """,
    source=MATCHING,
)
def foreign_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs with a choice of volumes, or with a rival; an error only under a database.

    As many volumes as a StatefulSet has pods are as good as one for each: all are still empty. A
    volume that a PVC names is for the rule on those.
    """
    named = {pvc.spec.volume_name for pvc in inventory.pvcs}
    of_template = Counter(pvc.made_by for pvc in inventory.open_pvcs)
    one_for_each: dict[str, bool] = {}
    for pvc in inventory.open_pvcs:
        severity = None if pvc.title in inventory.database_pvcs else Severity.WARNING
        fitting = inventory.fitting(pvc)
        count, volumes = fitting.count, fitting.first
        if count == len(volumes) and all(pv.name in named for pv in volumes):
            continue
        if count > 1:
            by = pvc.made_by
            if by and by not in one_for_each:
                one_for_each[by] = _one_for_each(inventory, pvc, of_template[by])
            if not one_for_each.get(by):
                names = others([pv.name for pv in volumes], "", count + 1)
                yield Hit(pvc, f"{count} volumes fit it: {names}", ("spec",), severity)
        elif count:
            takers = inventory.takers(volumes[0])
            if takers.count > 1:
                rivals = others([p.title for p in takers.first], pvc.title, takers.count)
                said = f"{volumes[0].name} is the only volume that fits it, and also fits {rivals}"
                yield Hit(pvc, said, ("spec",), severity)


def _one_for_each(inventory: Inventory, pvc: PvcObject, pods: int) -> bool:
    """Whether the volumes that fit a StatefulSet's PVC are no more than its pods, and its alone."""
    volumes = inventory.candidates(pvc)
    return len(volumes) <= pods and all(
        inventory.takers(pv).count == pods
        and all(taker.made_by == pvc.made_by for taker in inventory.takers(pv).first)
        for pv in volumes
    )


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
    example="""
        kind: PersistentVolume
        metadata: {name: shop}
        ---
        kind: PersistentVolumeClaim
        metadata: {namespace: shop, name: data}
        spec:
          volumeName: shop
    """,
    source=(
        f"{CONTROLLER}, syncUnboundClaim, syncBoundClaim; "
        "binding.missing-volume-name-stays-pending; binding.lost-claim-finds-its-volume"
    ),
    cluster_decides=True,
)
def volume_of_pvc_missing(inventory: Inventory) -> Iterator[Hit]:
    for pvc in inventory.pvcs:
        if (name := pvc.spec.volume_name) and not inventory.find_pvs(name):
            lost = "; its phase is Lost" if pvc.status.phase == "Lost" else ""
            said = f"there is no PersistentVolume {name} {inventory.where}{lost}"
            yield Hit(pvc, said, ("spec", "volumeName"))


@Rule(
    "audit.reserved-volume",
    Severity.WARNING,
    "A volume reserved for a missing PVC",
    reason="No other PVC can bind it. A typo in claimRef looks the same.",
    fix="Create the PVC, or remove claimRef.",
    example="""
        kind: PersistentVolume
        spec:
          claimRef: {namespace: shop, name: data}
        ---
        kind: PersistentVolumeClaim
        metadata: {namespace: shop, name: data}
    """,
    source=f"{MATCHING}; binding.reserved-is-kept-for-its-claim",
)
def reserved_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find such volumes; a PVC of that name elsewhere that has no volume makes it a warning."""
    elsewhere = {pvc.name: pvc for pvc in inventory.open_pvcs if not inventory.fitting(pvc).count}
    for pv in inventory.pvs:
        ref = pv.spec.claim_ref
        if ref is None or pv.status.phase not in ("", "Available", "Pending"):
            continue
        who = (ref.namespace or "default", ref.name)
        if not inventory.find_pvcs(*who):
            other = elsewhere.get(ref.name)
            hint = f", and there is {other.title}, which has no volume" if other else ""
            said = f"it waits for PersistentVolumeClaim {'/'.join(who)}{hint}"
            yield Hit(pv, said, ("spec", "claimRef"), None if other else Severity.NOTE)
