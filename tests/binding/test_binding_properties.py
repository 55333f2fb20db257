"""What holds of the oracle for every binding case."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from landfast.binding.model import (
    BindingCase,
    Create,
    Object,
    Op,
    Outcome,
    Pv,
    Pvc,
    PvcPhase,
    PvPhase,
    PvState,
)
from landfast.binding.oracle import expect
from suites.conformance.binding.cases import cases, default_class_cases

ANY = st.one_of(cases(), default_class_cases())
some = settings(max_examples=60, deadline=None, database=None, derandomize=True)


@some
@given(ANY)
def test_something_is_allowed_and_several_outcomes_have_a_reason(case: BindingCase) -> None:
    expected = expect(case)
    assert expected.allowed
    assert bool(expected.undetermined) == (len(expected.allowed) > 1)


@some
@given(ANY)
def test_no_pv_has_two_pvcs(case: BindingCase) -> None:
    for outcome in expect(case).allowed:
        bound = Counter(pvc.volume for pvc in outcome.pvcs if pvc.phase == PvcPhase.BOUND)
        assert max(bound.values(), default=1) == 1


@some
@given(ANY)
def test_bound_pvcs_and_bound_pvs_are_pairs(case: BindingCase) -> None:
    for outcome in expect(case).allowed:
        pvcs = {(c.name, c.volume) for c in outcome.pvcs if c.phase == PvcPhase.BOUND}
        pvs = {(v.claim_ref, v.name) for v in outcome.pvs if v.phase == PvPhase.BOUND}
        assert pvcs == pvs


@some
@given(ANY)
def test_only_what_is_bound_survives_its_deletion(case: BindingCase) -> None:
    for outcome in expect(case).allowed:
        assert all(v.phase == PvPhase.BOUND for v in outcome.pvs if v.deleting)


@some
@given(ANY)
def test_pending_pvcs_have_a_reason_and_no_others_do(case: BindingCase) -> None:
    for outcome in expect(case).allowed:
        assert all((c.reason is not None) == (c.phase == PvcPhase.PENDING) for c in outcome.pvcs)


@some
@given(ANY)
def test_settling_once_more_changes_nothing(case: BindingCase) -> None:
    assert expect(BindingCase((*case.stages, ()))) == expect(case)


@some
@given(cases(), st.permutations(["p", "q", "r", "s", "t"]), st.permutations("klmno"))
def test_names_do_not_matter(case: BindingCase, new_pvs: list[str], new_pvcs: list[str]) -> None:
    """They do for two default classes of the same second, so those are left out."""
    pvs = dict(zip(["v0", "v1", "v2", "v3", "missing"], new_pvs, strict=True))
    pvcs = dict(zip(["c0", "c1", "c2", "c3", "c4"], new_pvcs, strict=True))
    renamed = BindingCase(tuple(tuple(_renamed_op(op, pvs, pvcs) for op in s) for s in case.stages))
    expected = {_renamed_outcome(o, pvs, pvcs) for o in expect(case).allowed}
    assert expect(renamed).allowed == expected


@some
@given(ANY)
def test_an_unrelated_pv_and_pvc_change_nothing(case: BindingCase) -> None:
    strangers = (
        Create(Pv("stranger", 9, storage_class="strange", labels=(("who", "else"),))),
        Create(Pvc("stranger", 9, storage_class="other")),
    )
    allowed = expect(BindingCase((strangers, *case.stages))).allowed
    assert {o.pv("stranger") for o in allowed} == {PvState("stranger", PvPhase.AVAILABLE)}
    assert {_without_strangers(o) for o in allowed} == expect(case).allowed


def _renamed(obj: Object, pvs: Mapping[str, str], pvcs: Mapping[str, str]) -> Object:
    if isinstance(obj, Pv):
        return replace(obj, name=pvs[obj.name], claim_ref=pvcs.get(obj.claim_ref or ""))
    if isinstance(obj, Pvc):
        return replace(obj, name=pvcs[obj.name], volume=pvs.get(obj.volume or ""))
    return obj


def _renamed_op(op: Op, pvs: Mapping[str, str], pvcs: Mapping[str, str]) -> Op:
    if isinstance(op, Create):
        return Create(_renamed(op.obj, pvs, pvcs))
    return replace(op, name=(pvs if op.kind == "pv" else pvcs)[op.name])


def _renamed_outcome(outcome: Outcome, pvs: Mapping[str, str], pvcs: Mapping[str, str]) -> Outcome:
    names = {"pv": pvs, "pvc": pvcs}
    return Outcome(
        frozenset(
            replace(v, name=pvs[v.name], claim_ref=pvcs.get(v.claim_ref or "")) for v in outcome.pvs
        ),
        frozenset(
            replace(c, name=pvcs[c.name], volume=pvs.get(c.volume or "")) for c in outcome.pvcs
        ),
        frozenset(replace(r, name=names[r.kind][r.name]) for r in outcome.refused),
    )


def _without_strangers(outcome: Outcome) -> Outcome:
    return replace(
        outcome,
        pvs=frozenset(v for v in outcome.pvs if v.name != "stranger"),
        pvcs=frozenset(c for c in outcome.pvcs if c.name != "stranger"),
    )
