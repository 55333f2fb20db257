"""What looks at a pod's clock say of it: never more than is true."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from landfast.mysql.clocks import DRIFT, Look, offset_of
from landfast.verdict import Unknown

ROUNDING = 1e-6
DELAYS = st.floats(0, 2)
RATES = st.floats(-DRIFT, DRIFT)


@given(
    base=st.floats(-1e6, 1e6),
    rates=st.lists(RATES, min_size=1, max_size=6),
    delays=st.lists(st.tuples(st.floats(0, 5), DELAYS, DELAYS), min_size=1, max_size=6),
)
def test_the_true_offset_is_within_the_error_at_any_time(
    base: float, rates: list[float], delays: list[tuple[float, float, float]]
) -> None:
    """However slow the looks are, and however the clock is slewed within the bound."""
    since = now = 1000.0
    offset, looks, truth = base, [], [base]
    for number, (pause, before, after) in enumerate(delays):
        rate = rates[number % len(rates)]
        sent = now + pause
        at = sent + before
        offset += rate * (at - now)
        truth.append(offset)
        looks.append(Look(sent, at - offset, at + after))
        now = at
    last = looks[-1].received
    truth.append(offset + DRIFT * (last - now))
    found = offset_of(looks, since)
    assert all(abs(true - found.seconds) <= found.error + ROUNDING for true in truth)


def test_the_shortest_look_counts() -> None:
    slow, quick = Look(10, 3.0, 12), Look(13, 5.02, 13.1)
    found = offset_of([slow, quick], 10)
    assert found.seconds == pytest.approx(8.03)
    assert found.error == pytest.approx(0.05 + DRIFT * 3.1)


def test_a_clock_that_is_moved_is_noticed() -> None:
    """A virtual machine that was suspended, or a time daemon that slews as it likes."""
    with pytest.raises(Unknown, match="was moved by more than 0.0"):
        offset_of([Look(10, 3.0, 10.1), Look(20, 14.0, 20.1)], 10)
