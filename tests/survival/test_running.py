"""Programs beside a body: fed, logged, asked to end, and never left behind."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from landfast import process
from landfast.process import ProcessError
from landfast.waiting import wait_until

Running = Callable[..., AbstractContextManager[None]]
_ENDS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit({code})); "
_DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
_SAYS = "import os; print(os.getpid(), input(), flush=True); "
_WAITS = "import signal; signal.pause()"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def running(log: Path) -> Running:
    def start(code: str, *, text: str = "a word", end_seconds: float = 10) -> object:
        argv = [sys.executable, "-c", code]
        return process.running(argv, log=log, text=text, end_seconds=end_seconds)

    return start  # type: ignore[return-value]


def said(log: Path) -> tuple[int, str]:
    """Wait for the program's first line: its process id and what it read."""
    line = wait_until("its first line", log.read_text, until=lambda t: t.endswith("\n"), timeout=20)
    pid, _, word = line.strip().partition(" ")
    return int(pid), word


def test_it_reads_a_text_logs_and_ends_when_asked(log: Path, running: Running) -> None:
    with running(_ENDS.format(code=0) + _SAYS + _WAITS):
        pid, word = said(log)
        assert process.start_time(pid) is not None
    assert word == "a word"
    assert process.start_time(pid) is None


def test_it_has_a_session_of_its_own(log: Path, running: Running) -> None:
    with running(_ENDS.format(code=0) + _SAYS + _WAITS):
        pid, _ = said(log)
        assert os.getsid(pid) == pid  # Ctrl-C at the terminal is not for it


def test_an_error_at_its_end_is_raised(log: Path, running: Running) -> None:
    with (
        pytest.raises(ProcessError, match=r"ended with exit code 3:\n  \d+ a word"),
        running(_ENDS.format(code=3) + _SAYS + _WAITS),
    ):
        said(log)


def end_by_itself(log: Path) -> None:
    pid, _ = said(log)
    wait_until("it to end", lambda: process.start_time(pid) is None, timeout=20)


@pytest.mark.parametrize("code", [0, 5])
def test_an_end_by_itself_is_too_soon(log: Path, running: Running, code: int) -> None:
    with (
        pytest.raises(ProcessError, match=rf"exit code {code} too soon:\n  \d+ a word"),
        running(f"{_SAYS}os._exit({code})"),
    ):
        end_by_itself(log)


def test_it_need_not_read(running: Running, log: Path) -> None:
    with (
        pytest.raises(ProcessError, match="exit code 4 too soon"),
        running("import os; print(os.getpid(), flush=True); os._exit(4)", text="x" * (1 << 20)),
    ):
        end_by_itself(log)


def test_one_that_does_not_end_is_ended(log: Path, running: Running) -> None:
    with (
        pytest.raises(ProcessError, match=r"ended with exit code -9:\n  \d+ a word"),
        running(f"{_DEAF}{_SAYS}{_WAITS}", end_seconds=0.2),
    ):
        said(log)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("of the body")])
def test_if_the_body_breaks_off_it_is_ended_at_once(
    log: Path, running: Running, error: BaseException
) -> None:
    def body() -> None:
        said(log)
        raise error

    with pytest.raises(type(error)), running(f"{_DEAF}{_SAYS}{_WAITS}"):
        body()
    pid, _ = said(log)
    assert process.start_time(pid) is None
