"""PVCs that wait, objects that are refused, and cases that make no sense."""

import pytest

from landfast.binding.model import (
    AccessMode,
    BindingCase,
    Class,
    Delete,
    Outcome,
    Pv,
    Pvc,
    PvcPhase,
    PvcState,
    PvPhase,
    PvState,
    Reason,
    Refusal,
    Requirement,
    Selector,
)
from landfast.binding.oracle import expect

ROX, RWOP = AccessMode.ROX, AccessMode.RWOP

Item = Pv | Pvc | Class | Delete
in_stages = BindingCase.of

REASONS = [
    (in_stages([Pvc("c", storage_class="")]), Reason.NO_VOLUME),
    (in_stages([Pvc("c")]), Reason.NO_VOLUME),
    (in_stages([Pvc("c", storage_class="x")]), Reason.CLASS_NOT_FOUND),
    (in_stages([Class("x")], [Pvc("c", storage_class="x")]), Reason.EXTERNAL_PROVISIONING),
    (
        in_stages(
            [Class("x", wait_for_first_consumer=True)],
            [Pvc("c", storage_class="x")],
        ),
        Reason.WAITS_FOR_FIRST_CONSUMER,
    ),
    (in_stages([Pvc("c", volume="v")]), Reason.VOLUME_MISSING),
    (in_stages([Pv("v")], [Pvc("c", 2, volume="v")]), Reason.MISMATCH),
    (in_stages([Pv("v", claim_ref="d")], [Pvc("c", volume="v")]), Reason.BOUND_ELSEWHERE),
    (in_stages([Pv("v")], [Pvc("c")]), None),
]


@pytest.mark.parametrize(("case", "reason"), REASONS)
def test_reason(case: BindingCase, reason: Reason | None) -> None:
    (only,) = expect(case).allowed
    (pvc,) = only.pvcs
    assert pvc.reason == reason


REFUSALS = [
    (Pv("v", 1, ()), {"spec.accessModes"}),
    (Pv("v", 1, ("Sometimes",)), {"spec.accessModes"}),
    (Pv("v", 1, (RWOP, ROX)), {"spec.accessModes"}),
    (Pv("v", 1, (RWOP, RWOP)), set()),
    (Pv("v", None), {"spec.capacity"}),
    (Pv("v", 0), {"spec.capacity[storage]"}),
    (Pv("v", -1), {"spec.capacity[storage]"}),
    (Pv("v", volume_mode="Tape"), {"spec.volumeMode"}),
    (Pv("v", storage_class="A_b"), {"spec.storageClassName"}),
    (
        Pv("v", nodes=()),
        {"spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values"},
    ),
    (Pv("v", None, ()), {"spec.accessModes", "spec.capacity"}),
    (Pvc("c", None), {"spec.resources[storage]"}),
    (Pvc("c", 0), {"spec.resources[storage]"}),
    (Pvc("c", 1, ()), {"spec.accessModes"}),
    (Pvc("c", volume_mode="Tape"), {"spec.volumeMode"}),
    (
        Pvc("c", selector=Selector(requirements=(Requirement("a", "Like"),))),
        {"spec.selector.matchExpressions[0].operator"},
    ),
    (
        Pvc("c", selector=Selector((), (Requirement("a", "Exists"), Requirement("b", "NotIn")))),
        {"spec.selector.matchExpressions[1].values"},
    ),
    (
        Pvc("c", selector=Selector(requirements=(Requirement("a", "DoesNotExist", ("b",)),))),
        {"spec.selector.matchExpressions[0].values"},
    ),
]


@pytest.mark.parametrize(("refused", "fields"), REFUSALS)
def test_refusal(refused: Pv | Pvc, fields: set[str]) -> None:
    (only,) = expect(in_stages([refused])).allowed
    assert {refusal.field for refusal in only.refused} == fields
    assert bool(only.pvs or only.pvcs) == (not fields)


def test_what_was_refused_is_not_there_for_the_rest() -> None:
    (only,) = expect(in_stages([Pv("v", 0)], [Pvc("c")], [Pv("v", 1)])).allowed
    assert only == Outcome(
        frozenset({PvState("v", PvPhase.BOUND, "c")}),
        frozenset({PvcState("c", PvcPhase.BOUND, "v")}),
        frozenset({Refusal("pv", "v", "spec.capacity[storage]")}),
    )


@pytest.mark.parametrize(
    ("again", "kind"),
    [(Pv("v", 9), "pv"), (Pvc("c", 9), "pvc"), (Class("x", default=True), "class")],
)
def test_a_taken_name_is_refused(again: Item, kind: str) -> None:
    (only,) = expect(in_stages([Class("x")], [Pv("v"), Pvc("c")], [again])).allowed
    assert {(r.kind, r.field) for r in only.refused} == {(kind, "metadata.name")}
    assert only.pvc("c") == PvcState("c", PvcPhase.BOUND, "v")


def test_a_kept_pv_may_go_before_its_name_is_used_again() -> None:
    freed = in_stages([Pv("v"), Pvc("c")], [Delete("pv", "v")], [Delete("pvc", "c"), Pv("v")])
    assert {bool(only.refused) for only in expect(freed).allowed} == {True, False}


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ([Delete("pv", "v"), Pv("v")], "a stage deletes the pv v and creates it"),
        ([Class("x"), Pv("v")], "a stage mixes classes with other objects"),
        ([Pv("v"), Delete("class", "x")], "a stage mixes classes with other objects"),
    ],
)
def test_a_stage_that_mixes_what_it_must_not(stage: list[Item], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        expect(in_stages(stage))


def test_an_unknown_operator_is_an_error() -> None:
    with pytest.raises(ValueError, match="Like"):
        Requirement("a", "Like").matches({})
