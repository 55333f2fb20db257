"""The only place that starts a program: an argument list, a time limit, a readable error."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from landfast.errors import BadInput, LandfastError
from landfast.timeouts import patient

_LAST_LINES = 12
# A run that is killed must not leave a `kind create cluster` behind that goes on making nodes.
_DIES_WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


@dataclass(frozen=True)
class Result:
    """What a program did. `stdout` and `stderr` are text; undecodable bytes are replaced."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float


class ProcessError(LandfastError):
    """A program ended with an error or did not end in time; the message has its last lines."""

    def __init__(self, argv: Sequence[str], what: str, output: str, stderr: str = "") -> None:
        lines = [line for line in (stderr or output).splitlines() if line.strip()][-_LAST_LINES:]
        said = "\n  ".join(lines) if lines else "(it printed nothing)"
        super().__init__(f"`{shlex.join(argv)[:400]}` {what}:\n  {said}")
        self.stderr = stderr


def find_program(name: str, env: Mapping[str, str] | None = None) -> str | None:
    """Give the path of a program on PATH (`env`'s, if it has one) or in sbin, or None."""
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
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Result:
    """Run a program to its end and give what it printed.

    Args:
        argv: the program and its arguments; never a shell line.
        timeout: seconds, stretched by the run's patience; then the program and all that it
            started are killed.
        check: whether a non-zero exit code raises.
        text: what it reads from standard input.
        stdin: a file to read from instead.
        log: a file that gets standard output and standard error, for long builds.
        env: variables to add to this process's own.
        cwd: the folder to run in.

    Raises:
        BadInput: there is no such program.
        ProcessError: it failed (with `check`) or did not end in time.
    """
    command = [str(argument) for argument in argv]
    program = find_program(command[0], env)
    if program is None:
        raise BadInput(f"the program {command[0]} is not installed, or not on PATH")
    started = time.monotonic()
    with contextlib.ExitStack() as files:
        out: int | object = subprocess.PIPE
        err: int | object = subprocess.PIPE
        if log is not None:
            out, err = files.enter_context(log.open("wb")), subprocess.STDOUT
        source: int | object = subprocess.PIPE if text is not None else subprocess.DEVNULL
        if stdin is not None:
            source = files.enter_context(stdin.open("rb"))
        try:
            process = subprocess.Popen(
                [*_DIES_WITH_US, program, *command[1:]],
                stdin=source,  # type: ignore[arg-type]
                stdout=out,  # type: ignore[arg-type]
                stderr=err,  # type: ignore[arg-type]
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
            seen: bytes = error.stderr or error.stdout or b""
            if log is not None:
                seen = log.read_bytes()
            raise ProcessError(
                command, f"did not end within {patient(timeout):g} s", seen.decode(errors="replace")
            ) from error
        except BaseException:
            _kill(process)
            raise
    result = Result(
        tuple(command),
        process.returncode,
        (output or b"").decode(errors="replace"),
        (errors or b"").decode(errors="replace"),
        time.monotonic() - started,
    )
    if check and result.returncode != 0:
        said = log.read_text(errors="replace") if log is not None else result.stdout
        raise ProcessError(
            command, f"ended with exit code {result.returncode}", said, result.stderr
        )
    return result


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what it was to read, it will not read any more
                pipe.close()


def start_daemon(argv: Sequence[str | Path], *, log: Path, env: Mapping[str, str]) -> int:
    """Start a program that outlives this one, its output going to `log`; give its process id."""
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
    process.returncode = 0  # it is not ours to wait for: keeps Popen from warning when collected
    return process.pid


def start_time(pid: int) -> int | None:
    """Give when a process started (clock ticks since boot), or None if it does not run.

    With the process id it names one process: ids are used again, the pair is not.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


@contextlib.contextmanager
def running(
    argv: Sequence[str | Path], *, log: Path, text: str, end_seconds: float
) -> Iterator[None]:
    """Run a program beside the body; then ask it to end (SIGTERM), and end it if it does not.

    It ends with this process. `text` is what it reads from standard input, `log` gets its output.

    Raises:
        ProcessError: it ended with an error, or by itself before the body did.
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
        with contextlib.suppress(BrokenPipeError):  # it ended already: said below
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
