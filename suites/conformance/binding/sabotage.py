"""One way to make each claim of the binding suite untrue.

Nothing is patched: a sabotaged test takes a twin of its input, or an oracle that misreads a case.
"""

from dataclasses import replace

from fixtures.sabotage import Sabotage
from landfast.binding.model import BindingCase, Class, Create, Expectation, Op, Pv
from landfast.binding.oracle import expect
from suites.conformance.binding.rules import RULES
from suites.conformance.binding.table import each_op

_ANY_SIZE = 100  # MiB; every PV of this size or more is large enough for every generated PVC


def size_blind(case: BindingCase) -> Expectation:
    """Return what an oracle expects that takes every PV for large enough."""

    def enlarge(op: Op) -> Op:
        if isinstance(op, Create) and isinstance(op.obj, Pv) and op.obj.capacity:
            return Create(replace(op.obj, capacity=op.obj.capacity + _ANY_SIZE))
        return op

    return expect(each_op(enlarge)(case))


def default_blind(case: BindingCase) -> Expectation:
    """Return what an oracle expects that takes no class for a default one."""

    def unmark(op: Op) -> Op:
        if isinstance(op, Create) and isinstance(op.obj, Class):
            return Create(replace(op.obj, default=False))
        return op

    return expect(each_op(unmark)(case))


SABOTAGES = {
    **{rule.claim.id: Sabotage("one input of the row is changed: its twin") for rule in RULES},
    "binding.generated-scenarios-agree-with-the-oracle": Sabotage(
        "the oracle takes every PV for large enough"
    ),
    "binding.generated-default-classes-agree-with-the-oracle": Sabotage(
        "the oracle knows no default class"
    ),
    "binding.killed-controller-binds-each-claim-once": Sabotage(
        "one of the PVCs is larger than any PV"
    ),
}
