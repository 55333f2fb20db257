"""Run programs. Nothing else starts one: argument list, time limit, readable error."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from landfast.errors import BadInput, LandfastError
from landfast.timeouts import patient

_LAST_LINES = 12
# A killed run must not leave a `kind create cluster` that goes on creating nodes. Without setpriv
# (util-linux) all else works: such a program ends by itself, and `landfast cleanup` removes what it
# created.
_DIES_WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


@dataclass(frozen=True)
class Result:
    """The result of a program: `stdout` and `stderr` are text, undecodable bytes replaced."""

    returncode: int
    stdout: str
    stderr: str


class ProcessError(LandfastError):
    """A program failed or did not end in time; the message ends with its last lines."""

    def __init__(self, argv: Sequence[str], what: str, output: str, stderr: str = "") -> None:
        lines = [line for line in (stderr or output).splitlines() if line.strip()][-_LAST_LINES:]
        said = "\n  ".join(lines) if lines else "(it printed nothing)"
        super().__init__(f"`{shlex.join(argv)[:400]}` {what}:\n  {said}")

    @property
    def last_line(self) -> str:
        """The last thing that the program printed."""
        return str(self).splitlines()[-1].strip()


def find_program(name: str, env: Mapping[str, str] | None = None) -> str | None:
    """Return the path of a program on PATH (`env`'s, if set) or in sbin, or None."""
    path = (env or {}).get("PATH") or os.environ.get("PATH", "")
    return shutil.which(name, path=f"{path}:/usr/sbin:/sbin")


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    check: bool = True,
    text: str | None = None,
    stdin: Path | None = None,
    log: Path | None = None,
    live: bool = False,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Result:
    """Run a program to its end and return what it printed.

    Args:
        argv: the program and its arguments; never a shell line.
        timeout: seconds, stretched by the run's patience; then the program and everything it
            started are killed.
        check: whether a non-zero exit code raises.
        text: standard input.
        stdin: a file to read standard input from.
        log: a file for standard output and standard error, for long builds.
        live: whether it prints where this process prints, so that the result has no output.
        env: variables to add to those of this process.
        cwd: the folder to run in.

    Raises:
        BadInput: the program does not exist or cannot be run.
        ProcessError: it failed (with `check`) or did not end in time.
    """
    command = [str(argument) for argument in argv]
    program = find_program(command[0], env)
    if program is None:
        raise BadInput(f"the program {command[0]} is not installed, or not on PATH")
    with contextlib.ExitStack() as files:
        out: Any = files.enter_context(log.open("wb")) if log else None if live else subprocess.PIPE
        source: Any = subprocess.DEVNULL if text is None else subprocess.PIPE
        if stdin is not None:
            source = files.enter_context(stdin.open("rb"))
        try:
            process = subprocess.Popen(
                [*_DIES_WITH_US, program, *command[1:]],
                stdin=source,
                stdout=out,
                stderr=subprocess.STDOUT if log else out,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise BadInput(f"{program} cannot be run: {error.strerror}") from error
        try:
            output, errors = process.communicate(
                None if text is None else text.encode(), timeout=patient(timeout)
            )
        except subprocess.TimeoutExpired as error:
            _kill(process)
            seen = log.read_bytes() if log else error.stderr or error.stdout or b""
            if live:
                seen = b"(its output is above)"
            raise ProcessError(
                command, f"did not end within {patient(timeout):g} s", seen.decode(errors="replace")
            ) from error
        except BaseException:
            _kill(process)
            raise
    stdout, stderr = ((part or b"").decode(errors="replace") for part in (output, errors))
    if check and process.returncode != 0:
        said = log.read_text(errors="replace") if log else stdout
        raise ProcessError(command, f"ended with exit code {process.returncode}", said, stderr)
    return Result(process.returncode, stdout, stderr)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):  # the program no longer reads its input
                pipe.close()


def outliving(argv: Sequence[str | Path], *, log: Path) -> "subprocess.Popen[bytes]":
    """Start a program that goes on when this process ends; its standard input ends then.

    Its standard output can be read, its standard error is in `log`.
    """
    with log.open("ab") as errors:
        return subprocess.Popen(
            [str(argument) for argument in argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )


def start_daemon(argv: Sequence[str | Path], *, log: Path, env: Mapping[str, str]) -> int:
    """Start a program that outlives this one and logs to `log`; return its process id."""
    command = [str(argument) for argument in argv]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            executable=find_program(command[0], env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
            start_new_session=True,
        )
    process.returncode = 0  # nobody waits for it: keeps Popen from warning when collected
    return process.pid


def start_time(pid: int) -> int | None:
    """Return when a process started, in 1/100 s since boot; None if it does not run or is a zombie.

    Process ids are reused; with its start time an id names one process. Times count from boot
    because the wall clock may be set while the process runs.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return round(100 * (process.create_time() - psutil.boot_time()))
    except psutil.NoSuchProcess:
        return None


@contextlib.contextmanager
def running(
    argv: Sequence[str | Path], *, log: Path, text: str, end_seconds: float
) -> Iterator[None]:
    """Run a program beside the body, with `text` as its input and its output in `log`.

    Then ask it to end (SIGTERM), and kill it after `end_seconds`. It dies with this process.

    Raises:
        ProcessError: it failed, or ended before the body did.
    """
    command = [str(argument) for argument in argv]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_DIES_WITH_US, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        assert process.stdin is not None  # noqa: S101 - asked for above
        with contextlib.suppress(BrokenPipeError):  # it has ended: reported below
            process.stdin.write(text.encode())
            process.stdin.close()
        yield
        early = process.poll()
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(end_seconds)
    finally:
        _kill(process)
    if early is not None or process.returncode != 0:
        what = f"ended with exit code {process.returncode}" + ("" if early is None else " too soon")
        raise ProcessError(command, what, log.read_text(errors="replace"))
