"""The volumes that an unbound PVC could take, found without looking at every volume."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from landfast.audit.objects import PvcObject, PvObject
from landfast.binding.matching import suits
from landfast.binding.model import Pv, Pvc, PvPhase
from landfast.binding.state import Owner, Stamp, StoredPv, StoredPvc

_AVAILABLE = ("", "Available")
SHOWN = 4
"""how many of many are told apart: one more than messages name, as one may be the object itself"""

T = TypeVar("T")


@dataclass(frozen=True)
class Some(Generic[T]):
    """How many there are, and the first few of them."""

    count: int
    first: tuple[T, ...]


_Key = tuple[str, str]  # the class, and the volume mode
_Volume = tuple[PvObject, StoredPv]


@dataclass
class _Sized:
    """Volumes of one key and one set of access modes, the smallest first."""

    sizes: list[int]
    volumes: list[PvObject]


class FreeVolumes:
    """The volumes that nobody has, by what binding compares."""

    def __init__(self, pvs: Iterable[PvObject]) -> None:
        self._all: dict[_Key, list[_Volume]] = defaultdict(list)
        self._labelled: dict[tuple[_Key, tuple[str, str]], list[_Volume]] = defaultdict(list)
        with_modes: dict[_Key, dict[frozenset[str], list[_Volume]]]
        with_modes = defaultdict(lambda: defaultdict(list))
        free = ((pv, stored_pv(pv)) for pv in pvs if is_free(pv))
        for pv, stored in sorted(free, key=lambda volume: volume[1].size):
            key = (pv.storage_class, pv.spec.volume_mode)
            self._all[key].append((pv, stored))
            for label in pv.metadata.labels.items():
                self._labelled[key, label].append((pv, stored))
            with_modes[key][frozenset(pv.spec.access_modes)].append((pv, stored))
        self._sized = {
            key: {
                modes: _Sized([stored.size for _, stored in found], [pv for pv, _ in found])
                for modes, found in by_modes.items()
            }
            for key, by_modes in with_modes.items()
        }

    def fitting(self, pvc: PvcObject, storage_class: str) -> list[PvObject]:
        """Return the volumes that a PVC could take, each considered alone.

        The smallest come first, which Kubernetes prefers among those of equal access modes.
        """
        key = (storage_class, pvc.spec.volume_mode)
        if key not in self._sized:
            return []
        wanted = stored_pvc(pvc, storage_class)
        selector = wanted.spec.selector
        if selector is not None:
            labels = selector.labels
            chosen = self._labelled.get((key, labels[0]), []) if labels else self._all.get(key, [])
            return [pv for pv, stored in chosen if suits(stored, wanted)]
        modes = frozenset(pvc.spec.access_modes)
        found: list[PvObject] = []
        for has, of_modes in self._sized.get(key, {}).items():
            if has >= modes:
                first = bisect_left(of_modes.sizes, wanted.spec.request or 0)
                found += of_modes.volumes[first:]
        return found

    def some(self, pvc: PvcObject, storage_class: str) -> Some[PvObject]:
        """Return how many volumes a PVC could take, and the first of those that it would get."""
        of_class = self._sized.get((storage_class, pvc.spec.volume_mode))
        if of_class is None:
            return Some(0, ())
        wanted = stored_pvc(pvc, storage_class)
        if wanted.spec.selector is not None:
            chosen = self.fitting(pvc, storage_class)
            return Some(len(chosen), tuple(chosen[:SHOWN]))
        count, modes = 0, frozenset(pvc.spec.access_modes)
        first: list[PvObject] = []
        for has in sorted(of_class, key=len):  # the fewest access modes win
            if has >= modes:
                sized = of_class[has]
                start = bisect_left(sized.sizes, wanted.spec.request or 0)
                count += len(sized.sizes) - start
                first += sized.volumes[start : start + SHOWN - len(first)]
        return Some(count, tuple(first))


def is_free(pv: PvObject) -> bool:
    """Whether nobody has a volume, and it is not reserved or going."""
    going = pv.metadata.deletion_timestamp is not None
    return pv.status.phase in _AVAILABLE and pv.spec.claim_ref is None and not going


def stored_pv(pv: PvObject) -> StoredPv:
    """Return the binding oracle's value for a PV, in bytes: only the order of sizes counts."""
    spec = Pv(
        pv.name,
        math.floor(pv.spec.capacity.get("storage", 0)),
        pv.spec.access_modes,
        pv.storage_class,
        pv.spec.volume_mode,
        labels=tuple(pv.metadata.labels.items()),
    )
    owner = Owner(pv.spec.claim_ref.name, None) if pv.spec.claim_ref else None
    deleting = pv.metadata.deletion_timestamp is not None
    return StoredPv(spec, owner, PvPhase.AVAILABLE, deleting=deleting)


def stored_pvc(pvc: PvcObject, storage_class: str) -> StoredPvc:
    """Return the binding oracle's value for a PVC, in bytes."""
    spec = Pvc(
        pvc.name,
        math.ceil(pvc.spec.resources.requests.get("storage", 0)),
        pvc.spec.access_modes,
        volume_mode=pvc.spec.volume_mode,
        selector=pvc.spec.selector.to_model() if pvc.spec.selector else None,
    )
    return StoredPvc(spec, Stamp(0, 0), storage_class)
