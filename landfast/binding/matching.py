"""Which volume a claim gets that names none, and what a named one must satisfy.

Sources, in Kubernetes 1.37: pkg/controller/volume/persistentvolume/index.go and pv_controller.go;
component-helpers, storage/volume/pv_helpers.go.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from landfast.binding.model import VolumeMode
from landfast.binding.state import Claim, State, Volume

SAME_SIZE = "nothing decides between volumes of one size: the index that holds them is unordered"
SAME_MODES = "sets of equally many access modes are searched in no fixed order"
RESERVED_TWICE = "nothing decides between volumes that are all reserved for the claim"


class Match(NamedTuple):
    """The volumes of which the claim gets one; if they are several, the reasons."""

    volumes: list[Volume]
    ties: frozenset[str] = frozenset()


def find_match(state: State, claim: Claim) -> Match:
    """Find the volume for a claim that names none.

    Volumes are searched by their set of access modes: every set that contains what is asked for,
    those of fewest modes first. The first set that has a match ends the search, so a larger volume
    with just these modes comes before a smaller one, or a reserved one, that has more.
    Source: index.go, findByClaim and allPossibleMatchingAccessModes.
    """
    wanted = frozenset(claim.pvc.modes)
    seen = [v for v in state.volumes if v.phase and _modes(v) >= wanted]
    for _, of_one_length in groupby(_by_modes(seen), key=lambda volume: len(_modes(volume))):
        sets = [list(group) for _, group in groupby(of_one_length, key=_mode_names)]
        matches = [match for match in (_match_in_set(s, state, claim) for s in sets) if match[0]]
        if matches:
            ties = frozenset({SAME_MODES} if len(matches) > 1 else ()).union(
                *(match.ties for match in matches)
            )
            return Match([volume for match in matches for volume in match.volumes], ties)
    return Match([])


def _match_in_set(volumes: Iterable[Volume], state: State, claim: Claim) -> Match:
    """Find the volume among those with one set of access modes.

    A volume that is reserved for the claim is taken at once, whatever its class, labels and phase.
    Else the smallest that has the class and the labels; none if the claim waits for its first
    consumer. It is Available, as the controller has seen it and nobody owns it. Node affinity
    counts for the scheduler only.
    Source: pv_helpers.go, FindMatchingVolume.
    """
    fitting = [
        volume
        for volume in volumes
        if (volume.owner is None or volume.belongs_to(claim))
        and _is_large_enough(volume, claim)
        and _has_volume_mode(volume, claim)
        and not volume.deleting
    ]
    if reserved := [volume for volume in fitting if volume.belongs_to(claim)]:
        return Match(reserved, frozenset({RESERVED_TWICE} if len(reserved) > 1 else ()))
    if waits_for_first_consumer(state, claim):
        return Match([])
    selector = claim.pvc.selector
    free = [
        volume
        for volume in fitting
        if (selector is None or selector.matches(volume.pv.labels))
        and volume.storage_class == claim.storage_class
    ]
    size = min((volume.size for volume in free), default=0)
    smallest = [volume for volume in free if volume.size == size]
    return Match(smallest, frozenset({SAME_SIZE} if len(smallest) > 1 else ()))


def satisfies(volume: Volume, claim: Claim) -> bool:
    """Say whether the volume that the claim names by volumeName, free as it is, will do.

    The selector is not looked at. Source: pv_controller.go, checkVolumeSatisfyClaim.
    """
    return (
        not volume.deleting
        and _is_large_enough(volume, claim)
        and volume.storage_class == claim.storage_class
        and _has_volume_mode(volume, claim)
        and _modes(volume) >= frozenset(claim.pvc.modes)
    )


def waits_for_first_consumer(state: State, claim: Claim) -> bool:
    """Say whether the claim's class leaves binding to the scheduler; a missing class does not.

    Source: pv_helpers.go, IsDelayBindingMode.
    """
    storage_class = state.storage_class(claim.storage_class)
    return storage_class is not None and storage_class.wait_for_first_consumer


def _by_modes(volumes: Iterable[Volume]) -> list[Volume]:
    return sorted(volumes, key=lambda volume: (len(_modes(volume)), _mode_names(volume)))


def _modes(volume: Volume) -> frozenset[str]:
    return frozenset(volume.pv.modes)


def _mode_names(volume: Volume) -> list[str]:
    return sorted(_modes(volume))


def _is_large_enough(volume: Volume, claim: Claim) -> bool:
    return volume.size >= (claim.pvc.request or 0)


def _has_volume_mode(volume: Volume, claim: Claim) -> bool:
    """Left out, it is a file system (pv_helpers.go, CheckVolumeModeMismatches)."""
    modes = {v or VolumeMode.FILESYSTEM for v in (volume.pv.volume_mode, claim.pvc.volume_mode)}
    return len(modes) == 1
