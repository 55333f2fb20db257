"""The waits, on a clock that needs no waiting."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import tenacity
from hypothesis import given
from hypothesis import strategies as st

from landfast import timeouts, waiting
from landfast.waiting import NotStable, WaitTimeout, stays_true, wait_until


@dataclass
class FakeTime:
    """Stands in for the module `time`: sleeping moves the clock."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def install(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr(waiting, "time", fake)
    monkeypatch.setattr(tenacity, "time", fake)
    monkeypatch.setattr("tenacity.nap.time", fake)
    return fake


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    return install(monkeypatch)


def states(*values: object) -> Iterator[object]:
    yield from values
    while True:
        yield values[-1]


def test_returns_the_state_that_was_waited_for(clock: FakeTime) -> None:
    snapshots = states("Pending", "Running")
    found = wait_until(
        "the pod", lambda: next(snapshots), until=lambda s: s == "Running", timeout=9
    )
    assert found == "Running"
    assert clock.now == 1000.05


def test_polls_slow_down_to_the_interval(clock: FakeTime) -> None:
    polled: list[float] = []

    def poll() -> bool:
        polled.append(clock.now - 1000)
        return False

    with pytest.raises(WaitTimeout):
        wait_until("it", poll, timeout=1.2, interval=0.3)
    assert polled == pytest.approx([0, 0.05, 0.15, 0.35, 0.65, 0.95, 1.25])


def test_a_state_that_holds_at_once_is_not_waited_for(clock: FakeTime) -> None:
    assert wait_until("anything", lambda: 7, timeout=0) == 7
    assert clock.now == 1000


def test_the_message_has_what_how_long_and_the_last_state(clock: FakeTime) -> None:
    with pytest.raises(
        WaitTimeout, match=r"^waited 60\.1 s for pod mysql-0 to be Running; last state: 'Pending'$"
    ):
        wait_until(
            "pod mysql-0 to be Running",
            lambda: "Pending",
            until=lambda s: s == "Running",
            timeout=60,
        )
    assert clock.now == pytest.approx(1060, abs=0.25)


def test_the_message_has_the_last_state_in_the_callers_words() -> None:
    with pytest.raises(WaitTimeout, match=r"last state: 3 of 5$"):
        wait_until("all", lambda: 3, until=lambda n: n == 5, timeout=1, describe="{} of 5".format)


def test_an_error_that_may_pass_is_polled_through() -> None:
    calls = iter([OSError("refused"), OSError("refused"), None])

    def poll() -> str:
        if error := next(calls):
            raise error
        return "there"

    assert wait_until("it", poll, timeout=9, ignoring=(OSError,)) == "there"


def test_the_message_has_the_last_error_and_the_state_before_it() -> None:
    calls = iter(["starting"])

    def poll() -> str:
        for state in calls:
            return state
        raise OSError("connection refused")

    with pytest.raises(
        WaitTimeout, match=r"last state: 'starting'; last error: connection refused$"
    ) as caught:
        wait_until("it", poll, until=lambda _: False, timeout=1, ignoring=(OSError,))
    assert isinstance(caught.value.__cause__, OSError)


def test_without_any_state_the_message_says_so() -> None:
    def poll() -> str:
        raise OSError("connection refused")

    with pytest.raises(WaitTimeout, match=r"last state: none was seen; last error: connection"):
        wait_until("it", poll, timeout=1, ignoring=(OSError,))


def test_any_other_error_ends_the_wait_at_once(clock: FakeTime) -> None:
    def poll() -> str:
        raise KeyError("spec")

    with pytest.raises(KeyError, match="spec"):
        wait_until("it", poll, timeout=60, ignoring=(OSError,))
    assert clock.now == 1000


def test_a_terminal_state_is_given_up_on(clock: FakeTime) -> None:
    snapshots = states("Pending", "Failed")
    with pytest.raises(
        WaitTimeout,
        match=r"^gave up waiting for the pod after 0\.\d s: it has failed; last state: 'Failed'$",
    ):
        wait_until(
            "the pod",
            lambda: next(snapshots),
            until=lambda s: s == "Running",
            give_up=lambda s: "it has failed" if s == "Failed" else None,
            timeout=60,
        )
    assert clock.now < 1001


