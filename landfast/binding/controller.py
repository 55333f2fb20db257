"""What the controllers do when they look at one object: bind, release, lose, remove.

Sources, in Kubernetes 1.37: pkg/controller/volume/persistentvolume/pv_controller.go, and
pkg/controller/volume/pvprotection, pvcprotection. A bind is four writes; they count as one here,
since a write to an object that has changed meanwhile is refused and the claim is looked at again.
"""

from dataclasses import replace
from typing import NamedTuple

from landfast.binding.api import default_class
from landfast.binding.matching import find_match, satisfies, waits_for_first_consumer
from landfast.binding.model import PvcPhase, PvPhase, Reason
from landfast.binding.state import Claim, Owner, State, Volume


class Look(NamedTuple):
    """What comes of a look at a claim: one state, or several where a tie leaves it open."""

    states: list[State]
    ties: frozenset[str] = frozenset()


def sync_claim(state: State, claim: Claim) -> Look:
    """Look at a claim. Source: syncClaim."""
    if claim.completed:
        return Look([_sync_bound_claim(state, claim)])
    if claim.volume is not None:
        return Look([_sync_claim_with_volume_name(state, claim)])
    found = find_match(state, claim)
    if found.volumes:
        return Look([bind(state, volume, claim) for volume in found.volumes], found.ties)
    default = default_class(state)
    if claim.named_class is None and default is not None:
        # assignDefaultStorageClass; the claim's change makes the controller look at it again
        return Look([state.with_claim(claim, replace(claim, named_class=default))])
    return Look([state])


def _sync_claim_with_volume_name(state: State, claim: Claim) -> State:
    """Bind it if the volume is free and will do, or is reserved for it, then without any check.

    Source: syncUnboundClaim, second half.
    """
    volume = state.seen_volume(claim.volume)
    if volume is None:
        return state
    if volume.belongs_to(claim) or (volume.owner is None and satisfies(volume, claim)):
        return bind(state, volume, claim)
    return state


def _sync_bound_claim(state: State, claim: Claim) -> State:
    """Keep it bound, or bind it again, if its volume is its own or free; else it is Lost.

    A claimRef without a uid is somebody else's here. Source: syncBoundClaim.
    """
    volume = state.seen_volume(claim.volume)
    if volume is not None and (volume.owner is None or volume.owner.uid == claim.uid):
        return bind(state, volume, claim)
    return state.with_claim(claim, replace(claim, phase=PvcPhase.LOST))


def bind(state: State, volume: Volume, claim: Claim) -> State:
    """Write claimRef and phase of the volume, volumeName and phase of the claim. Source: bind."""
    bound_volume = replace(volume, owner=Owner(claim.pvc.name, claim.uid), phase=PvPhase.BOUND)
    bound_claim = replace(claim, volume=volume.pv.name, completed=True, phase=PvcPhase.BOUND)
    return state.with_volume(volume, bound_volume).with_claim(claim, bound_claim)


def sync_volume(state: State, volume: Volume) -> State:
    """Look at a volume: Available, Bound, or Released if the claim it was bound to is gone.

    A claim of the same name that has another uid is another claim. With the policy Retain nothing
    else follows. Source: syncVolume.
    """
    if volume.owner is None or volume.owner.uid is None:
        return state.with_volume(volume, replace(volume, phase=PvPhase.AVAILABLE))
    claim = state.claim(volume.owner.name)
    is_there = claim is not None and claim.uid == volume.owner.uid
    phase = PvPhase.BOUND if is_there else PvPhase.RELEASED
    return state.with_volume(volume, replace(volume, phase=phase))


def protect_volume(state: State, volume: Volume) -> State:
    """Let a deleted volume go unless it is Bound. Source: pv_protection_controller.go."""
    if volume.deleting and volume.phase != PvPhase.BOUND:
        return state.with_volume(volume, None)
    return state


def protect_claim(state: State, claim: Claim) -> State:
    """Let a deleted claim go; no pod uses it. Source: pvc_protection_controller.go."""
    return state.with_claim(claim, None) if claim.deleting else state


def why_pending(state: State, claim: Claim) -> Reason | None:
    """Say why a claim is Pending, None if it is not. It is what the controller's events say.

    Source: syncUnboundClaim, provisionClaim.
    """
    if claim.phase != PvcPhase.PENDING:
        return None
    if claim.volume is not None:
        volume = state.seen_volume(claim.volume)
        if volume is None:
            return Reason.VOLUME_MISSING
        return Reason.MISMATCH if volume.owner is None else Reason.BOUND_ELSEWHERE
    if waits_for_first_consumer(state, claim):
        return Reason.WAITS_FOR_FIRST_CONSUMER
    if not claim.storage_class:
        return Reason.NO_VOLUME
    if state.storage_class(claim.storage_class):
        return Reason.EXTERNAL_PROVISIONING
    return Reason.CLASS_NOT_FOUND
