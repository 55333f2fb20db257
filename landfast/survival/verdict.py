"""From what a scenario showed to its verdict. Pure."""

from collections.abc import Sequence

from landfast.survival.model import Availability, LedgerCheck, Survival
from landfast.survival.plan import Plan
from landfast.verdict import Verdict


def judge(
    plan: Plan,
    ledger: LedgerCheck,
    availability: Availability,
    doubts: Sequence[str],
    failures: Sequence[str],
) -> tuple[Verdict, list[str]]:
    """Give the verdict on the database, with the reasons if it is not PASS.

    Args:
        plan: what was expected.
        ledger: what became of the writes.
        availability: what clients saw.
        doubts: why nothing can be concluded: the fault had no effect, nothing could be read.
        failures: what was seen to be wrong beside the ledger.

    A fault without effect proves nothing, whatever else was seen: UNKNOWN before FAIL. A control
    is there to lose something: how long clients waited says nothing of it.
    """
    if doubts:
        return Verdict.UNKNOWN, [*doubts, *failures, *ledger.reasons]
    reasons = [*failures]
    if ledger.verdict is Verdict.FAIL:
        reasons += ledger.reasons
    if not plan.control:
        reasons += _unavailable(plan, availability)
    if reasons:
        return Verdict.FAIL, reasons
    return ledger.verdict, [*ledger.reasons]


def leaves_whole(plan: Plan, survival: Survival) -> bool:
    """Whether the next scenario may use this one's database: whole, and with its usual settings.

    A fault without effect has left it so: the one reason is then that doubt.
    """
    doubts = 1 if survival.verdict is Verdict.UNKNOWN else 0
    is_sound = survival.ledger.verdict is Verdict.PASS and len(survival.reasons) <= doubts
    return is_sound and not plan.variables


def _unavailable(plan: Plan, availability: Availability) -> list[str]:
    reasons = []
    if availability.gap > plan.expected.gap:
        reasons.append(
            f"no write was acknowledged for {availability.gap:.1f} s; "
            f"at most {plan.expected.gap:g} s are expected"
        )
    if availability.errors and not plan.expected.errors:
        reasons.append(f"{availability.errors} operations or connections ended in an error")
    return reasons
