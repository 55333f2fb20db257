"""A machine lives, dies and freezes as its container does."""

import socket
import statistics
import time
from collections.abc import Callable

import pytest

from landfast import timeouts
from landfast.docker import Engine
from landfast.machine.machine import Panic, raise_panic, wait_booted
from landfast.waiting import wait_until

_TIMES = 20
_ECHO = 7
_SERVE = f"socat TCP-LISTEN:{_ECHO},fork,reuseaddr EXEC:cat >/dev/null 2>&1 &"
_FROZEN_SECONDS = 1

Boot = Callable[[str], Engine]


def echoes(engine: Engine, name: str) -> bool:
    """Whether the machine sends back what it gets over its network."""
    sent = b"x" * (1 << 16)
    try:
        with socket.create_connection((engine.address(name), _ECHO), timeout=10) as connection:
            connection.sendall(sent)
            return connection.makefile("rb").read(len(sent)) == sent
    except OSError:
        return False


def serve(engine: Engine, name: str) -> None:
    """Have the machine answer, and wait until it does."""
    engine.execute(name, "sh", "-c", _SERVE)
    wait_until(f"{name} to answer", lambda: echoes(engine, name), timeout=timeouts.COMMAND)


def figures(what: str, seconds: list[float]) -> None:
    """Print the least, the median and the greatest of some times."""
    least, middle, most = min(seconds), statistics.median(seconds), max(seconds)
    print(f"{what}: {least:.1f} / {middle:.1f} / {most:.1f} s")  # noqa: T201


def test_it_boots_anew_after_each_kill(boot: Boot) -> None:
    """What was synced is there after 20 kills; what the machine only had in memory is not."""
    engine, seconds = boot("killed"), []
    for number in range(_TIMES):
        keep = f"echo {number} > /var/kept; sync /var/kept; echo {number} > /dev/shm/lost"
        engine.execute("killed", "sh", "-c", keep)
        engine.kill("killed")
        began = time.monotonic()
        engine.start("killed")
        wait_booted(engine, "killed")
        seconds.append(time.monotonic() - began)
        look = "cat /var/kept; ls /dev/shm"
        assert engine.execute("killed", "sh", "-c", look).stdout == f"{number}\n"
        serve(engine, "killed")
    figures(f"{_TIMES} kills, from start to the first program", seconds)


def test_it_goes_on_after_each_pause(boot: Boot) -> None:
    """A connection that was open before 20 pauses is open after them."""
    engine, seconds = boot("paused"), []
    serve(engine, "paused")
    with socket.create_connection((engine.address("paused"), _ECHO), timeout=30) as connection:
        answers = connection.makefile("rb")
        for number in range(_TIMES):
            engine.pause("paused")
            connection.sendall(b"%2d" % number)
            time.sleep(_FROZEN_SECONDS)  # how long it is frozen
            engine.unpause("paused")
            began = time.monotonic()
            assert answers.read(2) == b"%2d" % number
            seconds.append(time.monotonic() - began)
    figures(f"{_TIMES} pauses, from the end to the answer on an open connection", seconds)


def test_it_is_shut_down_when_its_container_is_stopped(boot: Boot) -> None:
    """What was only in its memory is on its disk then."""
    engine = boot("stopped")
    engine.execute("stopped", "sh", "-c", "echo written > /var/file")
    engine.stop("stopped")
    assert engine.state("stopped").exit_code == 0
    engine.start("stopped")
    wait_booted(engine, "stopped")
    assert engine.execute("stopped", "cat", "/var/file").stdout == "written\n"


def test_a_panic_ends_it_and_is_reported(boot: Boot) -> None:
    """A kernel that panics does not stay, doing nothing, as a container that runs."""
    engine = boot("panicked")
    engine.execute("panicked", "sh", "-c", "(sleep 1; echo c > /proc/sysrq-trigger) &")
    wait_until(
        "the machine to end",
        lambda: engine.state("panicked").status == "exited",
        timeout=timeouts.COMMAND,
    )
    with pytest.raises(Panic, match="Kernel panic - not syncing: sysrq"):
        raise_panic(engine, "panicked")


def test_two_machines_of_one_disk_are_two_hosts(boot: Boot) -> None:
    """They differ in host name, machine id and boot: NFS servers tell clients apart by them."""
    said = []
    for name in ("one", "two"):
        look = "hostname; cat /etc/machine-id /proc/sys/kernel/random/boot_id"
        said.append(boot(name).execute(name, "sh", "-c", look).stdout.split())
    assert [lines[0] for lines in said] == ["one", "two"]
    assert len({line for lines in said for line in lines}) == 6, said


def test_programs_run_in_it_as_in_a_container(boot: Boot) -> None:
    """With input, variables, output, errors and exit codes, and no network in between."""
    engine = boot("programs")
    sent = engine.execute(
        "programs", "sh", "-c", 'cat; echo "$A" >&2; exit 3', text="in", env={"A": "1"}, check=False
    )
    assert (sent.stdout, sent.stderr, sent.returncode) == ("in", "1\n", 3)
    assert engine.execute("programs", "nothing", check=False).returncode == 127
    assert "Linux" in engine.execute("programs", "uname").stdout
