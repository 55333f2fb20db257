"""Real programs, small ones, that do what programs do wrong."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from landfast import process
from landfast.errors import BadInput
from landfast.process import ProcessError, run
from landfast.waiting import wait_until

NO_SETPRIV = pytest.mark.skipif(not process.find_program("setpriv"), reason="setpriv is missing")


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_gone(pid: int) -> bool:
    return process.start_time(pid) is None


def test_returns_output_errors_and_code() -> None:
    result = run(
        python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"),
        timeout=20,
        check=False,
    )
    assert (result.stdout, result.stderr, result.returncode) == ("out\n", "err\n", 3)


def test_a_failure_has_the_command_the_code_and_the_last_lines() -> None:
    code = "import sys; [print(n, file=sys.stderr) for n in range(50)]; sys.exit(9)"
    with pytest.raises(ProcessError, match=r"ended with exit code 9:\n") as caught:
        run(python(code), timeout=20)
    assert str(caught.value).endswith("\n  48\n  49")
    assert "\n  37\n" not in str(caught.value)
    assert sys.executable in str(caught.value)


def test_a_failure_without_output_says_so() -> None:
    with pytest.raises(ProcessError, match=r"exit code 1:\n  \(it printed nothing\)$"):
        run(["false"], timeout=20)


def test_the_output_stands_in_for_errors_that_were_not_printed() -> None:
    with pytest.raises(ProcessError, match="what it said"):
        run(["sh", "-c", "echo what it said; exit 1"], timeout=20)


@pytest.mark.parametrize("argv", [["no-such-program-at-all"], ["/no/such/program"]])
def test_a_missing_program_is_bad_input(argv: list[str]) -> None:
    with pytest.raises(BadInput, match=rf"program {argv[0]} is not installed, or not on PATH$"):
        run(argv, timeout=1)


def test_a_file_that_is_not_executable_is_bad_input(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("no program")
    with pytest.raises(BadInput, match="not installed"):
        run([file], timeout=1)


def test_programs_are_found_on_the_path_that_is_given(tmp_path: Path) -> None:
    program = tmp_path / "landfast-test-program"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert run([program.name], timeout=20, env=env).stdout == "found\n"
    assert process.find_program(program.name) is None


def test_variables_are_added_to_those_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFAST_TEST_OLD", "old")
    result = run(
        ["sh", "-c", "echo $LANDFAST_TEST_OLD $LANDFAST_TEST_NEW"],
        timeout=20,
        env={"LANDFAST_TEST_NEW": "new"},
    )
    assert result.stdout == "old new\n"


def test_reads_a_text_a_file_or_nothing(tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_text("from a file")
    assert run(["cat"], timeout=20, text="ein Täxt\n").stdout == "ein Täxt\n"
    assert run(["cat"], timeout=20, stdin=file).stdout == "from a file"
    assert run(["cat"], timeout=20).stdout == ""


def test_bytes_that_are_not_text_are_replaced() -> None:
    assert run(["printf", r"\377ok"], timeout=20).stdout == "\ufffdok"


def test_a_log_gets_both_streams_and_the_error_has_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    with pytest.raises(ProcessError, match="undefined reference"):
        run(
            ["sh", "-c", "echo building; echo undefined reference >&2; exit 2"], timeout=20, log=log
        )
    assert log.read_text() == "building\nundefined reference\n"


def test_a_live_program_prints_where_this_one_prints(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["sh", "-c", "echo out; echo err >&2"], timeout=20, live=True).stdout == ""
    assert capfd.readouterr() == ("out\n", "err\n")


def test_runs_in_the_folder_that_is_given(tmp_path: Path) -> None:
    assert run(["pwd"], timeout=20, cwd=tmp_path).stdout.strip() == str(tmp_path)


# A grandchild that holds the output open and outlives its parent.
_FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("parent_lives", [60, 0.05], ids=["parent-runs", "parent-has-ended"])
def test_a_time_out_kills_everything_that_was_started(tmp_path: Path, parent_lives: float) -> None:
    note = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(ProcessError, match=r"did not end within 1 s"):
        run([*python(_FAMILY), note, str(parent_lives)], timeout=1)
    assert time.monotonic() - began < 10
    pid = int(note.read_text())
    wait_until("the grandchild to be gone", lambda: is_gone(pid), timeout=5)


def test_a_time_out_shows_what_was_printed_until_then(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"within 0.5 s:\n  half way$"):
        run(["sh", "-c", "echo half way; sleep 60"], timeout=0.5)
    with pytest.raises(ProcessError, match=r"within 0.5 s:\n  half way$"):
        run(["sh", "-c", "echo half way; sleep 60"], timeout=0.5, log=tmp_path / "log")


def test_ctrl_c_kills_what_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "pid"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.7)
        with pytest.raises(KeyboardInterrupt):
            run([*python(_FAMILY), note, "60"], timeout=60)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    pid = int(note.read_text())
    wait_until("the grandchild to be gone", lambda: is_gone(pid), timeout=5)


@NO_SETPRIV
def test_what_was_started_dies_with_a_run_that_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    inner = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    outer = f"from landfast.process import run; run({python(inner)!r}, timeout=60)"
    pid = process.start_daemon(python(outer), log=tmp_path / "log", env={})
    wait_until("the program to run", lambda: note.exists() and note.read_text(), timeout=20)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_until("it to be gone", lambda: is_gone(int(note.read_text())), timeout=5)


def test_a_daemon_outlives_its_starter_and_logs(tmp_path: Path) -> None:
    log = tmp_path / "log"
    pid = process.start_daemon(
        ["sh", "-c", "echo up $WORD; exec sleep 60"], log=log, env={"WORD": "now"}
    )
    try:
        wait_until("its first line", lambda: log.exists() and log.read_text(), timeout=5)
        assert log.read_text() == "up now\n"
        assert os.getsid(pid) == pid
        assert process.start_time(pid) is not None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert process.start_time(pid) is None


def test_a_zombie_has_no_start_time() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    try:
        wait_until("the child to be a zombie", lambda: process.start_time(pid) is None, timeout=5)
        assert Path(f"/proc/{pid}").exists()
    finally:
        os.waitpid(pid, 0)


def test_start_time_names_one_process() -> None:
    mine = process.start_time(os.getpid())
    assert mine is not None
    assert process.start_time(os.getpid()) == mine
    assert process.start_time(2**22 + 1) is None
