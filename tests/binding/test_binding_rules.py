"""The table of rules against the oracle: each row holds, and its twin does not."""

import pytest

from landfast.binding.model import Outcome, PvcPhase, PvcState, PvPhase, PvState, Reason, Refusal
from landfast.binding.oracle import expect
from suites.conformance.binding.rules import RULES
from suites.conformance.binding.table import (
    BindingRule,
    available,
    bound,
    change,
    gone,
    kept,
    lost,
    pending,
    pv,
    pvc,
    released,
)

each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])


@each_rule
def test_row_holds_for_its_reasons(rule: BindingRule) -> None:
    for outcome in expect(rule.case).allowed:
        assert rule.difference(outcome) is None


@each_rule
def test_twin_does_not_hold(rule: BindingRule) -> None:
    for outcome in expect(rule.twin_case).allowed:
        assert rule.difference(outcome) is not None


def test_rows_differ_in_name_and_text() -> None:
    assert len({rule.claim.id for rule in RULES}) == len(RULES)
    assert len({rule.text for rule in RULES}) == len(RULES)


def test_a_row_needs_the_default_classes_if_its_twin_does() -> None:
    leaves_it_out = change("c", storage_class=None)
    row = BindingRule("row", "", "", given=[pvc("c", 1)], twin=leaves_it_out)
    assert row.default_class
    assert not BindingRule("row", "", "", given=[pvc("c", 1)], twin=change("c")).default_class


ROW = BindingRule(
    "row",
    "It MUST be so.",
    "nowhere",
    given=[],
    ends=[
        bound("c", "v", "w"),
        pending("waits", Reason.NO_VOLUME),
        lost("alas"),
        available("free"),
        released("left"),
        kept("marked"),
        gone("away"),
    ],
    refused={"wrong": "spec.capacity"},
    twin=change("c"),
)
PVS = {
    "v": PvState("v", PvPhase.BOUND, "c"),
    "free": PvState("free", PvPhase.AVAILABLE),
    "left": PvState("left", PvPhase.RELEASED, "old"),
    "marked": PvState("marked", PvPhase.BOUND, "other", deleting=True),
}
PVCS = {
    "c": PvcState("c", PvcPhase.BOUND, "v"),
    "waits": PvcState("waits", PvcPhase.PENDING),
    "alas": PvcState("alas", PvcPhase.LOST, "lost"),
}
WRONG = Refusal("pv", "wrong", "spec.capacity")
OTHER = Refusal("pvc", "other", "spec.volumeMode")


def ended(
    *changed: PvState | PvcState, without: str = "", refused: tuple[Refusal, ...] = (WRONG,)
) -> Outcome:
    pvs = PVS | {state.name: state for state in changed if isinstance(state, PvState)}
    pvcs = PVCS | {state.name: state for state in changed if isinstance(state, PvcState)}
    return Outcome(
        frozenset(state for name, state in pvs.items() if name != without),
        frozenset(state for name, state in pvcs.items() if name != without),
        frozenset(refused),
    )


DIFFERENCES = {
    "PVC c is Pending, not Bound to v or w": ended(PvcState("c", PvcPhase.PENDING)),
    "PVC c is missing, not Bound to v or w": ended(without="c"),
    "PVC c is Bound (with u), not Bound to v or w": ended(PvcState("c", PvcPhase.BOUND, "u")),
    "PVC c is Bound (with v), but PV v is missing": ended(without="v"),
    "PVC c is Bound (with v), but PV v is Bound (with d)": ended(PvState("v", PvPhase.BOUND, "d")),
    "PVC waits is Bound (with u), not Pending": ended(PvcState("waits", PvcPhase.BOUND, "u")),
    "PVC waits is Pending because of mismatch, not of no-volume": ended(
        PvcState("waits", PvcPhase.PENDING, reason=Reason.MISMATCH)
    ),
    "PVC waits is missing, not Pending": ended(without="waits"),
    "PVC alas is Pending, not Lost": ended(PvcState("alas", PvcPhase.PENDING)),
    "PV free is Released, not Available": ended(PvState("free", PvPhase.RELEASED)),
    "PV left is missing, not Released": ended(without="left"),
    "PV marked is Bound, not Bound and marked for deletion": ended(
        PvState("marked", PvPhase.BOUND)
    ),
    "PV free is Available and marked for deletion, not Available": ended(
        PvState("free", PvPhase.AVAILABLE, deleting=True)
    ),
    "away still exists, Available": ended(PvState("away", PvPhase.AVAILABLE)),
    "away still exists, Pending": ended(PvcState("away", PvcPhase.PENDING)),
    "wrong is refused for nothing, not spec.capacity": ended(refused=()),
    "other is refused for spec.volumeMode, not nothing": ended(refused=(WRONG, OTHER)),
}


def test_an_outcome_as_expected_holds() -> None:
    assert ROW.difference(ended()) is None
    assert (
        ROW.difference(ended(PvState("w", PvPhase.BOUND, "c"), PvcState("c", PvcPhase.BOUND, "w")))
        is None
    )


@pytest.mark.parametrize(("said", "outcome"), DIFFERENCES.items(), ids=list(DIFFERENCES))
def test_a_difference_is_named(said: str, outcome: Outcome) -> None:
    assert ROW.difference(outcome) == said


def test_the_tables_pvs_and_pvcs_have_the_class_x() -> None:
    assert (pv("v", 1).storage_class, pvc("c", 1).storage_class) == ("x", "x")
