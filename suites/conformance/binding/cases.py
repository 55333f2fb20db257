"""Binding cases for hypothesis to draw: small, and likely to be where rules meet.

Sizes are close together, access modes contain each other, most objects share one class, PVCs and
PVs name each other, and what was deleted comes back under its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from hypothesis import strategies as st

from landfast.binding.model import (
    BindingCase,
    Class,
    Create,
    Delete,
    Labels,
    Object,
    Op,
    Pv,
    Pvc,
    Requirement,
    Selector,
    VolumeMode,
)
from suites.conformance.binding.table import ROX, RWO, RWOP, RWX

T = TypeVar("T")

MOST_OF_A_KIND = 4
LAST_STAGE = 2  # stages of classes are additional

_HAD_SIZES = [2, 1, 3]
_ASKED_SIZES = [1, 2, 1, 2, 3]
_WRONG_SIZES = [0]
_CLASSES = ["x", "y", ""]
_VOLUME_MODES = [None, VolumeMode.FILESYSTEM, VolumeMode.BLOCK]
_LABELS: list[Labels] = [(("tier", "gold"),), (("tier", "iron"),), ()]
_SELECTORS = [
    Selector((("tier", "gold"),)),
    Selector(requirements=(Requirement("tier", "In", ("gold", "iron")),)),
    Selector(requirements=(Requirement("tier", "NotIn", ("gold",)),)),
    Selector(requirements=(Requirement("tier", "Exists"),)),
    Selector((("tier", "gold"),), (Requirement("site", "DoesNotExist"),)),
]
_WRONG_SELECTOR = Selector(requirements=(Requirement("tier", "In"),))
_HAD_MODES = [(RWO,), (RWO, RWX), (RWX,), (RWO, ROX), (RWO, ROX, RWX), (RWO, RWX), (RWOP,)]
_ASKED_MODES = [(RWO,)] * 5 + [(RWX,)] * 2 + [(RWO, RWX), (RWOP,)]
_WRONG_MODES = [(), (RWO, RWOP)]


class Trait(Enum):
    """How the objects of a case differ besides size and access modes.

    A case has only a few traits: where everything differs, nothing binds.
    """

    CLASS = auto()
    CLAIM_REF = auto()
    VOLUME_NAME = auto()
    LABELS = auto()
    VOLUME_MODE = auto()
    RESTORED = auto()
    AFFINITY = auto()
    WRONG = auto()


Traits = frozenset[Trait]


def cases() -> st.SearchStrategy[BindingCase]:
    """Draw cases that the cluster's default classes do not affect."""
    return _cases(with_defaults=False)


def default_class_cases() -> st.SearchStrategy[BindingCase]:
    """Draw cases with PVCs that name no class, most of them with default classes."""
    return _cases(with_defaults=True)


@dataclass(frozen=True)
class _Life:
    """An object, the stages in which it is created and deleted, and whether it comes back."""

    obj: Object
    born: int
    dies: int | None
    force: bool
    comes_back: bool


@st.composite
def _cases(draw: st.DrawFn, *, with_defaults: bool) -> BindingCase:
    classes = draw(_classes(with_defaults=with_defaults))
    defaults = [cls.name for cls in classes if cls.default]
    home = draw(st.sampled_from([*defaults, *defaults, *_CLASSES]))
    traits = draw(st.frozensets(st.sampled_from(Trait), max_size=2))
    apart = draw(st.booleans())  # PVs exist before any PVC: mostly one outcome
    pvs = draw(st.integers(1, MOST_OF_A_KIND))
    pvcs = draw(st.integers(1, MOST_OF_A_KIND))
    first_pvc = 1 if apart else 0
    last_pv = 0 if apart else LAST_STAGE
    lives = [draw(_life(_pv(f"v{n}", home, traits), range(last_pv + 1))) for n in range(pvs)]
    asked = None if with_defaults else home
    pvc_stages = range(first_pvc, LAST_STAGE + 1)
    lives += [draw(_life(_pvc(f"c{n}", asked, traits), pvc_stages)) for n in range(pvcs)]
    late = draw(st.integers(0, len(classes)))
    stages: list[list[Op]] = [
        _created(classes[late:]),
        draw(_stage(lives, 0)),
        _created(classes[:late]),
        *(draw(_stage(lives, number)) for number in range(1, LAST_STAGE + 1)),
    ]
    return BindingCase(tuple(tuple(stage) for stage in stages if stage))