def test_what_was_waited_for_wins_over_giving_up() -> None:
    assert wait_until("it", lambda: 1, timeout=1, give_up=lambda _: "never") == 1


def test_stays_true_looks_until_the_end(clock: FakeTime) -> None:
    assert stays_true("the PVC", lambda: "Pending", seconds=10) == "Pending"
    assert clock.now == pytest.approx(1010, abs=0.3)


def test_stays_true_says_when_it_broke_and_what_was_seen() -> None:
    snapshots = states("Pending", "Pending", "Bound")
    with pytest.raises(
        NotStable, match=r"^the PVC staying Pending did not hold after 0\.5 s: 'Bound'$"
    ):
        stays_true(
            "the PVC staying Pending",
            lambda: next(snapshots),
            holds=lambda s: s == "Pending",
            seconds=10,
        )


def test_stays_true_looks_at_least_once() -> None:
    with pytest.raises(NotStable):
        stays_true("it", lambda: False, seconds=0)


def test_stays_true_for_no_time_polls_once(clock: FakeTime) -> None:
    polls = iter([True])
    assert stays_true("it", lambda: next(polls), seconds=0)
    assert clock.now == 1000


def test_only_what_did_not_stay_true_is_a_failed_assertion() -> None:
    assert not issubclass(WaitTimeout, AssertionError)
    assert issubclass(NotStable, AssertionError)


def _end_of_first_run(snapshots: list[bool], length: int) -> int | None:
    """Return the number of polls until `length` in a row are true, or None."""
    ends = range(length, len(snapshots) + 1)
    return next((end for end in ends if all(snapshots[end - length : end])), None)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 4))
def test_successes_are_counted_in_a_row(snapshots: list[bool], successes: int) -> None:
    polls = iter(snapshots)
    with pytest.MonkeyPatch.context() as patch:
        install(patch)

        def wait() -> bool:
            return wait_until("it", lambda: next(polls, False), timeout=9, successes=successes)

        expected = _end_of_first_run(snapshots, successes)
        if expected is None:
            with pytest.raises(WaitTimeout):
                wait()
        else:
            assert wait()
        assert len(list(polls)) == len(snapshots) - (expected or len(snapshots))


@given(st.floats(0, 30), st.floats(0.1, 3))
def test_stays_true_covers_the_whole_time_and_at_most_one_interval_more(
    seconds: float, interval: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = install(patch)
        stays_true("it", lambda: True, seconds=seconds, interval=interval)
        assert seconds - 1e-6 <= clock.now - 1000 <= seconds + interval + 1e-6


def test_an_error_ends_a_row_of_successes() -> None:
    calls: Iterator[bool | OSError] = iter([True, OSError("refused"), True, True])
    seen = 0

    def poll() -> bool:
        nonlocal seen
        seen += 1
        call = next(calls)
        if isinstance(call, OSError):
            raise call
        return call

    assert wait_until("it", poll, timeout=9, successes=2, ignoring=(OSError,))
    assert seen == 4


def test_the_log_has_each_change_of_state_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "landfast.waiting")
    snapshots = states("Pending", "Pending", "Running", "Running", "Ready")
    wait_until("the pod", lambda: next(snapshots), until=lambda s: s == "Ready", timeout=9)
    assert [record.message for record in caplog.records] == [
        "waiting for the pod: 'Pending' after 0.0 s",
        "waiting for the pod: 'Running' after 0.1 s",
    ]


def test_patience_stretches_a_limit_but_not_how_long_a_state_must_last(
    clock: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "_factor", 3.0)
    with pytest.raises(WaitTimeout, match=r"^waited 30\.1 s for it"):
        wait_until("it", lambda: False, timeout=10)
    stays_true("it", lambda: True, seconds=10)
    assert clock.now == pytest.approx(1040, abs=0.5)
