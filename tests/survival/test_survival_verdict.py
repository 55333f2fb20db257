"""From what was seen to the verdict: doubt before failure, and what a control is judged by."""

from typing import Any

import pytest
from survival_fakes import fake_scenario

from landfast.results import Availability, LedgerCheck, LedgerCounts, Marks, Survival
from landfast.survival.scenario import Expected
from landfast.survival.verdict import judge, leaves_whole
from landfast.verdict import Verdict

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
LOST, UNREAD = "1 acknowledged write is lost", "the ledger was not read"
REASONS = {PASS: (), FAIL: (LOST,), UNKNOWN: (UNREAD,)}
GAP = "no write was acknowledged for 5.1 s; at most 5 s are expected"
ERRORS = "2 operations or connections ended in an error"


def ledger(verdict: Verdict) -> LedgerCheck:
    return LedgerCheck(
        verdict=verdict,
        reasons=REASONS[verdict],
        counts=LedgerCounts(**dict.fromkeys(LedgerCounts.model_fields, 0)),
        lost=(),
        by_interval=(),
    )


def seen(gap: float, errors: int) -> Availability:
    return Availability(
        gap=gap,
        gap_from=0,
        gaps=0,
        errors=errors,
        rto_first=0,
        rto_steady=0,
        intervals=(),
        bin_seconds=1,
        bins=(),
    )


@pytest.mark.parametrize(
    ("data", "gap", "errors", "doubts", "failures", "verdict", "reasons"),
    [
        (PASS, 5.0, 0, [], [], PASS, []),
        (PASS, 5.1, 0, [], [], FAIL, [GAP]),
        (PASS, 0.0, 2, [], [], FAIL, [ERRORS]),
        (PASS, 0.0, 0, [], ["bad"], FAIL, ["bad"]),
        (FAIL, 0.0, 0, [], [], FAIL, [LOST]),
        (FAIL, 5.1, 2, [], ["bad"], FAIL, ["bad", LOST, GAP, ERRORS]),
        (UNKNOWN, 0.0, 0, [], [], UNKNOWN, [UNREAD]),
        (PASS, 0.0, 0, ["no effect"], [], UNKNOWN, ["no effect"]),
        (FAIL, 0.0, 0, ["no effect"], ["bad"], UNKNOWN, ["no effect", "bad", LOST]),
        (UNKNOWN, 9.0, 9, ["no effect"], [], UNKNOWN, ["no effect", UNREAD]),
    ],
)
def test_of_a_scenario(
    data: Verdict,
    gap: float,
    errors: int,
    doubts: list[str],
    failures: list[str],
    verdict: Verdict,
    reasons: list[str],
) -> None:
    plan = fake_scenario(expected=Expected(gap=5, errors=False))
    assert judge(plan, ledger(data), seen(gap, errors), doubts, failures) == (verdict, reasons)


@pytest.mark.parametrize(
    ("gap", "verdict"), [(3.9, PASS), (4.5, UNKNOWN), (5.5, UNKNOWN), (6.1, FAIL)]
)
def test_a_gap_near_its_limit_is_unknown_where_clocks_may_be_off(
    gap: float, verdict: Verdict
) -> None:
    """By half a second each: it began so much earlier or later, and ended so."""
    plan = fake_scenario(expected=Expected(gap=5))
    found, reasons = judge(plan, ledger(PASS), seen(gap, 0), [], [], clock_error=0.5)
    assert found is verdict
    assert (found is UNKNOWN) == any("cannot be told" in reason for reason in reasons)
    lost, _ = judge(plan, ledger(FAIL), seen(gap, 0), [], [], clock_error=0.5)
    assert lost is FAIL


def test_a_ledger_that_was_not_read_does_not_hide_a_failure() -> None:
    verdict, reasons = judge(fake_scenario(), ledger(UNKNOWN), seen(0, 0), [], ["re-initialised"])
    assert verdict is FAIL
    assert reasons[0] == "re-initialised"


def test_errors_may_be_expected() -> None:
    assert judge(fake_scenario(), ledger(PASS), seen(0, 9), [], []) == (PASS, [])


@pytest.mark.parametrize(
    ("data", "doubts", "verdict", "reasons"),
    [
        (FAIL, [], FAIL, [LOST]),
        (PASS, [], PASS, []),
        (UNKNOWN, [], UNKNOWN, [UNREAD]),
        (FAIL, ["no effect"], UNKNOWN, ["no effect", LOST]),
    ],
)
def test_how_long_clients_waited_says_nothing_of_a_control(
    data: Verdict, doubts: list[str], verdict: Verdict, reasons: list[str]
) -> None:
    plan = fake_scenario(control=True, expected=Expected(gap=5, errors=False))
    assert judge(plan, ledger(data), seen(99, 9), doubts, []) == (verdict, reasons)


def test_a_control_whose_database_is_another_one_fails_unread() -> None:
    plan = fake_scenario(control=True)
    assert judge(plan, ledger(UNKNOWN), seen(0, 0), [], ["bad"]) == (FAIL, ["bad"])


@pytest.mark.parametrize("changes", [{}, {"control": True}])
@pytest.mark.parametrize("data", [PASS, FAIL, UNKNOWN])
def test_what_is_not_a_pass_has_a_reason(changes: dict[str, Any], data: Verdict) -> None:
    verdict, reasons = judge(fake_scenario(**changes), ledger(data), seen(0, 0), [], [])
    assert bool(reasons) == (verdict is not PASS)


@pytest.mark.parametrize(
    ("data", "doubts", "failures", "variables", "whole"),
    [
        (PASS, [], [], {}, True),
        (PASS, ["no effect"], [], {}, True),
        (PASS, [], [], {"innodb_flush_log_at_trx_commit": "0"}, False),
        (PASS, ["no effect"], [], {"innodb_flush_log_at_trx_commit": "0"}, False),
        (PASS, [], ["corruption"], {}, False),
        (PASS, ["no effect"], ["corruption"], {}, False),
        (FAIL, ["no effect"], [], {}, False),
        (UNKNOWN, [], [], {}, False),
    ],
)
def test_whether_the_next_scenario_may_use_the_database(
    data: Verdict, doubts: list[str], failures: list[str], variables: dict[str, str], whole: bool
) -> None:
    plan = fake_scenario(variables=variables)
    verdict, reasons = judge(plan, ledger(data), seen(0, 0), doubts, failures)
    survival = Survival(
        scenario=plan.summary(),
        verdict=verdict,
        reasons=tuple(reasons),
        marks=Marks(injected=1, ended=2),
        effect="",
        healing="",
        ledger=ledger(data),
        availability=seen(0, 0),
        identity=(),
    )
    assert leaves_whole(plan, survival) is whole
