"""A row of the table of binding rules: a claim, a binding case, how it must end, and its twin."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from landfast.binding.model import (
    AccessMode,
    BindingCase,
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
    Selector,
)
from landfast.claims import Claim

RWO, ROX, RWX, RWOP = AccessMode.RWO, AccessMode.ROX, AccessMode.RWX, AccessMode.RWOP

Twin = Callable[[BindingCase], BindingCase]
Check = Callable[[Outcome], Iterator[str]]
"""Says in a sentence each what is not as expected."""


@dataclass(frozen=True)
class BindingRule:
    """A row of the table.

    The classes, PVs and PVCs of `given` are created in this order, each kind once the one before
    has settled; `later` are stages after that. `ends` is what must come of it, `refused` what the
    API server must refuse, and for which field. `twin` changes one input so that the row fails.
    """

    name: str
    text: str
    source: str
    given: Sequence[Object]
    later: Sequence[Sequence[Object | Delete]] = ()
    ends: Sequence[Check] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    twin: Twin = field(kw_only=True)

    @property
    def claim(self) -> Claim:
        return Claim(id=f"binding.{self.name}", text=self.text, source=self.source)

    @property
    def case(self) -> BindingCase:
        kinds = [[obj for obj in self.given if isinstance(obj, k)] for k in (Class, Pv, Pvc)]
        return BindingCase.of(*filter(None, [*kinds, *self.later]))

    @property
    def twin_case(self) -> BindingCase:
        """What is done with one input changed, so that it ends differently."""
        return self.twin(self.case)

    @property
    def default_class(self) -> bool:
        """Whether the row, or its twin, needs the cluster's default classes for itself."""
        return self.case.uses_default_class or self.twin_case.uses_default_class

    def difference(self, outcome: Outcome) -> str | None:
        """Return what is not as expected, in one sentence; None if everything is."""
        found = (text for check in (self._refusals, *self.ends) for text in check(outcome))
        return next(found, None)

    def _refusals(self, outcome: Outcome) -> Iterator[str]:
        fields: dict[str, set[str]] = {name: set() for name in self.refused}
        for refusal in sorted(outcome.refused):
            fields.setdefault(refusal.name, set()).add(refusal.field)
        for name, named in fields.items():
            if named != {self.refused.get(name)}:
                wanted = self.refused.get(name, "nothing")
                yield f"{name} is refused for {', '.join(sorted(named)) or 'nothing'}, not {wanted}"


# --- how a row ends


def bound(name: str, *pvs: str) -> Check:
    """Check that a PVC is Bound to the PV, or to one of several, and that PV to the PVC."""

    def check(outcome: Outcome) -> Iterator[str]:
        pvc = outcome.pvc(name)
        if pvc is None or pvc.phase != PvcPhase.BOUND or pvc.volume not in pvs:
            yield f"PVC {name} is {_shown(pvc)}, not Bound to {' or '.join(pvs)}"
        elif (pv := outcome.pv(pvc.volume)) is None or (pv.phase, pv.claim_ref) != (
            PvPhase.BOUND,
            name,
        ):
            yield f"PVC {name} is {_shown(pvc)}, but PV {pvc.volume} is {_shown(pv)}"

    return check


def pending(name: str, reason: Reason) -> Check:
    """Check that a PVC is Pending, and for this reason where the outcome has one."""

    def check(outcome: Outcome) -> Iterator[str]:
        pvc = outcome.pvc(name)
        if pvc is None or pvc.phase != PvcPhase.PENDING:
            yield f"PVC {name} is {_shown(pvc)}, not Pending"
        elif pvc.reason not in (None, reason):
            yield f"PVC {name} is Pending because of {pvc.reason}, not of {reason}"

    return check


def lost(name: str) -> Check:
    def check(outcome: Outcome) -> Iterator[str]:
        pvc = outcome.pvc(name)
        if pvc is None or pvc.phase != PvcPhase.LOST:
            yield f"PVC {name} is {_shown(pvc)}, not Lost"

    return check


def available(*names: str) -> Check:
    return _each_pv(names, PvPhase.AVAILABLE)


def released(*names: str) -> Check:
    return _each_pv(names, PvPhase.RELEASED)


def kept(*names: str) -> Check:
    """Check that PVs are Bound and marked for deletion."""
    return _each_pv(names, PvPhase.BOUND, deleting=True)


def gone(*names: str) -> Check:
    """Check that neither a PV nor a PVC of these names exists."""

    def check(outcome: Outcome) -> Iterator[str]:
        for name in names:
            if found := outcome.pv(name) or outcome.pvc(name):
                yield f"{name} still exists, {_shown(found)}"

    return check


def _each_pv(names: Sequence[str], phase: PvPhase, *, deleting: bool = False) -> Check:
    def check(outcome: Outcome) -> Iterator[str]:
        for name in names:
            pv = outcome.pv(name)
            if pv is None or (pv.phase, pv.deleting) != (phase, deleting):
                wanted = f"{phase} and marked for deletion" if deleting else phase
                yield f"PV {name} is {_shown(pv)}, not {wanted}"

    return check


def _shown(state: PvState | PvcState | None) -> str:
    if state is None:
        return "missing"
    other = state.claim_ref if isinstance(state, PvState) else state.volume
    deleting = isinstance(state, PvState) and state.deleting
    with_ = f" (with {other})" if other else ""
    return f"{state.phase}{with_}{' and marked for deletion' if deleting else ''}"


# --- what a row is given


def pv(
    name: str,
    capacity: int | None,
    *modes: str,
    cls: str | None = "x",
    labels: Mapping[str, str] | None = None,
    **others: Any,
) -> Pv:
    """Return a PV of the class "x", ReadWriteOnce unless modes are given."""
    others = {"modes": modes or (RWO,), "labels": tuple((labels or {}).items()), **others}
    return Pv(name, capacity, storage_class=cls, **others)


def pvc(
    name: str,
    request: int | None,
    *modes: str,
    cls: str | None = "x",
    select: Selector | None = None,
    **others: Any,
) -> Pvc:
    """Return a PVC of the class "x", ReadWriteOnce unless modes are given."""
    others = {"modes": modes or (RWO,), "selector": select, **others}
    return Pvc(name, request, storage_class=cls, **others)


def where(key: str, operator: str, *values: str) -> Selector:
    return Selector(requirements=(Requirement(key, operator, values),))


def labelled(**labels: str) -> Selector:
    return Selector(labels=tuple(labels.items()))


# --- what its twin has changed


def change(name: str, **fields: Any) -> Twin:
    """Make the twin in which the object of that name is created with other fields."""
    return each_op(
        lambda op: (
            Create(replace(op.obj, **fields))
            if isinstance(op, Create) and op.obj.name == name
            else op
        )
    )


def without(dropped: Delete) -> Twin:
    """Make the twin in which something is not deleted."""
    return each_op(lambda op: None if op == dropped else op)


def forced(delete: Delete) -> Twin:
    """Make the twin in which something is deleted in spite of its finalizers."""
    return each_op(lambda op: replace(delete, force=True) if op == delete else op)


def each_op(changed: Callable[[Op], Op | None]) -> Twin:
    """Make the twin in which each operation is changed; None leaves it out."""

    def twin(case: BindingCase) -> BindingCase:
        stages = ([changed(op) for op in stage] for stage in case.stages)
        left = (tuple(op for op in stage if op) for stage in stages)
        return BindingCase(tuple(stage for stage in left if stage))

    return twin
