"""Outcomes, as tests of the oracle write them down."""

from landfast.binding.model import Outcome, PvcPhase, PvcState, PvPhase, PvState


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
