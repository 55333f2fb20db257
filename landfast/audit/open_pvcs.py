"""The PVCs whose volume Kubernetes has yet to choose, found by the volume that they could take."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from landfast.audit.free_volumes import SHOWN, Some, is_free, stored_pv, stored_pvc
from landfast.audit.objects import PvcObject, PvObject
from landfast.binding.model import Selector

_Key = tuple[str, str]  # the class, and the volume mode


class _Shape(NamedTuple):
    """What PVCs ask for besides a size; `explicit` says that they name the class."""

    key: _Key
    modes: frozenset[str]
    selector: Selector | None
    explicit: bool


@dataclass
class _Alike:
    """PVCs that differ in what they request, the smallest first."""

    shape: _Shape
    requests: list[int]
    pvcs: list[PvcObject]


class OpenPvcs:
    """PVCs by what binding compares."""

    def __init__(self, pvcs: Iterable[tuple[PvcObject, str]]) -> None:
        """Index PVCs, each with the name of the class that counts for it."""
        alike: dict[_Shape, list[tuple[int, int, PvcObject]]] = defaultdict(list)
        for number, (pvc, storage_class) in enumerate(pvcs):
            stored = stored_pvc(pvc, storage_class)
            key = (storage_class, pvc.spec.volume_mode)
            modes, explicit = frozenset(pvc.spec.access_modes), pvc.storage_class is not None
            shape = _Shape(key, modes, stored.spec.selector, explicit)
            alike[shape].append((stored.spec.request or 0, number, pvc))
        self._plain: dict[_Key, list[_Alike]] = defaultdict(list)
        self._labelled: dict[tuple[_Key, tuple[str, str]], list[_Alike]] = defaultdict(list)
        for shape, found in alike.items():
            found.sort(key=lambda one: one[:2])
            group = _Alike(shape, [size for size, _, _ in found], [pvc for _, _, pvc in found])
            if shape.selector and shape.selector.labels:
                self._labelled[shape.key, shape.selector.labels[0]].append(group)
            else:
                self._plain[shape.key].append(group)

    def takers(self, pv: PvObject, *, explicit: bool = False) -> Some[PvcObject]:
        """Return the PVCs that could take a volume; only those that name a class if `explicit`."""
        count = 0
        first: list[PvcObject] = []
        stored = stored_pv(pv)
        modes = frozenset(pv.spec.access_modes)
        for group in self._groups(pv) if is_free(pv) else ():
            _, wanted, selector, named = group.shape
            if not wanted <= modes or (explicit and not named):
                continue
            if selector is None or selector.matches(stored.spec.labels):
                fitting = bisect_right(group.requests, stored.size)
                count += fitting
                first += group.pvcs[: min(fitting, SHOWN - len(first))]
        return Some(count, tuple(first))

    def _groups(self, pv: PvObject) -> Iterator[_Alike]:
        key = (pv.storage_class, pv.spec.volume_mode)
        yield from self._plain.get(key, ())
        for label in pv.metadata.labels.items():
            yield from self._labelled.get((key, label), ())
