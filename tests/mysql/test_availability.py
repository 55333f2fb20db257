"""Gaps, recovery times and latencies: by hand, and against a slow model."""

from collections.abc import Iterable
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given
from ledger_samples import ENDED, EPOCH, HEALED, INJECT, insert

from landfast.mysql.availability import measure
from landfast.mysql.history import Completion, Operation, OperationKind
from landfast.results import Availability


def seen(
    acks: Iterable[float],
    others: Iterable[Operation] = (),
    *,
    healed: float | None = HEALED,
    bin_seconds: float = 0.25,
) -> Availability:
    """Measure writes acknowledged at these times, each of which took 10 ms."""
    operations = [insert(number, at) for number, at in enumerate(acks, start=1)]
    return measure(
        iter([*operations, *others]),
        epoch=EPOCH,
        inject=INJECT,
        healed=healed,
        ended=ENDED,
        bin_seconds=bin_seconds,
    )


def every(seconds: float, start: float, end: float) -> list[float]:
    return [start + seconds * n for n in range(int((end - start) / seconds))]


def but(times: list[float], start: float, end: float) -> list[float]:
    """Leave out the times within (start, end)."""
    return [time for time in times if not start < time < end]


STEADY = every(1 / 64, EPOCH, ENDED)


def test_steady_writes_have_no_outage() -> None:
    found = seen(STEADY)
    assert (found.rto_first, found.rto_steady) == (0.0, 0.0)
    assert found.gap == 1 / 64
    assert (found.gaps, found.errors) == (0, 0)


def test_outage_ends_with_the_first_acknowledgement() -> None:
    found = seen(but(STEADY, INJECT + 1, INJECT + 5))
    assert (found.gap, found.gap_from, found.gaps) == (4.0, 11.0, 1)
    assert (found.rto_first, found.rto_steady) == (5.0, 5.0)


def test_the_last_outage_counts() -> None:
    found = seen(but(but(STEADY, INJECT + 1, INJECT + 5), INJECT + 6, INJECT + 8))
    assert (found.gap, found.gaps) == (4.0, 2)
    assert found.rto_first == 8.0


def test_gap_in_progress_at_injection_counts_whole() -> None:
    found = seen(but(STEADY, INJECT - 1, INJECT + 2))
    assert (found.gap, found.gap_from) == (3.0, 9.0)
    assert found.rto_first == 2.0


def test_gap_that_ended_before_the_injection_is_no_outage() -> None:
    found = seen(but(STEADY, INJECT - 5, INJECT - 3))
    assert (found.gap, found.gaps, found.rto_first) == (1 / 64, 0, 0.0)


@pytest.mark.parametrize(("seconds", "rto"), [(1.0, 3.0), (0.5, 0.0)])
def test_gap_below_a_second_is_no_outage(seconds: float, rto: float) -> None:
    assert seen(but(STEADY, INJECT + 3 - seconds, INJECT + 3)).rto_first == rto


@pytest.mark.parametrize(("seconds", "rto"), [(6.0, 9.0), (5.5, 0.0)])
def test_outage_is_three_times_as_long_as_any_gap_before(seconds: float, rto: float) -> None:
    stalled = but(STEADY, EPOCH + 2, EPOCH + 4)
    found = seen(but(stalled, INJECT + 9 - seconds, INJECT + 9))
    assert found.rto_first == rto
    assert found.gap == seconds


def test_start_of_the_writers_is_no_gap_before() -> None:
    found = seen(but(STEADY[64 * 5 :], INJECT + 1, INJECT + 3))
    assert found.rto_first == 3.0


def test_outage_until_the_end_has_no_recovery() -> None:
    found = seen(but(STEADY, INJECT + 1, ENDED))
    assert (found.rto_first, found.rto_steady) == (None, None)
    assert found.gap == 19.0


def test_without_any_write_all_the_time_is_a_gap() -> None:
    found = seen([])
    assert (found.gap, found.gap_from, found.gaps) == (30.0, 0.0, 1)
    assert (found.rto_first, found.rto_steady) == (None, None)


def test_silence_shorter_than_an_outage_at_the_end_is_none() -> None:
    assert seen(but(STEADY, ENDED - 0.5, ENDED)).rto_first == 0.0


def test_steady_rate_comes_later_than_the_first_write() -> None:
    slow = [INJECT + 4, INJECT + 4.5, INJECT + 5, INJECT + 5.5]
    fast = every(1 / 64, INJECT + 6, ENDED)
    found = seen([time for time in STEADY if time < INJECT] + slow + fast)
    assert found.rto_first == 4.0
    # 52 of the 64 a second are enough; the window that has them first ends with the 52nd fast one
    assert found.rto_steady == 6.0 + 51 / 64 - 1


def test_window_has_both_its_ends() -> None:
    found = seen(every(0.5, EPOCH, INJECT) + every(1, INJECT, ENDED))
    assert (found.rto_first, found.rto_steady) == (0.0, 0.0)


def test_rate_that_is_not_reached_again_is_none() -> None:
    before = [time for time in STEADY if time < INJECT]
    found = seen(before + every(1 / 32, INJECT + 3, ENDED))
    assert (found.rto_first, found.rto_steady) == (3.0, None)


def test_slow_without_an_outage_is_steady_later() -> None:
    before = [time for time in STEADY if time < INJECT]
    slow, fast = every(1 / 4, INJECT, INJECT + 5), every(1 / 64, INJECT + 5, ENDED)
    found = seen(before + slow + fast)
    assert found.rto_first == 0.0
    assert found.rto_steady == pytest.approx(4.8, abs=0.1)


def test_nothing_before_the_injection_asks_for_one_write() -> None:
    found = seen([INJECT + 5])
    assert (found.rto_first, found.rto_steady) == (None, None)
    later = seen(every(1 / 64, INJECT + 5, ENDED))
    assert (later.rto_first, later.rto_steady) == (5.0, 5.0)