@st.composite
def _life(draw: st.DrawFn, objects: st.SearchStrategy[Object], stages: range) -> _Life:
    obj = draw(objects)
    born = draw(_mostly(*stages))
    dies = draw(_mostly(None, *range(born + 1, LAST_STAGE + 1)))
    comes_back = dies is not None and dies < LAST_STAGE and draw(st.booleans())
    force = dies is not None and isinstance(obj, Pv) and draw(_mostly(False, True))
    return _Life(obj, born, dies, force, comes_back)


@st.composite
def _stage(draw: st.DrawFn, lives: list[_Life], number: int) -> list[Op]:
    """Delete what dies, then create, PVs or PVCs first."""
    deleted: list[Op] = [
        Delete(life.obj.kind, life.obj.name, force=life.force)
        for life in lives
        if life.dies == number
    ]
    born = [life.obj for life in lives if life.born == number]
    born += [life.obj for life in lives if life.comes_back and life.dies == number - 1]
    pvcs_first = draw(st.booleans())
    return deleted + _created(sorted(born, key=lambda obj: isinstance(obj, Pv) == pvcs_first))


def _created(objects: Sequence[Object]) -> list[Op]:
    return [Create(obj) for obj in objects]


@st.composite
def _classes(draw: st.DrawFn, *, with_defaults: bool) -> list[Class]:
    return [
        Class(
            name,
            default=with_defaults and draw(_mostly(True, False)),
            wait_for_first_consumer=draw(_mostly(False, True)),
        )
        for name in draw(st.sampled_from([[], ["x"], ["x"], ["x"], ["x", "y"], ["y", "x"]]))
    ]


@st.composite
def _pv(draw: st.DrawFn, name: str, home: str, traits: Traits) -> Pv:
    wrong = Trait.WRONG in traits
    return Pv(
        name,
        capacity=draw(st.sampled_from(_HAD_SIZES + _WRONG_SIZES * wrong)),
        modes=draw(st.sampled_from(_HAD_MODES + _WRONG_MODES * wrong)),
        storage_class=draw(_mostly(home, *_CLASSES)) if Trait.CLASS in traits else home,
        volume_mode=draw(st.sampled_from(_VOLUME_MODES)) if Trait.VOLUME_MODE in traits else None,
        labels=draw(st.sampled_from(_LABELS)) if Trait.LABELS in traits else (),
        claim_ref=draw(st.sampled_from([None, "c0", "c1"])) if Trait.CLAIM_REF in traits else None,
        nodes=draw(st.sampled_from([None, ("nowhere",)])) if Trait.AFFINITY in traits else None,
    )


@st.composite
def _pvc(draw: st.DrawFn, name: str, home: str | None, traits: Traits) -> Pvc:
    wrong = Trait.WRONG in traits
    named = Trait.VOLUME_NAME in traits or Trait.RESTORED in traits
    selectors = [None, *_SELECTORS, *[_WRONG_SELECTOR] * wrong]
    return Pvc(
        name,
        request=draw(st.sampled_from(_ASKED_SIZES + _WRONG_SIZES * wrong)),
        modes=draw(st.sampled_from(_ASKED_MODES + _WRONG_MODES * wrong)),
        storage_class=draw(_mostly(home, *_CLASSES)) if Trait.CLASS in traits else home,
        volume_mode=draw(st.sampled_from(_VOLUME_MODES)) if Trait.VOLUME_MODE in traits else None,
        selector=draw(st.sampled_from(selectors)) if Trait.LABELS in traits else None,
        volume=draw(st.sampled_from([None, "v0", "v1", "missing"])) if named else None,
        completed=Trait.RESTORED in traits and draw(st.booleans()),
    )


def _mostly(usual: T, *others: T) -> st.SearchStrategy[T]:
    """Draw the usual value twice as often as one of the others; it is the simplest, too."""
    return st.sampled_from([usual] * max(1, 2 * len(others)) + list(others))
