"""The only waits: `wait_until` something becomes true, and check that it `stays_true`.

Both poll a snapshot. Their errors say what was waited for, how long, and what was last seen.
"""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_exponential,
    wait_fixed,
)

from landfast.errors import LandfastError
from landfast.timeouts import patient

T = TypeVar("T")
_log = logging.getLogger(__name__)
_log.setLevel(logging.INFO)  # pytest collects it; without pytest only warnings are printed
_FIRST_INTERVAL = 0.05  # most waits end within a fraction of a second


class WaitTimeout(LandfastError):
    """A wait ran out; the message has the time, the last state and the last error.

    It is not a verdict on a claim: only `Steps.verify` turns it into one.
    """


class NotStable(LandfastError, AssertionError):
    """Something that had to stay true did not; the message says when, and what was seen."""


def wait_until(
    what: str,
    poll: Callable[[], T],
    *,
    until: Callable[[T], bool] = bool,
    timeout: float,
    interval: float = 0.25,
    successes: int = 1,
    ignoring: tuple[type[Exception], ...] = (),
    give_up: Callable[[T], str | None] = lambda _state: None,
    describe: Callable[[T], str] = repr,
) -> T:
    """Poll until `until(state)` holds and return that state.

    Each change of the described state is logged (INFO): pytest shows the log of a test that fails.

    Args:
        what: what is waited for; it is read after "waited for" (`pod mysql-0 to be ready`).
        poll: takes one snapshot of the state.
        until: whether a state is the one waited for.
        timeout: seconds until `WaitTimeout`, stretched by the run's patience.
        interval: seconds between polls; the first polls follow each other faster.
        successes: how many polls in a row, an interval apart, must find the state.
        ignoring: errors of `poll` that may pass; any other error is raised at once.
        give_up: why more waiting is pointless (a terminal state), or None.
        describe: how a state reads in the error and in the log.

    Raises:
        WaitTimeout: the time is over, or `give_up` returned a reason.
    """
    started = time.monotonic()
    last_state = "none was seen"
    in_a_row = 0

    def look() -> tuple[bool, T]:
        nonlocal in_a_row, last_state
        before, in_a_row = in_a_row, 0
        state = poll()
        if until(state):
            in_a_row = before + 1
            if in_a_row >= successes:
                return True, state
        if (described := describe(state)) != last_state:
            last_state = described
            elapsed = time.monotonic() - started
            _log.info("waiting for %s: %s after %.1f s", what, described, elapsed)
        if in_a_row == 0 and (reason := give_up(state)):
            raise WaitTimeout(
                f"gave up waiting for {what} after {time.monotonic() - started:.1f} s: {reason}; "
                f"last state: {last_state}"
            )
        return False, state

    def time_out(attempt: RetryCallState) -> tuple[bool, T]:
        error = attempt.outcome.exception() if attempt.outcome else None
        after = f"; last error: {error}" if error else ""
        raise WaitTimeout(
            f"waited {time.monotonic() - started:.1f} s for {what}; last state: {last_state}{after}"
        ) from error

    growing = wait_exponential(multiplier=_FIRST_INTERVAL, max=interval)
    retrying = Retrying(
        stop=stop_after_delay(patient(timeout)),
        wait=lambda attempt: interval if in_a_row else growing(attempt),
        retry=retry_if_result(lambda found: not found[0]) | retry_if_exception_type(ignoring),
        retry_error_callback=time_out,
    )
    _, state = retrying(look)
    return state


def stays_true(
    what: str,
    poll: Callable[[], T],
    *,
    holds: Callable[[T], bool] = bool,
    seconds: float,
    interval: float = 0.25,
    describe: Callable[[T], str] = repr,
) -> T:
    """Poll for `seconds`, at least once, that `holds(state)` is true; return the last state.

    Raises:
        NotStable: one poll found it false.
    """
    started = time.monotonic()

    def look() -> tuple[bool, T]:
        state = poll()
        elapsed = time.monotonic() - started
        if not holds(state):
            raise NotStable(f"{what} did not hold after {elapsed:.1f} s: {describe(state)}")
        return elapsed >= seconds, state

    retrying = Retrying(
        wait=wait_fixed(interval), retry=retry_if_result(lambda found: not found[0])
    )
    _, state = retrying(look)
    return state
