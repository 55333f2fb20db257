"""What holds of the oracle whatever the scenario."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from landfast.binding.model import (
    Create,
    Object,
    Op,
    Outcome,
    Pv,
    Pvc,
    PvcPhase,
    PvPhase,
    PvState,
    Scenario,
)
from landfast.binding.oracle import expect
from suites.conformance.binding.scenarios import default_class_scenarios, scenarios

ANY = st.one_of(scenarios(), default_class_scenarios())
some = settings(max_examples=60, deadline=None, database=None, derandomize=True)


@some
@given(ANY)
def test_something_is_allowed_and_several_outcomes_have_a_reason(scenario: Scenario) -> None:
    expected = expect(scenario)
    assert expected.allowed
    assert bool(expected.undetermined) == (len(expected.allowed) > 1)


@some
@given(ANY)
def test_no_volume_has_two_claims(scenario: Scenario) -> None:
    for outcome in expect(scenario).allowed:
        bound = Counter(pvc.volume for pvc in outcome.pvcs if pvc.phase == PvcPhase.BOUND)
        assert max(bound.values(), default=1) == 1


@some
@given(ANY)
def test_bound_claims_and_bound_volumes_are_pairs(scenario: Scenario) -> None:
    for outcome in expect(scenario).allowed:
        claims = {(c.name, c.volume) for c in outcome.pvcs if c.phase == PvcPhase.BOUND}
        volumes = {(v.claim, v.name) for v in outcome.pvs if v.phase == PvPhase.BOUND}
        assert claims == volumes


@some
@given(ANY)
def test_only_what_is_bound_survives_its_deletion(scenario: Scenario) -> None:
    for outcome in expect(scenario).allowed:
        assert all(v.phase == PvPhase.BOUND for v in outcome.pvs if v.deleting)


@some
@given(ANY)
def test_pending_claims_have_a_reason_and_no_others_do(scenario: Scenario) -> None:
    for outcome in expect(scenario).allowed:
        assert all((c.reason is not None) == (c.phase == PvcPhase.PENDING) for c in outcome.pvcs)


@some
@given(ANY)
def test_settling_once_more_changes_nothing(scenario: Scenario) -> None:
    assert expect(Scenario((*scenario.stages, ()))) == expect(scenario)


@some
@given(scenarios(), st.permutations(["p", "q", "r", "s", "t"]), st.permutations("klmno"))
def test_names_do_not_matter(scenario: Scenario, pvs: list[str], pvcs: list[str]) -> None:
    """Where two default classes are of one second they do: those are left out."""
    volumes = dict(zip(["v0", "v1", "v2", "v3", "missing"], pvs, strict=True))
    claims = dict(zip(["c0", "c1", "c2", "c3", "c4"], pvcs, strict=True))
    renamed = Scenario(
        tuple(tuple(_renamed_op(op, volumes, claims) for op in s) for s in scenario.stages)
    )
    expected = {_renamed_outcome(o, volumes, claims) for o in expect(scenario).allowed}
    assert expect(renamed).allowed == expected


@some
@given(ANY)
def test_an_unrelated_volume_and_claim_change_nothing(scenario: Scenario) -> None:
    strangers = (
        Create(Pv("stranger", 9, storage_class="strange", labels=(("who", "else"),))),
        Create(Pvc("stranger", 9, storage_class="other")),
    )
    allowed = expect(Scenario((strangers, *scenario.stages))).allowed
    assert {o.pv("stranger") for o in allowed} == {PvState("stranger", PvPhase.AVAILABLE)}
    assert {_without_strangers(o) for o in allowed} == expect(scenario).allowed


def _renamed(obj: Object, volumes: Mapping[str, str], claims: Mapping[str, str]) -> Object:
    if isinstance(obj, Pv):
        return replace(obj, name=volumes[obj.name], claim=claims.get(obj.claim or ""))
    if isinstance(obj, Pvc):
        return replace(obj, name=claims[obj.name], volume=volumes.get(obj.volume or ""))
    return obj


def _renamed_op(op: Op, volumes: Mapping[str, str], claims: Mapping[str, str]) -> Op:
    if isinstance(op, Create):
        return Create(_renamed(op.obj, volumes, claims))
    return replace(op, name=(volumes if op.kind == "pv" else claims)[op.name])


def _renamed_outcome(
    outcome: Outcome, volumes: Mapping[str, str], claims: Mapping[str, str]
) -> Outcome:
    names = {"pv": volumes, "pvc": claims}
    return Outcome(
        frozenset(
            replace(v, name=volumes[v.name], claim=claims.get(v.claim or "")) for v in outcome.pvs
        ),
        frozenset(
            replace(c, name=claims[c.name], volume=volumes.get(c.volume or ""))
            for c in outcome.pvcs
        ),
        frozenset(replace(r, name=names[r.kind][r.name]) for r in outcome.refused),
    )


def _without_strangers(outcome: Outcome) -> Outcome:
    return replace(
        outcome,
        pvs=frozenset(v for v in outcome.pvs if v.name != "stranger"),
        pvcs=frozenset(c for c in outcome.pvcs if c.name != "stranger"),
    )