def test_injection_at_the_beginning_has_no_rate_before() -> None:
    found = measure(
        [insert(1, EPOCH + 0.5)], epoch=EPOCH, inject=EPOCH, healed=None, ended=EPOCH + 1
    )
    assert (found.intervals[0].rate, found.rto_steady) == (0.0, 0.0)


def connect(at: float, completion: Completion) -> Operation:
    return Operation(1, OperationKind.CONNECT, 1, at - 0.1, at, completion)


def test_errors_are_those_of_operations_and_connections() -> None:
    found = seen(
        STEADY,
        [
            insert(1, INJECT + 1, Completion.INFO, writer=1),
            insert(2, INJECT + 2, Completion.FAIL, writer=1),
            connect(INJECT + 3, Completion.FAIL),
            connect(INJECT + 4, Completion.OK),
            Operation(2, OperationKind.INSERT, 1, INJECT, None, Completion.INFO),
            insert(3, ENDED, Completion.INFO, writer=1),
        ],
    )
    assert found.errors == 3
    assert [interval.errors for interval in found.intervals] == [0, 3, 0]
    assert sum(interval.acknowledged for interval in found.intervals) == len(STEADY)


def test_interval_has_rate_and_latency_of_what_was_acknowledged_in_it() -> None:
    operations = [
        Operation(0, OperationKind.INSERT, n, INJECT + 5 - n / 1000, INJECT + 5, Completion.OK)
        for n in range(1, 1001)
    ]
    before, during, after = seen(STEADY[: 64 * 10], operations).intervals
    assert (before.interval, before.acknowledged, before.rate) == ("before", 640, 64.0)
    assert (before.p50, before.p999) == (10.0, 10.0)
    assert (during.interval, during.acknowledged, during.rate) == ("during", 1000, 100.0)
    assert (during.p50, during.p99, during.p999, during.worst) == (500.0, 990.0, 999.0, 1000.0)
    assert (after.interval, after.acknowledged, after.rate) == ("after", 0, 0.0)
    assert (after.p50, after.p99, after.p999, after.worst) == (None, None, None, None)


def test_percentile_is_one_of_the_values() -> None:
    latencies = [0.010, 0.020, 0.030]
    found = seen(
        [], [Operation(0, OperationKind.INSERT, 1, 101, 101 + n, Completion.OK) for n in latencies]
    )
    assert (found.intervals[0].p50, found.intervals[0].p99) == (20.0, 30.0)


def test_fault_that_was_not_healed_lasts_until_the_end() -> None:
    _, during, after = seen(STEADY, healed=None).intervals
    assert during.acknowledged == 64 * 20
    assert (after.acknowledged, after.rate) == (0, 0.0)


def test_bins_cover_the_whole_time() -> None:
    found = seen(but(STEADY, INJECT, INJECT + 5), [insert(1, EPOCH + 9.1, Completion.INFO)])
    assert len(found.bins) == 120
    assert [found.bins[n].acknowledged for n in (0, 39, 40, 41, 60)] == [16, 16, 1, 0, 16]
    assert (found.bins[0].p50, found.bins[0].worst) == (10.0, 10.0)
    assert (found.bins[41].p50, found.bins[41].worst) == (None, None)
    assert [place for place, part in enumerate(found.bins) if part.errors] == [36]


def test_last_bin_may_be_narrower() -> None:
    found = seen(STEADY, bin_seconds=7)
    assert [part.acknowledged for part in found.bins] == [448, 448, 448, 448, 128]


Ticks = list[int]
"""Times in 64ths of a second after the epoch: exact as floats."""


def slow_recovery(acks: Ticks, inject: int, ended: int) -> tuple[int, int, int | None, int | None]:
    """Give gap, its begin, and the two recovery times, looking at every moment there is."""
    before = sorted(tick for tick in acks if tick < inject)
    after = sorted(tick for tick in acks if inject <= tick < ended)
    stalls = [later - sooner for sooner, later in pairwise(before)]
    gaps = list(pairwise([before[-1] if before else 0, *after, ended]))
    gap = max(later - sooner for sooner, later in gaps)
    gap_from = next(sooner for sooner, later in gaps if later - sooner == gap)
    least = max([64, *(3 * stall for stall in stalls)])
    outages = [gap for gap in gaps if gap[1] - gap[0] >= least]
    if outages and outages[-1][1] == ended:
        return gap, gap_from, None, None
    over = outages[-1][1] if outages else inject
    rate = len(before) / (inject / 64)
    for start in range(over, ended):
        count = sum(start <= tick <= start + 64 for tick in after)
        if count > 0 and count >= 0.8 * rate:
            return gap, gap_from, over - inject, start - inject
    return gap, gap_from, over - inject, None


@given(
    st.lists(st.integers(0, 600), max_size=60),
    st.integers(1, 300),
    st.integers(1, 300),
)
def test_recovery_agrees_with_the_model(acks: Ticks, inject: int, more: int) -> None:
    ended = inject + more
    found = measure(
        [insert(n, EPOCH + tick / 64) for n, tick in enumerate(acks, start=1)],
        epoch=EPOCH,
        inject=EPOCH + inject / 64,
        healed=None,
        ended=EPOCH + ended / 64,
    )
    times = (found.gap, found.gap_from, found.rto_first, found.rto_steady)
    ticks = tuple(None if time is None else time * 64 for time in times)
    assert ticks == slow_recovery(acks, inject, ended)
    counted = sum(tick < ended for tick in acks)
    assert sum(interval.acknowledged for interval in found.intervals) == counted
    assert sum(part.acknowledged for part in found.bins) == counted
