"""The oracle where the source leaves several outcomes open: all of them, and why."""

import pytest
from binding_outcomes import outcome

from landfast.binding.matching import RESERVED_TWICE, SAME_MODES, SAME_SIZE
from landfast.binding.model import (
    AccessMode,
    BindingCase,
    Class,
    Delete,
    Outcome,
    Pv,
    Pvc,
)
from landfast.binding.oracle import ORDER, SAME_SECOND, expect

RWO, ROX, RWX = AccessMode.RWO, AccessMode.ROX, AccessMode.RWX

in_stages = BindingCase.of

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
    "a deleted PV of the same size may cost its PVC the turn": (
        in_stages([Pv("gone"), Pv("v")], [Delete("pv", "gone"), Pvc("c"), Pvc("d")]),
        {
            outcome("v Bound c", "c: Bound v", "d: Pending"),
            outcome("v Bound d", "c: Pending", "d: Bound v"),
        },
        ORDER,
    ),
    "a deleted PV costs the second PVC the turn if the first one took the better PV": (
        in_stages(
            [Pv("v", 1), Pv("gone", 2), Pv("w", 3)],
            [Delete("pv", "gone"), Pvc("c"), Pvc("d"), Pvc("e")],
        ),
        {
            outcome("v Bound c", "w Bound d", "c: Bound v", "d: Bound w", "e: Pending"),
            outcome("v Bound c", "w Bound e", "c: Bound v", "d: Pending", "e: Bound w"),
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
