"""Times that may be off: nothing is lost by that, and nothing is claimed that may not be so."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given
from ledger_samples import AFTER, BEFORE, DURING, ENDED, EPOCH, HEALED, INJECT, insert, judge, read

from landfast.mysql.availability import measure
from landfast.mysql.checker import check
from landfast.mysql.history import Completion, FinalReading, Operation
from landfast.results import LedgerCheck
from landfast.verdict import Verdict

ERROR = 0.5
TIMES = st.one_of(
    st.floats(EPOCH, ENDED),
    st.sampled_from([INJECT, HEALED]).flatmap(lambda t: st.floats(t - 2 * ERROR, t + 2 * ERROR)),
)
OFF = st.floats(-ERROR, ERROR)
COMPLETIONS = st.sampled_from([Completion.OK, Completion.OK, Completion.FAIL, Completion.INFO])


def seen(true: list[Operation], off: list[float]) -> list[Operation]:
    """Return operations as a clock shows them that is off by so much at each."""
    return [
        replace(one, invoked=one.invoked + by, ended=(one.ended or 0) + by)
        for one, by in zip(true, off, strict=True)
    ]


def checked(operations: list[Operation], reading: FinalReading, during: bool) -> LedgerCheck:
    return check(
        operations,
        reading,
        inject=INJECT,
        healed=HEALED,
        during_required=during,
        epoch=EPOCH,
        clock_error=ERROR,
    )


@given(
    st.lists(st.tuples(TIMES, COMPLETIONS, OFF, st.booleans()), max_size=12),
    st.booleans(),
)
def test_clocks_decide_nothing_about_a_loss(
    rows: list[tuple[float, Completion, float, bool]], during: bool
) -> None:
    """Counts are those of true times; before and after are never too many, nor too few by more."""
    true = [insert(n, at, how) for n, (at, how, _, _) in enumerate(rows, start=1)]
    there = [n for n, row in enumerate(rows, start=1) if row[3] and row[1] is not Completion.FAIL]
    reading = read({0: there})
    found = checked(seen(true, [row[2] for row in rows]), reading, during)
    truth = judge(true, reading, during_required=during)
    assert found.counts == truth.counts
    assert (found.verdict is Verdict.FAIL) == (truth.verdict is Verdict.FAIL)
    if found.verdict is Verdict.PASS:
        assert truth.verdict is Verdict.PASS
    before, between, after = found.by_interval
    sure = judge(true, reading, inject=INJECT - 2 * ERROR, healed=HEALED + 2 * ERROR)
    for what in ("acknowledged", "lost"):
        of = {
            "found": [getattr(i, what) for i in found.by_interval],
            "true": [getattr(i, what) for i in truth.by_interval],
            "sure": [getattr(i, what) for i in sure.by_interval],
        }
        assert of["sure"][0] <= of["found"][0] <= of["true"][0]
        assert of["sure"][2] <= of["found"][2] <= of["true"][2]
        assert sum(of["found"]) == sum(of["true"])
    assert {before.interval, between.interval, after.interval} == {"before", "during", "after"}


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ((INJECT - 0.4, DURING, AFTER), "before the fault"),
        ((BEFORE, INJECT + 0.4, AFTER), "while the fault was in effect"),
        ((BEFORE, DURING, HEALED + 0.4), "after the fault was healed"),
    ],
)
def test_what_may_have_been_at_another_time_proves_nothing(
    at: tuple[float, ...], reason: str
) -> None:
    written = [insert(number, time) for number, time in enumerate(at, start=1)]
    reading = read({0: [1, 2, 3]})
    assert judge(written, reading).verdict is Verdict.PASS
    found = checked(written, reading, during=True)
    assert found.verdict is Verdict.UNKNOWN
    (said,) = found.reasons
    assert said.endswith(reason)


@given(st.lists(st.tuples(TIMES, OFF), min_size=1, max_size=12))
def test_a_gap_is_off_by_twice_the_error_at_most(rows: list[tuple[float, float]]) -> None:
    assume(all(abs(at - edge) > ERROR for at, _ in rows for edge in (EPOCH, INJECT, ENDED)))
    true = [insert(number, at) for number, (at, _) in enumerate(rows, start=1)]
    shown = seen(true, [off for _, off in rows])
    gaps = [
        measure(o, epoch=EPOCH, inject=INJECT, healed=HEALED, ended=ENDED).gap
        for o in (true, shown)
    ]
    assert abs(gaps[0] - gaps[1]) <= 2 * ERROR + 1e-9
