"""The named table against the oracle: each row holds, and its twin does not."""

import pytest

from landfast.binding.model import (
    Class,
    Outcome,
    Pvc,
    PvcPhase,
    PvcState,
    PvPhase,
    PvState,
    Reason,
    Refusal,
)
from landfast.binding.oracle import expect
from suites.conformance.binding.rules import RULES
from suites.conformance.binding.table import Rule, change, claim, pv, pvc

each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.claim.id for rule in RULES])


@each_rule
def test_row_holds_for_its_reasons(rule: Rule) -> None:
    for outcome in expect(rule.scenario).allowed:
        assert rule.holds(outcome) is None
        for name, reason in rule.pending.items():
            pvc_state = outcome.pvc(name)
            assert pvc_state is not None
            assert pvc_state.reason == reason


@each_rule
def test_twin_does_not_hold(rule: Rule) -> None:
    for outcome in expect(rule.twin_scenario).allowed:
        assert rule.holds(outcome) is not None


@each_rule
def test_row_says_whether_default_classes_matter(rule: Rule) -> None:
    objects = [*rule.scenario.objects(), *rule.twin_scenario.objects()]
    matter = any(
        obj.default
        if isinstance(obj, Class)
        else isinstance(obj, Pvc) and obj.storage_class is None
        for obj in objects
    )
    assert rule.default_class == matter


def test_claims_are_told_apart() -> None:
    assert len({rule.claim.id for rule in RULES}) == len(RULES)
    assert len({rule.claim.text for rule in RULES}) == len(RULES)


ROW = Rule(
    claim=claim("row", "It MUST be so.", "nowhere"),
    binds={"c": ("v", "w")},
    pending={"waits": Reason.NO_VOLUME},
    lost=("alas",),
    available=("free",),
    released=("left",),
    kept=("marked",),
    gone=("away",),
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
    "claim c is Pending, not Bound to v or w": ended(PvcState("c", PvcPhase.PENDING)),
    "claim c is not there, not Bound to v or w": ended(without="c"),
    "claim c is Bound (with u), not Bound to v or w": ended(PvcState("c", PvcPhase.BOUND, "u")),
    "claim c is Bound (with v), but v is not there": ended(without="v"),
    "claim c is Bound (with v), but v is Bound (with d)": ended(PvState("v", PvPhase.BOUND, "d")),
    "claim waits is Bound (with u), not Pending": ended(PvcState("waits", PvcPhase.BOUND, "u")),
    "claim waits is not there, not Pending": ended(without="waits"),
    "claim alas is Pending, not Lost": ended(PvcState("alas", PvcPhase.PENDING)),
    "volume free is Released, not Available": ended(PvState("free", PvPhase.RELEASED)),
    "volume left is not there, not Released": ended(without="left"),
    "volume marked is Bound, not Bound and marked for deletion": ended(
        PvState("marked", PvPhase.BOUND)
    ),
    "volume free is Available and marked for deletion, not Available": ended(
        PvState("free", PvPhase.AVAILABLE, deleting=True)
    ),
    "away is still there, Available": ended(PvState("away", PvPhase.AVAILABLE)),
    "away is still there, Pending": ended(PvcState("away", PvcPhase.PENDING)),
    "wrong is refused for nothing, not spec.capacity": ended(refused=()),
    "other is refused for spec.volumeMode, not nothing": ended(refused=(WRONG, OTHER)),
}


def test_an_outcome_as_expected_holds() -> None:
    assert ROW.holds(ended()) is None
    assert (
        ROW.holds(ended(PvState("w", PvPhase.BOUND, "c"), PvcState("c", PvcPhase.BOUND, "w")))
        is None
    )


@pytest.mark.parametrize(("said", "outcome"), DIFFERENCES.items(), ids=list(DIFFERENCES))
def test_what_differs_is_said(said: str, outcome: Outcome) -> None:
    assert ROW.holds(outcome) == said


def test_a_volume_and_a_claim_of_the_table_have_a_class_of_their_own() -> None:
    assert (pv("v", 1).storage_class, pvc("c", 1).storage_class) == ("x", "x")
