"""The oracle against outcomes written down by hand from Kubernetes' source."""

import pytest

from landfast.binding.matching import RESERVED_TWICE, SAME_MODES, SAME_SIZE
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
    VolumeMode,
)
from landfast.binding.oracle import ORDER, SAME_SECOND, expect

RWO, ROX, RWX, RWOP = AccessMode.RWO, AccessMode.ROX, AccessMode.RWX, AccessMode.RWOP
GOLD = Selector((("tier", "gold"),))


Item = Pv | Pvc | Class | Delete


in_stages = BindingCase.of


def outcome(*lines: str) -> Outcome:
    """Read `v Bound c` (a PV, its phase, its PVC; `!` if being deleted) and `c: Bound v`."""
    pvs, pvcs = set(), set()
    for line in lines:
        name, phase, *other = line.split()
        with_ = other[0] if other else None
        if name.endswith(":"):
            pvcs.add(PvcState(name[:-1], PvcPhase(phase), with_))
        else:
            is_deleting = name.endswith("!")
            pvs.add(PvState(name.rstrip("!"), PvPhase(phase), with_, is_deleting))
    return Outcome(frozenset(pvs), frozenset(pvcs))


DETERMINED = {
    "nothing": (in_stages(), outcome()),
    "a PV alone is available": (in_stages([Pv("v")]), outcome("v Available")),
    "a reserved PV is available": (
        in_stages([Pv("v", claim_ref="c")]),
        outcome("v Available c"),
    ),
    "a PVC alone is pending": (in_stages([Pvc("c")]), outcome("c: Pending")),
    "one of each, in one stage": (
        in_stages([Pvc("c"), Pv("v")]),
        outcome("v Bound c", "c: Bound v"),
    ),
    "the middle one fits": (
        in_stages([Pv("a", 1), Pv("b", 3), Pv("d", 2)], [Pvc("c", 2)]),
        outcome("a Available", "b Available", "d Bound c", "c: Bound d"),
    ),
    "modes come before size": (
        in_stages([Pv("a", 9, (RWX,)), Pv("b", 1, (RWX, ROX))], [Pvc("c", 1, (RWX,))]),
        outcome("a Bound c", "b Available", "c: Bound a"),
    ),
    "the order of modes and their repetition do not matter": (
        in_stages([Pv("a", 9, (RWX, RWO)), Pv("b", 1, (RWO, RWX, RWO))], [Pvc("c", 1)]),
        outcome("a Available", "b Bound c", "c: Bound b"),
    ),
    "two PVCs in order, two PVs": (
        in_stages([Pv("a", 1), Pv("b", 2)], [Pvc("first"), Pvc("second")]),
        outcome("a Bound first", "b Bound second", "first: Bound a", "second: Bound b"),
    ),
    "a deleted PV of another class costs no PVC its turn": (
        in_stages(
            [Pv("gone", storage_class="y"), Pv("v")], [Delete("pv", "gone"), Pvc("c"), Pvc("d")]
        ),
        outcome("v Bound c", "c: Bound v", "d: Pending"),
    ),
    "a deleted PV that is larger costs no PVC its turn": (
        in_stages([Pv("gone", 2), Pv("v", 1)], [Delete("pv", "gone"), Pvc("c"), Pvc("d")]),
        outcome("v Bound c", "c: Bound v", "d: Pending"),
    ),
    "three PVCs in order": (
        in_stages([Pv("a", 1), Pv("b", 2), Pv("d", 3)], [Pvc("x"), Pvc("y"), Pvc("z")]),
        outcome("a Bound x", "b Bound y", "d Bound z", "x: Bound a", "y: Bound b", "z: Bound d"),
    ),
    "the first PVC takes what the second needs": (
        in_stages([Pv("a", 2)], [Pvc("first", 1), Pvc("second", 2)]),
        outcome("a Bound first", "first: Bound a", "second: Pending"),
    ),
    "classes of three kinds": (
        in_stages(
            [Pv("a", 1, storage_class="x"), Pv("b", 2, storage_class="y"), Pv("d", 3)],
            [Pvc("c", 1, storage_class="y"), Pvc("e", 1, storage_class="")],
        ),
        outcome("a Available", "b Bound c", "c: Bound b", "d Bound e", "e: Bound d"),
    ),
    "a default class that exists": (
        in_stages(
            [Class("x", default=True)],
            [Pv("a"), Pv("b", storage_class="x")],
            [Pvc("c")],
        ),
        outcome("a Available", "b Bound c", "c: Bound b"),
    ),
    "a default class that comes after the PV was taken": (
        in_stages([Pv("a"), Pv("b", storage_class="x")], [Pvc("c")], [Class("x", default=True)]),
        outcome("a Bound c", "b Available", "c: Bound a"),
    ),
    "a default class that comes, and then a PV without a class": (
        in_stages([Pvc("c")], [Class("x", default=True)], [Pv("v")]),
        outcome("v Available", "c: Pending"),
    ),
    "of two defaults the later": (
        in_stages(
            [Class("a", default=True)],
            [Class("b", default=True)],
            [Pv("v", storage_class="b")],
            [Pvc("c")],
        ),
        outcome("v Bound c", "c: Bound v"),
    ),
    "a later class that is not a default changes nothing": (
        in_stages(
            [Class("b", default=True)], [Class("a")], [Pv("v", storage_class="b")], [Pvc("c")]
        ),
        outcome("v Bound c", "c: Bound v"),
    ),
    "a late default that waits for its first consumer": (
        in_stages(
            [Pv("v", storage_class="x")],
            [Pvc("c")],
            [Class("x", default=True, wait_for_first_consumer=True)],
        ),
        outcome("v Available", "c: Pending"),
    ),
    "two PVCs for which one PV each is reserved": (
        in_stages([Pv("a", claim_ref="d"), Pv("b", claim_ref="c")], [Pvc("c"), Pvc("d")]),
        outcome("a Bound d", "b Bound c", "c: Bound b", "d: Bound a"),
    ),
    "named, but reserved for another that never comes": (
        in_stages([Pv("v", claim_ref="other")], [Pvc("c", volume="v")]),
        outcome("v Available other", "c: Pending v"),
    ),
    "named by one, reserved for another that comes": (
        in_stages([Pv("v", claim_ref="d")], [Pvc("c", volume="v"), Pvc("d")]),
        outcome("v Bound d", "c: Pending v", "d: Bound v"),
    ),
    "named and reserved, of different size, class and mode": (
        in_stages(
            [Pv("v", 1, (ROX,), "y", VolumeMode.BLOCK, claim_ref="c")],
            [Pvc("c", 7, (RWX,), "x", volume="v", selector=GOLD)],
        ),
        outcome("v Bound c", "c: Bound v"),
    ),
    "named a PV that already has another PVC": (
        in_stages([Pv("v")], [Pvc("d")], [Pvc("c", volume="v")]),
        outcome("v Bound d", "d: Bound v", "c: Pending v"),
    ),
    "named before it was there, by a PVC that it fits": (
        in_stages([Pvc("c", 2, volume="v")], [Pv("v", 2)]),
        outcome("v Bound c", "c: Bound v"),
    ),
    "labels and expressions": (
        in_stages(
            [
                Pv("a", labels=(("site", "n"), ("tier", "gold"))),
                Pv("b", labels=(("tier", "gold"),)),
            ],
            [Pvc("c", selector=Selector(GOLD.labels, (Requirement("site", "DoesNotExist"),)))],
        ),
        outcome("a Available", "b Bound c", "c: Bound b"),
    ),
    "an empty selector matches everything": (
        in_stages([Pv("v")], [Pvc("c", selector=Selector())]),
        outcome("v Bound c", "c: Bound v"),
    ),
    "no scheduler, no first consumer": (
        in_stages(
            [Class("x", wait_for_first_consumer=True)],
            [Pv("v", storage_class="x", nodes=("n",))],
            [Pvc("c", storage_class="x")],
        ),
        outcome("v Available", "c: Pending"),
    ),
    "a PVC goes and another comes: released is not available": (
        in_stages([Pv("v")], [Pvc("c")], [Delete("pvc", "c")], [Pvc("d")]),
        outcome("v Released c", "d: Pending"),
    ),
    "a PVC comes back: its PV stays released": (
        in_stages([Pv("v"), Pv("w", 2)], [Pvc("c")], [Delete("pvc", "c")], [Pvc("c")]),
        outcome("v Released c", "w Bound c", "c: Bound w"),
    ),
    "a PV goes under its PVC and is kept": (
        in_stages([Pv("v"), Pvc("c")], [Delete("pv", "v")]),
        outcome("v! Bound c", "c: Bound v"),
    ),
    "a kept PV goes with its PVC": (
        in_stages([Pv("v"), Pvc("c")], [Delete("pv", "v")], [Delete("pvc", "c")]),
        outcome(),
    ),
    "both are deleted in one stage": (
        in_stages([Pv("v"), Pvc("c")], [Delete("pv", "v"), Delete("pvc", "c")]),
        outcome(),
    ),
    "what is not there is deleted": (
        in_stages([Delete("pv", "v"), Delete("pvc", "c")], [Delete("class", "x")]),
        outcome(),
    ),
    "a PVC deleted by force goes like any other": (
        in_stages([Pv("v"), Pvc("c")], [Delete("pvc", "c", force=True)]),
        outcome("v Released c"),
    ),
    "a PV is torn away, and a like one does not help": (
        in_stages([Pv("v"), Pvc("c")], [Delete("pv", "v", force=True)], [Pv("w")]),
        outcome("w Available", "c: Lost v"),
    ),
    "a lost PVC's PV is given to another before it comes back for it": (
        in_stages(
            [Pv("v"), Pvc("c")],
            [Delete("pv", "v", force=True)],
            [Pv("v", claim_ref="d"), Pvc("d")],
        ),
        outcome("v Bound d", "c: Lost v", "d: Bound v"),
    ),
    "twins from a backup, and only one PV": (
        in_stages(
            [Pv("v")],
            [Pvc("a", volume="v", completed=True)],
            [Pvc("b", volume="v", completed=True)],
        ),
        outcome("v Bound a", "a: Bound v", "b: Lost v"),
    ),
}


