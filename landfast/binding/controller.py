"""What the controllers do when they look at one object: bind, release, lose, remove.

Sources, in Kubernetes 1.37: pkg/controller/volume/persistentvolume/pv_controller.go, and
pkg/controller/volume/pvprotection, pvcprotection. A bind is four writes. They count as one here:
a write to an object that has changed meanwhile is refused, and the PVC is looked at again.
"""

from dataclasses import replace
from typing import NamedTuple

from landfast.binding.api import default_class
from landfast.binding.matching import find_match, satisfies, waits_for_first_consumer
from landfast.binding.model import PvcPhase, PvPhase, Reason
from landfast.binding.state import Owner, State, StoredPv, StoredPvc


class Look(NamedTuple):
    """What comes of a look at a PVC: one state, or several where a tie leaves it open."""

    states: list[State]
    ties: frozenset[str] = frozenset()


def sync_pvc(state: State, pvc: StoredPvc) -> Look:
    """Look at a PVC. Source: syncClaim."""
    if pvc.completed:
        return Look([_sync_bound_pvc(state, pvc)])
    if pvc.volume is not None:
        return Look([_sync_pvc_with_volume_name(state, pvc)])
    found = find_match(state, pvc)
    if found.pvs:
        return Look([bind(state, pv, pvc) for pv in found.pvs], found.ties)
    default = default_class(state)
    if pvc.named_class is None and default is not None:
        # assignDefaultStorageClass: this change makes the controller look at the PVC again
        return Look([state.with_pvc(pvc, replace(pvc, named_class=default))])
    return Look([state])


def _sync_pvc_with_volume_name(state: State, pvc: StoredPvc) -> State:
    """Bind the PVC if its PV is free and fits; if it is reserved for the PVC, without any check.

    Source: syncUnboundClaim, second half.
    """
    pv = state.seen_pv(pvc.volume)
    if pv is not None and (pv.belongs_to(pvc) or satisfies(pv, pvc)):
        return bind(state, pv, pvc)
    return state


def _sync_bound_pvc(state: State, pvc: StoredPvc) -> State:
    """Keep the PVC bound, or bind it again, if its PV is its own or free; otherwise it is Lost.

    A claimRef without a uid counts as another PVC's here. Source: syncBoundClaim.
    """
    pv = state.seen_pv(pvc.volume)
    if pv is not None and (pv.owner is None or pv.owner.uid == pvc.uid):
        return bind(state, pv, pvc)
    return state.with_pvc(pvc, replace(pvc, phase=PvcPhase.LOST))


def bind(state: State, pv: StoredPv, pvc: StoredPvc) -> State:
    """Write the PV's claimRef and phase, and the PVC's volumeName and phase. Source: bind."""
    bound_pv = replace(pv, owner=Owner(pvc.spec.name, pvc.uid), phase=PvPhase.BOUND)
    bound_pvc = replace(pvc, volume=pv.spec.name, completed=True, phase=PvcPhase.BOUND)
    return state.with_pv(pv, bound_pv).with_pvc(pvc, bound_pvc)


def sync_pv(state: State, pv: StoredPv) -> State:
    """Look at a PV: Available, Bound, or Released if the PVC it was bound to is gone.

    A PVC of the same name with another uid is another PVC. With the policy Retain nothing else
    follows. Source: syncVolume.
    """
    if pv.owner is None or pv.owner.uid is None:
        return state.with_pv(pv, replace(pv, phase=PvPhase.AVAILABLE))
    pvc = state.pvc(pv.owner.name)
    exists = pvc is not None and pvc.uid == pv.owner.uid
    return state.with_pv(pv, replace(pv, phase=PvPhase.BOUND if exists else PvPhase.RELEASED))


def protect_pv(state: State, pv: StoredPv) -> State:
    """Let a deleted PV go unless it is Bound. Source: pv_protection_controller.go."""
    if pv.deleting and pv.phase != PvPhase.BOUND:
        return state.with_pv(pv, None)
    return state


def protect_pvc(state: State, pvc: StoredPvc) -> State:
    """Let a deleted PVC go; no pod uses it. Source: pvc_protection_controller.go."""
    return state.with_pvc(pvc, None) if pvc.deleting else state


def why_pending(state: State, pvc: StoredPvc) -> Reason | None:
    """Return why a PVC is Pending, as the controller's events say; None if it is not Pending.

    Source: syncUnboundClaim, provisionClaim.
    """
    if pvc.phase != PvcPhase.PENDING:
        return None
    if pvc.volume is not None:
        pv = state.seen_pv(pvc.volume)
        if pv is None:
            return Reason.VOLUME_MISSING
        return Reason.MISMATCH if pv.owner is None else Reason.BOUND_ELSEWHERE
    if waits_for_first_consumer(state, pvc):
        return Reason.WAITS_FOR_FIRST_CONSUMER
    if not pvc.storage_class:
        return Reason.NO_VOLUME
    if state.storage_class(pvc.storage_class):
        return Reason.EXTERNAL_PROVISIONING
    return Reason.CLASS_NOT_FOUND
