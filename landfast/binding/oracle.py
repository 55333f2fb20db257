"""The oracle: from a binding case to every outcome that Kubernetes' rules allow.

Operations, the controllers' looks at PVs and PVCs, and the removal of finalizers may follow each
other in many orders. The oracle tries all of them, so whatever the source leaves open becomes more
than one outcome. Only this is fixed: operations keep their order, and PVCs are first looked at in
order of creation, because one worker takes them from one queue. PVCs that are still Pending are
looked at again at any time and in any order, because the controller lists them from a map
(pv_controller_base.go, resync). The controller's cache may still hold a PV that is already deleted:
the write to it is refused, and the PVC returns to the queue behind others (claimWorker).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from landfast.binding import api
from landfast.binding.controller import protect_pv, protect_pvc, sync_pv, sync_pvc, why_pending
from landfast.binding.model import (
    BindingCase,
    Create,
    Delete,
    Expectation,
    Op,
    Outcome,
    PvcState,
    PvState,
)
from landfast.binding.state import Stamp, State, StoredPv, StoredPvc

SAME_SECOND = "successive default classes may have the same creationTimestamp or different ones"
ORDER = "inside a stage the order of the controllers' looks is not determined"

Choice = Callable[[list[State]], list[State]]


def expect(case: BindingCase) -> Expectation:
    """Return the outcomes that the rules allow for the case.

    Raises:
        ValueError: a stage mixes what it must not mix (see `BindingCase`).
    """
    for stage in case.stages:
        _check(stage)
    allowed, ties = _explore(case, lambda states: states)
    if len(allowed) == 1:
        return Expectation(allowed)
    if len(_explore(case, lambda states: states[:1])[0]) > 1:
        ties = ties | {ORDER}
    return Expectation(allowed, "; ".join(sorted(ties)))


def _explore(case: BindingCase, choose: Choice) -> tuple[frozenset[Outcome], frozenset[str]]:
    """Return every outcome that can be reached, and the ties met on the way."""
    states, ties = {State()}, frozenset[str]()
    for number, ops in enumerate(case.stages):
        stage = _Stage(number, ops, choose)
        states = {settled for state in states for settled in stage.settle(state)}
        ties |= stage.ties
    return frozenset(outcome(state) for state in states), ties


class _Stage:
    """The ways through one stage; `ties` are those that were met."""

    def __init__(self, number: int, ops: tuple[Op, ...], choose: Choice) -> None:
        self._number, self._ops, self._choose = number, ops, choose
        self._deleted = {op.name for op in ops if isinstance(op, Delete) and op.kind == "pv"}
        self._stale: tuple[StoredPv, ...] = ()
        self.ties: frozenset[str] = frozenset()

    def settle(self, state: State) -> set[State]:
        """Return the states in which every operation is done and no look changes anything."""
        self._stale = tuple(pv for pv in state.pvs if pv.spec.name in self._deleted)
        settled, to_do, seen = set(), [(state, 0)], set()
        while to_do:
            here = to_do.pop()
            if here in seen:
                continue
            seen.add(here)
            following = list(self._following(*here))
            to_do += following
            if not following:
                settled.add(here[0])
        return settled

    def _following(self, state: State, done: int) -> Iterator[tuple[State, int]]:
        """Yield what may come next: an operation, or one step of a controller.

        The creation of a name that is free is done at once: it changes nothing until the controller
        has seen the new object, so it need not be tried at every later moment.
        """
        if done < len(self._ops):
            op = self._ops[done]
            applied = list(api.apply(state, op, Stamp(self._number, done)))
            if len(applied) > 1:
                self.ties |= {SAME_SECOND}
            yield from ((after, done + 1) for after in self._choose(applied))
            if isinstance(op, Create) and not api.taken(state, op):
                return
        yield from ((after, done) for after in self._steps(state))

    def _steps(self, state: State) -> Iterator[State]:
        for pv in state.pvs:
            yield from _changed(state, protect_pv(state, pv))
            yield from _changed(state, sync_pv(state, pv))
        for pvc in state.pvcs:
            yield from _changed(state, protect_pvc(state, pvc))
            if pvc.uid not in state.fresh:
                yield from _changed(state, *self._look(state, pvc))
            elif pvc.uid == state.fresh[0]:
                looked = replace(state, fresh=state.fresh[1:])
                yield from self._look(looked, pvc)
                if self._may_take_a_deleted_pv(looked, pvc):
                    yield looked

    def _may_take_a_deleted_pv(self, state: State, pvc: StoredPvc) -> bool:
        """Return whether the PVC may choose a deleted PV, if that is still in the cache."""
        before = replace(state, pvs=(*state.pvs, *self._stale))
        after = (look.pvc(pvc.spec.name) for look in sync_pvc(before, pvc).states)
        return any(c is not None and c.volume in self._deleted for c in after)

    def _look(self, state: State, pvc: StoredPvc) -> list[State]:
        look = sync_pvc(state, pvc)
        self.ties |= look.ties
        return self._choose(look.states)


def _changed(before: State, *after: State) -> Iterator[State]:
    return (state for state in after if state != before)


def outcome(state: State) -> Outcome:
    """Return what can be seen of a settled state."""
    return Outcome(
        frozenset(
            PvState(pv.spec.name, pv.phase, pv.owner.name if pv.owner else None, pv.deleting)
            for pv in state.pvs
            if pv.phase is not None
        ),
        frozenset(
            PvcState(pvc.spec.name, pvc.phase, pvc.volume, why_pending(state, pvc))
            for pvc in state.pvcs
        ),
        state.refused,
    )


def _check(stage: tuple[Op, ...]) -> None:
    created = {(op.obj.kind, op.obj.name) for op in stage if isinstance(op, Create)}
    deleted = {(op.kind, op.name) for op in stage if isinstance(op, Delete)}
    for kind, name in sorted(created & deleted):
        raise ValueError(f"a stage deletes the {kind} {name} and creates it; use two stages")
    kinds = {kind for kind, _ in created | deleted}
    if "class" in kinds and len(kinds) > 1:
        raise ValueError("a stage mixes classes with other objects; give classes their own stage")