@pytest.mark.parametrize(("case", "only"), DETERMINED.values(), ids=DETERMINED)
def test_one_outcome(case: BindingCase, only: Outcome) -> None:
    expected = expect(case)
    assert expected.allowed == {only}
    assert expected.undetermined == ""


UNDETERMINED = {
    "volumes of one size": (
        in_stages([Pv("a"), Pv("b")], [Pvc("c")]),
        {
            outcome("a Bound c", "b Available", "c: Bound a"),
            outcome("a Available", "b Bound c", "c: Bound b"),
        },
        SAME_SIZE,
    ),
    "sets of two modes": (
        in_stages([Pv("a", 1, (RWO, ROX)), Pv("b", 2, (RWO, RWX))], [Pvc("c")]),
        {
            outcome("a Bound c", "b Available", "c: Bound a"),
            outcome("a Available", "b Bound c", "c: Bound b"),
        },
        SAME_MODES,
    ),
    "two reservations": (
        in_stages([Pv("a", 1, claim_ref="c"), Pv("b", 2, claim_ref="c")], [Pvc("c")]),
        {
            outcome("a Bound c", "b Available c", "c: Bound a"),
            outcome("a Available c", "b Bound c", "c: Bound b"),
        },
        RESERVED_TWICE,
    ),
    "the PVC is looked at while the better PV is not there yet": (
        in_stages([Pv("large", 2), Pv("small", 1), Pvc("c")]),
        {
            outcome("large Available", "small Bound c", "c: Bound small"),
            outcome("large Bound c", "small Available", "c: Bound large"),
        },
        ORDER,
    ),
    "two PVCs wait for one PV": (
        in_stages([Pvc("c"), Pvc("d")], [Pv("v")]),
        {
            outcome("v Bound c", "c: Bound v", "d: Pending"),
            outcome("v Bound d", "c: Pending", "d: Bound v"),
        },
        ORDER,
    ),
    "one reservation is not a tie": (
        in_stages([Pv("r", claim_ref="e"), Pvc("e")], [Pvc("c"), Pvc("d")], [Pv("v")]),
        {
            outcome("r Bound e", "e: Bound r", "v Bound c", "c: Bound v", "d: Pending"),
            outcome("r Bound e", "e: Bound r", "v Bound d", "c: Pending", "d: Bound v"),
        },
        ORDER,
    ),
    "a PVC goes while it is looked at": (
        in_stages([Pv("v")], [Pvc("c"), Delete("pvc", "d")], [Delete("pvc", "c"), Pvc("d")]),
        {outcome("v Released c", "d: Pending")},
        "",
    ),
    "a PV comes while its PVC goes": (
        in_stages([Pvc("c")], [Pv("v"), Delete("pvc", "c")]),
        {outcome("v Available"), outcome("v Released c")},
        ORDER,
    ),
    "a PV goes while its PVC comes": (
        in_stages([Pv("v")], [Delete("pv", "v"), Pvc("c")]),
        {outcome("c: Pending")},
        "",
    ),
    "a PV goes while the PVC that names it comes": (
        in_stages([Pv("v")], [Delete("pv", "v"), Pvc("c", volume="v")]),
        {outcome("c: Pending v")},
        "",
    ),
    "a PVC comes while its PV goes": (
        in_stages([Pv("v")], [Pvc("c"), Delete("pv", "v")]),
        {outcome("c: Pending"), outcome("v! Bound c", "c: Bound v")},
        ORDER,
    ),
    "a PV that is deleted may still be in the cache, and costs its PVC the turn": (
        in_stages(
            [Pv("reserved", claim_ref="c"), Pv("v")], [Delete("pv", "reserved"), Pvc("c"), Pvc("d")]
        ),
        {
            outcome("v Bound c", "c: Bound v", "d: Pending"),
            outcome("v Bound d", "c: Pending", "d: Bound v"),
        },
        ORDER,
    ),
    "defaults of maybe one second": (
        in_stages(
            [Class("a", default=True), Class("b", default=True)],
            [Pv("v", storage_class="a"), Pv("w", storage_class="b")],
            [Pvc("c")],
        ),
        {
            outcome("v Bound c", "w Available", "c: Bound v"),
            outcome("v Available", "w Bound c", "c: Bound w"),
        },
        SAME_SECOND,
    ),
}


@pytest.mark.parametrize(("case", "allowed", "why"), UNDETERMINED.values(), ids=UNDETERMINED)
def test_several_outcomes(case: BindingCase, allowed: set[Outcome], why: str) -> None:
    expected = expect(case)
    assert expected.allowed == allowed
    assert expected.undetermined == why


def test_a_tie_and_an_open_order_are_both_named() -> None:
    expected = expect(in_stages([Pv("a"), Pv("b"), Pv("large", 2), Pvc("c")]))
    assert SAME_SIZE in expected.undetermined
    assert ORDER in expected.undetermined


def test_defaults_in_reverse_order_of_their_names_are_determined() -> None:
    names = [Class("b", default=True), Class("a", default=True)]
    expected = expect(in_stages(names, [Pv("v", storage_class="a")], [Pvc("c")]))
    assert expected.allowed == {outcome("v Bound c", "c: Bound v")}


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
