"""The only waits: `wait_until` something is the case, `stays_true` that it remains so.

Both poll a snapshot and say, when they fail, what was waited for, how long, and what was last seen.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

from landfast.errors import LandfastError
from landfast.timeouts import patient

T = TypeVar("T")


class WaitTimeout(LandfastError):
    """What was waited for did not come; the message has the time, the last state and last error.

    It is no verdict on a claim: only inside `Steps.verify` does it become one.
    """


class NotStable(LandfastError, AssertionError):
    """What had to stay true did not; the message says when it broke and what was seen."""


def wait_until(
    what: str,
    poll: Callable[[], T],
    *,
    until: Callable[[T], bool] = bool,
    timeout: float,
    interval: float = 0.25,
    ignoring: tuple[type[Exception], ...] = (),
    give_up: Callable[[T], str | None] = lambda _state: None,
    describe: Callable[[T], str] = repr,
) -> T:
    """Poll until `until(state)` holds, and give that state.

    Args:
        what: what is waited for, to be read after "waited for" (`pod mysql-0 to be ready`).
        poll: takes one snapshot of the state.
        until: whether the state is what was waited for.
        timeout: seconds until `WaitTimeout`, stretched by the run's patience.
        interval: seconds between polls.
        ignoring: errors of `poll` that may pass by themselves; any other one is raised at once.
        give_up: says why waiting on is pointless (a terminal state), or None.
        describe: how a state reads in the error.

    Raises:
        WaitTimeout: the time is over, or `give_up` gave a reason.
    """
    started = time.monotonic()

    def check() -> tuple[bool, T]:
        state = poll()
        if until(state):
            return True, state
        if reason := give_up(state):
            raise WaitTimeout(
                f"gave up waiting for {what} after {time.monotonic() - started:.1f} s: {reason}; "
                f"last state: {describe(state)}"
            )
        return False, state

    last_state = "none was seen"

    def remember(attempt: RetryCallState) -> None:
        nonlocal last_state
        if attempt.outcome and not attempt.outcome.failed:
            last_state = describe(attempt.outcome.result()[1])

    def time_out(attempt: RetryCallState) -> tuple[bool, T]:
        remember(attempt)
        error = attempt.outcome.exception() if attempt.outcome else None
        after = f"; last error: {error}" if error else ""
        raise WaitTimeout(
            f"waited {time.monotonic() - started:.1f} s for {what}; last state: {last_state}{after}"
        ) from error

    retrying = Retrying(
        stop=stop_after_delay(patient(timeout)),
        wait=wait_fixed(interval),
        retry=retry_if_result(lambda outcome: not outcome[0]) | retry_if_exception_type(ignoring),
        after=remember,
        retry_error_callback=time_out,
    )
    _, state = retrying(check)
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
    """Poll for `seconds` that `holds(state)` remains true, and give the last state.

    Raises:
        NotStable: it was not true once.
    """
    started = time.monotonic()

    def check() -> tuple[bool, T]:
        state = poll()
        elapsed = time.monotonic() - started
        if not holds(state):
            raise NotStable(f"{what} did not hold after {elapsed:.1f} s: {describe(state)}")
        return elapsed >= seconds, state

    retrying = Retrying(wait=wait_fixed(interval), retry=retry_if_result(lambda o: not o[0]))
    _, state = retrying(check)
    return state
