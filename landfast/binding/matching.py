"""Which PV a PVC gets if it names none, and what a named PV must satisfy.

Sources, in Kubernetes 1.37: pkg/controller/volume/persistentvolume/index.go and pv_controller.go;
component-helpers, storage/volume/pv_helpers.go.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from landfast.binding.model import VolumeMode
from landfast.binding.state import State, StoredPv, StoredPvc

SAME_SIZE = "nothing decides between PVs of the same size: their index is unordered"
SAME_MODES = "PVs with equally many access modes are searched in no fixed order"
RESERVED_TWICE = "nothing decides between several PVs reserved for the PVC"


class Misfit(StrEnum):
    """Why a PVC cannot take a PV."""

    TAKEN = "taken"
    """bound, or reserved by its claimRef"""
    CLASS = "class"
    SIZE = "size"
    VOLUME_MODE = "volumeMode"
    DELETING = "deleting"
    MODES = "access modes"
    SELECTOR = "selector"
    """not asked for of a PV that the PVC names by volumeName"""


NEEDED_IF_RESERVED = {Misfit.SIZE, Misfit.VOLUME_MODE, Misfit.DELETING, Misfit.MODES}
"""What rules out a PV that is reserved for the PVC, if the PVC does not name it as well."""


class Match(NamedTuple):
    """The PVs of which the PVC gets one; if there are several, the reasons."""

    pvs: list[StoredPv]
    ties: frozenset[str] = frozenset()


def find_match(state: State, pvc: StoredPvc) -> Match:
    """Find the PV for a PVC that names none.

    PVs are searched by their set of access modes: every set that contains the requested modes,
    smallest sets first. The first set with a match ends the search, so a larger PV with exactly the
    requested modes wins over a smaller one, or a reserved one, that has more modes.
    Source: index.go, findByClaim and allPossibleMatchingAccessModes.
    """
    seen = [pv for pv in state.pvs if pv.phase and _has_modes(pv, pvc)]
    seen.sort(key=lambda pv: (len(_modes(pv)), _mode_names(pv)))
    for _, of_one_length in groupby(seen, key=lambda pv: len(_modes(pv))):
        sets = [list(group) for _, group in groupby(of_one_length, key=_mode_names)]
        matches = [match for match in (_match_in_set(s, state, pvc) for s in sets) if match.pvs]
        if matches:
            ties = frozenset({SAME_MODES} if len(matches) > 1 else ()).union(
                *(match.ties for match in matches)
            )
            return Match([pv for match in matches for pv in match.pvs], ties)
    return Match([])


def _match_in_set(pvs: Iterable[StoredPv], state: State, pvc: StoredPvc) -> Match:
    """Find the PV among those with the same set of access modes.

    A PV reserved for the PVC is taken at once, whatever its class, labels and phase. Otherwise the
    smallest suitable one is taken, or none if the PVC waits for its first consumer. A suitable PV
    is Available: the controller has seen it and nobody owns it. Only the scheduler looks at node
    affinity.
    Source: pv_helpers.go, FindMatchingVolume.
    """
    pvs = list(pvs)
    if reserved := [pv for pv in pvs if pv.belongs_to(pvc) and _has_room(pv, pvc)]:
        return Match(reserved, frozenset({RESERVED_TWICE} if len(reserved) > 1 else ()))
    if waits_for_first_consumer(state, pvc):
        return Match([])
    suitable = [pv for pv in pvs if suits(pv, pvc)]
    size = min((pv.size for pv in suitable), default=0)
    smallest = [pv for pv in suitable if pv.size == size]
    return Match(smallest, frozenset({SAME_SIZE} if len(smallest) > 1 else ()))


def suits(pv: StoredPv, pvc: StoredPvc) -> bool:
    """Return whether a PVC that names no PV could take this one, if it were the only one.

    Source: pv_helpers.go, FindMatchingVolume.
    """
    return next(misfits(pv, pvc), None) is None


def satisfies(pv: StoredPv, pvc: StoredPvc) -> bool:
    """Return whether a PV that the PVC names by volumeName will do: free, and fitting.

    The selector is ignored. Source: pv_controller.go, checkVolumeSatisfyClaim.
    """
    return all(misfit is Misfit.SELECTOR for misfit in misfits(pv, pvc))


def misfits(pv: StoredPv, pvc: StoredPvc) -> Iterator[Misfit]:
    """Yield what keeps a PVC from taking a PV; see `suits` and `satisfies`."""
    if pv.owner is not None:
        yield Misfit.TAKEN
    if pv.storage_class != pvc.storage_class:
        yield Misfit.CLASS
    yield from _too_little_room(pv, pvc)
    if not _has_modes(pv, pvc):
        yield Misfit.MODES
    selector = pvc.spec.selector
    if selector is not None and not selector.matches(pv.spec.labels):
        yield Misfit.SELECTOR


def waits_for_first_consumer(state: State, pvc: StoredPvc) -> bool:
    """Return whether the PVC's class leaves binding to the scheduler; a missing class does not.

    Source: pv_helpers.go, IsDelayBindingMode.
    """
    storage_class = state.storage_class(pvc.storage_class)
    return storage_class is not None and storage_class.wait_for_first_consumer


def _modes(pv: StoredPv) -> frozenset[str]:
    return frozenset(pv.spec.modes)


def _mode_names(pv: StoredPv) -> list[str]:
    return sorted(_modes(pv))


def _has_modes(pv: StoredPv, pvc: StoredPvc) -> bool:
    return _modes(pv) >= frozenset(pvc.spec.modes)


def _has_room(pv: StoredPv, pvc: StoredPvc) -> bool:
    return next(_too_little_room(pv, pvc), None) is None


def _too_little_room(pv: StoredPv, pvc: StoredPvc) -> Iterator[Misfit]:
    """Yield what is wrong unless it is large enough, of the same volumeMode, and not going.

    volumeMode is Filesystem if left out. Source: pv_helpers.go, FindMatchingVolume and
    CheckVolumeModeMismatches.
    """
    if pv.size < (pvc.spec.request or 0):
        yield Misfit.SIZE
    modes = {mode or VolumeMode.FILESYSTEM for mode in (pv.spec.volume_mode, pvc.spec.volume_mode)}
    if len(modes) > 1:
        yield Misfit.VOLUME_MODE
    if pv.deleting:
        yield Misfit.DELETING
