"""From what a scenario showed to its verdict. Pure."""

from collections.abc import Sequence

from landfast.results import Availability, LedgerCheck, Survival
from landfast.survival.scenario import Scenario
from landfast.verdict import Verdict


def judge(
    scenario: Scenario,
    ledger: LedgerCheck,
    availability: Availability,
    doubts: Sequence[str],
    failures: Sequence[str],
    clock_error: float = 0.0,
) -> tuple[Verdict, list[str]]:
    """Return the verdict on the database, with the reasons if it is not PASS.

    `doubts` say why nothing can be concluded: the fault had no effect, or something cannot be read.
    `failures` say what is wrong apart from the ledger.

    A fault without effect proves nothing, whatever else was seen: UNKNOWN before FAIL. How long the
    clients of a control waited does not matter. Where the writers' clocks may be off by
    `clock_error`, a gap may be off by twice as much.
    """
    if doubts:
        return Verdict.UNKNOWN, [*doubts, *failures, *ledger.reasons]
    reasons = [*failures]
    if ledger.verdict is Verdict.FAIL:
        reasons += ledger.reasons
    if not scenario.control:
        reasons += _unavailable(scenario, availability, 2 * clock_error)
    if reasons:
        return Verdict.FAIL, reasons
    if not scenario.control and availability.gap + 2 * clock_error > scenario.expected.gap:
        return Verdict.UNKNOWN, [
            f"no write was acknowledged for {availability.gap:.1f} ± {2 * clock_error:.1f} s; "
            f"whether that is over {scenario.expected.gap:g} s cannot be told",
            *ledger.reasons,
        ]
    return ledger.verdict, [*ledger.reasons]


def leaves_whole(scenario: Scenario, survival: Survival) -> bool:
    """Whether the next scenario may use this one's database: intact, set up and mounted as usual.

    A fault without effect leaves it intact: its doubt is then the only reason.
    """
    doubts = 1 if survival.verdict is Verdict.UNKNOWN else 0
    is_sound = survival.ledger.verdict is Verdict.PASS and len(survival.reasons) <= doubts
    return is_sound and not scenario.variables and not scenario.mount_options


def _unavailable(scenario: Scenario, availability: Availability, error: float) -> list[str]:
    reasons = []
    if availability.gap - error > scenario.expected.gap:
        reasons.append(
            f"no write was acknowledged for {availability.gap:.1f} s; "
            f"at most {scenario.expected.gap:g} s are expected"
        )
    if availability.errors and not scenario.expected.errors:
        reasons.append(f"{availability.errors} operations or connections ended in an error")
    return reasons
