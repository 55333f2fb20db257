"""The volumes that an unbound PVC could take, found without looking at every volume."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from landfast.audit.objects import PvcObject, PvObject
from landfast.binding.matching import suits
from landfast.binding.model import Pv, Pvc, PvPhase
from landfast.binding.state import Owner, Stamp, StoredPv, StoredPvc

_AVAILABLE = ("", "Available")


@dataclass
class _Sized:
    """Volumes of one class, volume mode and set of access modes, the smallest first."""

    sizes: list[int] = field(default_factory=list)
    volumes: list[tuple[int, PvObject]] = field(default_factory=list)


_Key = tuple[str, str]  # the class, and the volume mode


class FreeVolumes:
    """The volumes that nobody has, by what binding compares."""

    def __init__(self, pvs: Iterable[PvObject]) -> None:
        sized: dict[_Key, dict[frozenset[str], list[tuple[int, int, PvObject]]]]
        sized = defaultdict(lambda: defaultdict(list))
        self._labelled: dict[tuple[_Key, tuple[str, str]], list[tuple[PvObject, StoredPv]]]
        self._labelled = defaultdict(list)
        self._all: dict[_Key, list[tuple[PvObject, StoredPv]]] = defaultdict(list)
        for number, pv in enumerate(pvs):
            if pv.status.phase not in _AVAILABLE:
                continue
            stored = stored_pv(pv)
            if stored.owner is not None or stored.deleting:
                continue
            key = (pv.storage_class, pv.spec.volume_mode)
            self._all[key].append((pv, stored))
            for label in pv.metadata.labels.items():
                self._labelled[key, label].append((pv, stored))
            modes = frozenset(pv.spec.access_modes)
            sized[key][modes].append((stored.size, number, pv))
        self._sized: dict[_Key, dict[frozenset[str], _Sized]] = {}
        for key, by_modes in sized.items():
            self._sized[key] = {}
            for modes, found in by_modes.items():
                found.sort(key=lambda one: one[:2])
                volumes = [(number, pv) for _, number, pv in found]
                self._sized[key][modes] = _Sized([size for size, _, _ in found], volumes)

    def fitting(self, pvc: PvcObject, storage_class: str) -> list[PvObject]:
        """Return the volumes that a PVC could take, each considered alone, in their order."""
        wanted = stored_pvc(pvc, storage_class)
        key = (storage_class, pvc.spec.volume_mode)
        selector = wanted.spec.selector
        if selector is not None and selector != type(selector)():
            labels = selector.labels
            chosen = self._labelled.get((key, labels[0]), []) if labels else self._all.get(key, [])
            return [pv for pv, stored in chosen if suits(stored, wanted)]
        found: list[tuple[int, PvObject]] = []
        modes = frozenset(pvc.spec.access_modes)
        for has, of_modes in self._sized.get(key, {}).items():
            if has >= modes:
                found += of_modes.volumes[bisect_left(of_modes.sizes, wanted.spec.request or 0) :]
        return [pv for _, pv in sorted(found, key=lambda one: one[0])]


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
