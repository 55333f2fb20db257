"""The oracle: from a scenario to every outcome that Kubernetes' rules allow.

Operations, the controllers' looks at volumes and claims, and finalizers' removal may follow each
other in many orders. The oracle goes through all of them, so what the source leaves open comes out
as more than one outcome. Fixed is only this: operations keep their order, and claims are first
looked at in the order of their creation, as one worker takes them from one queue. Claims that are
still Pending are looked at again at any time and in any order: the controller lists them from a map
(pv_controller_base.go, resync). The controller's cache may still have a volume that is deleted
already: the write to it is refused, and the claim comes back after others (claimWorker).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from landfast.binding import api
from landfast.binding.controller import (
    protect_claim,
    protect_volume,
    sync_claim,
    sync_volume,
    why_pending,
)
from landfast.binding.model import (
    Create,
    Delete,
    Expected,
    Op,
    Outcome,
    PvcState,
    PvState,
    Scenario,
)
from landfast.binding.state import Claim, Moment, State, Volume

SAME_SECOND = "default classes made one after the other may have one creationTimestamp, or two"
ORDER = "inside a stage it is not determined what the controller looks at first"

Choice = Callable[[list[State]], list[State]]


def expect(scenario: Scenario) -> Expected:
    """Give the outcomes that the rules allow for the scenario.

    Raises:
        ValueError: a stage mixes what a stage must not mix (see `Scenario`).
    """
    for stage in scenario.stages:
        _check(stage)
    allowed, ties = _explore(scenario, lambda states: states)
    if len(allowed) == 1:
        return Expected(allowed)
    if len(_explore(scenario, lambda states: states[:1])[0]) > 1:
        ties = ties | {ORDER}
    return Expected(allowed, "; ".join(sorted(ties)))


def _explore(scenario: Scenario, choose: Choice) -> tuple[frozenset[Outcome], frozenset[str]]:
    """Give every outcome that is reached, and the ties that were met on the way."""
    states, ties = {State()}, frozenset[str]()
    for number, ops in enumerate(scenario.stages):
        stage = _Stage(number, ops, choose)
        states = {settled for state in states for settled in stage.settle(state)}
        ties |= stage.ties
    return frozenset(outcome(state) for state in states), ties


class _Stage:
    """The ways through one stage; `ties` are those that were met."""

    def __init__(self, number: int, ops: tuple[Op, ...], choose: Choice) -> None:
        self._number, self._ops, self._choose = number, ops, choose
        self._deleted = {op.name for op in ops if isinstance(op, Delete) and op.kind == "pv"}
        self._stale: tuple[Volume, ...] = ()
        self.ties: frozenset[str] = frozenset()

    def settle(self, state: State) -> set[State]:
        """Give the states in which every operation is done and no look changes anything."""
        self._stale = tuple(v for v in state.volumes if v.pv.name in self._deleted)
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
        """What may come next: an operation, or one step of a controller.

        A creation that nothing is in the way of is done at once: until the controller has seen the
        new object it changes nothing, so it need not be tried at every later moment, too.
        """
        if done < len(self._ops):
            op = self._ops[done]
            applied = list(api.apply(state, op, Moment(self._number, done)))
            if len(applied) > 1:
                self.ties |= {SAME_SECOND}
            yield from ((after, done + 1) for after in self._choose(applied))
            if isinstance(op, Create) and not api.taken(state, op):
                return
        yield from ((after, done) for after in self._steps(state))

    def _steps(self, state: State) -> Iterator[State]:
        for volume in state.volumes:
            yield from _changed(state, protect_volume(state, volume))
            yield from _changed(state, sync_volume(state, volume))
        for claim in state.claims:
            yield from _changed(state, protect_claim(state, claim))
            if claim.uid not in state.fresh:
                yield from _changed(state, *self._look(state, claim))
            elif claim.uid == state.fresh[0]:
                looked = replace(state, fresh=state.fresh[1:])
                yield from self._look(looked, claim)
                if self._may_take_a_deleted_volume(looked, claim):
                    yield looked

    def _may_take_a_deleted_volume(self, state: State, claim: Claim) -> bool:
        """Whether the claim may get a volume that is deleted, if that is still in the cache."""
        others = tuple(v for v in state.volumes if v.pv.name not in self._deleted)
        before = replace(state, volumes=(*others, *self._stale))
        after = (look.claim(claim.pvc.name) for look in sync_claim(before, claim).states)
        return bool(self._stale) and any(c is not None and c.volume in self._deleted for c in after)

    def _look(self, state: State, claim: Claim) -> list[State]:
        look = sync_claim(state, claim)
        self.ties |= look.ties
        return self._choose(look.states)


def _changed(before: State, *after: State) -> Iterator[State]:
    return (state for state in after if state != before)


def outcome(state: State) -> Outcome:
    """Give what can be seen of a settled state."""
    return Outcome(
        frozenset(
            PvState(v.pv.name, v.phase, v.owner.name if v.owner else None, v.deleting)
            for v in state.volumes
            if v.phase is not None
        ),
        frozenset(
            PvcState(c.pvc.name, c.phase, c.volume, why_pending(state, c)) for c in state.claims
        ),
        state.refused,
    )


def _check(stage: tuple[Op, ...]) -> None:
    created = {(api.kind_of(op.obj), op.obj.name) for op in stage if isinstance(op, Create)}
    deleted = {(op.kind, op.name) for op in stage if isinstance(op, Delete)}
    for kind, name in sorted(created & deleted):
        raise ValueError(f"one stage deletes the {kind} {name} and creates it; take two")
    kinds = {kind for kind, _ in created | deleted}
    if "class" in kinds and len(kinds) > 1:
        raise ValueError("a stage has classes and other objects; give classes their own")
