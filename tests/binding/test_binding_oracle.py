"""The oracle against the only outcome, written down by hand from Kubernetes' source."""

import pytest
from binding_outcomes import outcome

from landfast.binding.model import (
    AccessMode,
    BindingCase,
    Class,
    Delete,
    Outcome,
    Pv,
    Pvc,
    Requirement,
    Selector,
    VolumeMode,
)
from landfast.binding.oracle import expect

RWO, ROX, RWX = AccessMode.RWO, AccessMode.ROX, AccessMode.RWX
GOLD = Selector((("tier", "gold"),))

in_stages = BindingCase.of

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
    "a deleted PVC that has a PV's name costs no PVC its turn": (
        in_stages([Pv("v")], [Delete("pvc", "v"), Pvc("c"), Pvc("d")]),
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


def test_defaults_in_reverse_order_of_their_names_are_determined() -> None:
    names = [Class("b", default=True), Class("a", default=True)]
    expected = expect(in_stages(names, [Pv("v", storage_class="a")], [Pvc("c")]))
    assert expected.allowed == {outcome("v Bound c", "c: Bound v")}
