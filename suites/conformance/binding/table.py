"""A row of the table of binding rules: a claim, a scenario, what must come of it, and its twin."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from landfast.binding.model import (
    AccessMode,
    Class,
    Create,
    Delete,
    Object,
    Op,
    Outcome,
    Pv,
    Pvc,
    PvcPhase,
    PvcState,
    PvPhase,
    PvState,
    Reason,
    Requirement,
    Scenario,
    Selector,
)
from landfast.claims import Claim

RWO, ROX, RWX, RWOP = AccessMode.RWO, AccessMode.ROX, AccessMode.RWX, AccessMode.RWOP

Twin = Callable[[Scenario], Scenario]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A row of the table.

    Classes, volumes and claims are created in this order, each when the last have settled; `later`
    are stages after that. `twin` changes one input so that the expectation is wrong.
    `default_class`: the row needs the cluster's default classes for itself.
    """

    claim: Claim
    classes: Sequence[Class] = ()
    volumes: Sequence[Pv] = ()
    claims: Sequence[Pvc] = ()
    later: Sequence[Sequence[Object | Delete]] = ()

    binds: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """claims that are Bound, and to which volume, or to one of which"""
    pending: Mapping[str, Reason] = field(default_factory=dict)
    """claims that are Pending, and why"""
    lost: tuple[str, ...] = ()
    """claims that are Lost"""
    available: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """volumes that are Bound and marked for deletion"""
    gone: tuple[str, ...] = ()
    """volumes and claims that are not there any more"""
    refused: Mapping[str, str] = field(default_factory=dict)
    """objects that the API server refuses, and the field it names"""

    twin: Twin
    default_class: bool = False

    @property
    def scenario(self) -> Scenario:
        """What is done."""
        first: list[Sequence[Object | Delete]] = [self.classes, self.volumes, self.claims]
        stages = [*first, *self.later]
        return Scenario(tuple(tuple(_op(item) for item in stage) for stage in stages if stage))

    @property
    def twin_scenario(self) -> Scenario:
        """What is done with one input changed; the expectation does not hold for it."""
        return self.twin(self.scenario)

    def holds(self, outcome: Outcome) -> str | None:
        """Say in one sentence what differs from what is expected, None if nothing does."""
        differences = chain(
            self._refusals_differ(outcome),
            self._claims_differ(outcome),
            self._volumes_differ(outcome),
        )
        return next(differences, None)

    def _refusals_differ(self, seen: Outcome) -> Iterator[str]:
        fields: dict[str, set[str]] = {name: set() for name in self.refused}
        for refusal in sorted(seen.refused):
            fields.setdefault(refusal.name, set()).add(refusal.field)
        for name, named in fields.items():
            if named != {self.refused.get(name)}:
                wanted = self.refused.get(name, "nothing")
                yield f"{name} is refused for {', '.join(sorted(named)) or 'nothing'}, not {wanted}"

    def _claims_differ(self, seen: Outcome) -> Iterator[str]:
        for name, volumes in self.binds.items():
            pvc, wanted = seen.pvc(name), {volumes} if isinstance(volumes, str) else set(volumes)
            if pvc is None or pvc.phase != PvcPhase.BOUND or pvc.volume not in wanted:
                yield f"claim {name} is {_shown(pvc)}, not Bound to {' or '.join(sorted(wanted))}"
            elif (pv := seen.pv(pvc.volume)) is None or (pv.phase, pv.claim) != (
                PvPhase.BOUND,
                name,
            ):
                yield f"claim {name} is {_shown(pvc)}, but {pvc.volume} is {_shown(pv)}"
        phases = dict.fromkeys(self.pending, PvcPhase.PENDING)
        phases |= dict.fromkeys(self.lost, PvcPhase.LOST)
        for name, phase in phases.items():
            pvc = seen.pvc(name)
            if pvc is None or pvc.phase != phase:
                yield f"claim {name} is {_shown(pvc)}, not {phase}"

    def _volumes_differ(self, seen: Outcome) -> Iterator[str]:
        phases = dict.fromkeys(self.available, (PvPhase.AVAILABLE, False))
        phases |= dict.fromkeys(self.released, (PvPhase.RELEASED, False))
        phases |= dict.fromkeys(self.kept, (PvPhase.BOUND, True))
        for name, (phase, deleting) in phases.items():
            pv = seen.pv(name)
            if pv is None or (pv.phase, pv.deleting) != (phase, deleting):
                wanted = f"{phase} and marked for deletion" if deleting else phase
                yield f"volume {name} is {_shown(pv)}, not {wanted}"
        for name in self.gone:
            if found := seen.pv(name) or seen.pvc(name):
                yield f"{name} is still there, {_shown(found)}"


def _op(item: Object | Delete) -> Op:
    return item if isinstance(item, Delete) else Create(item)


def _shown(seen: PvState | PvcState | None) -> str:
    if seen is None:
        return "not there"
    other = seen.claim if isinstance(seen, PvState) else seen.volume
    deleting = isinstance(seen, PvState) and seen.deleting
    to = f" (with {other})" if other else ""
    return f"{seen.phase}{to}{' and marked for deletion' if deleting else ''}"


def claim(name: str, text: str, source: str) -> Claim:
    """Give the claim of a row."""
    return Claim(id=f"binding.{name}", text=text, source=source)


def pv(
    name: str,
    capacity: int | None,
    *modes: str,
    cls: str | None = "x",
    labels: Mapping[str, str] | None = None,
    **others: Any,
) -> Pv:
    """Give a volume, ReadWriteOnce unless modes are given; its class "x" is an object nowhere."""
    pairs = tuple((labels or {}).items())
    return Pv(name, capacity, modes or (RWO,), cls, labels=pairs, **others)


def pvc(
    name: str,
    request: int | None,
    *modes: str,
    cls: str | None = "x",
    select: Selector | None = None,
    **others: Any,
) -> Pvc:
    """Give a claim, ReadWriteOnce unless modes are given, of the class "x"."""
    return Pvc(name, request, modes or (RWO,), cls, selector=select, **others)


def where(key: str, operator: str, *values: str) -> Selector:
    """Give a selector of one requirement."""
    return Selector(requirements=(Requirement(key, operator, values),))


def labelled(**labels: str) -> Selector:
    """Give a selector of labels alone."""
    return Selector(labels=tuple(labels.items()))


def change(name: str, **fields: Any) -> Twin:
    """The twin in which the object of that name is created with other fields."""
    return _each(
        lambda op: (
            Create(replace(op.obj, **fields))
            if isinstance(op, Create) and op.obj.name == name
            else op
        )
    )


def without(dropped: Delete) -> Twin:
    """The twin in which something is not deleted."""
    return _each(lambda op: None if op == dropped else op)


def forced(delete: Delete) -> Twin:
    """The twin in which something is deleted without regard to its finalizers."""
    return _each(lambda op: replace(delete, force=True) if op == delete else op)


def _each(changed: Callable[[Op], Op | None]) -> Twin:
    def twin(scenario: Scenario) -> Scenario:
        stages = ([changed(op) for op in stage] for stage in scenario.stages)
        left = (tuple(op for op in stage if op) for stage in stages)
        return Scenario(tuple(stage for stage in left if stage))

    return twin
