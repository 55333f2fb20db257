"""The kernel's NFS server in a machine, and the kernel's client in others."""

from collections.abc import Callable, Iterator

import pytest

from landfast import timeouts
from landfast.docker import Engine
from landfast.machine.machine import ALLOW_NFSV3
from landfast.nfs.kernel_server import KernelServer, start_kernel_server
from landfast.nfs.own_server import remove_server
from landfast.nfs.server import EXPORT_PATH, GRACE_SECONDS, LEASE_SECONDS, SQUASHED_PATH
from landfast.process import ProcessError
from landfast.waiting import wait_until
from machine_tests.conftest import LABEL, NETWORK, Lab

VERSIONS = ("3", "4.0", "4.1", "4.2")
_MOUNT = f"""
set -e
mkdir -p "$3"
{ALLOW_NFSV3}
mount -t nfs -o "vers=$1,hard,retry=0,$4" "$2" "$3"
"""
_CONNECTIONS = ["ss", "--tcp", "--numeric", "--no-header", "state", "established", "dport = :2049"]
_HOLD = 'flock --exclusive "$1" sleep 2147483647 > /dev/null 2>&1 &'
_ASK = 'flock --exclusive --nonblock --conflict-exit-code 75 "$1" true'
_HELD = 75

Boot = Callable[[str], Engine]


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[KernelServer]:
    """A server; its disk and its machine go with the module."""
    name = "landfast-machine-tests-nfs"
    yield start_kernel_server(lab.engine, lab.server_parts, name=name, network=NETWORK, label=LABEL)
    remove_server(lab.engine, name)


def mount(
    engine: Engine,
    name: str,
    server: KernelServer,
    version: str,
    path: str = EXPORT_PATH,
    options: str = "rw",
) -> str:
    """Mount a path of the server in a machine; return where; the version is in effect."""
    folder = f"/mnt/{version}{path.replace('/', '-')}"
    words = [version, f"{server.address}:{path}", folder, options]
    engine.execute(name, "sh", "-c", _MOUNT, "sh", *words)
    mounts = engine.execute(name, "grep", f" {folder} nfs", "/proc/mounts").stdout
    assert f"vers={version}" in mounts
    return folder


def is_refused(engine: Engine, name: str, file: str) -> bool:
    """Whether a machine asks for the lock on a file in vain; a server in grace is waited for."""
    limit = LEASE_SECONDS + GRACE_SECONDS + timeouts.COMMAND
    asked = engine.execute(name, "sh", "-c", _ASK, "sh", file, check=False, timeout=limit)
    assert asked.returncode in (0, _HELD), asked.stderr
    return asked.returncode == _HELD


def test_every_version_writes_as_the_references_export_lets_it(
    boot: Boot, server: KernelServer
) -> None:
    """Root is root on the one export, and nobody on its twin."""
    engine = boot("client")
    seen = engine.execute("client", "showmount", "-e", server.address).stdout.splitlines()[1:]
    assert {line.split()[0] for line in seen} == {EXPORT_PATH, SQUASHED_PATH}
    for version in VERSIONS:
        folder = mount(engine, "client", server, version)
        write = f"echo {version} > {folder}/{version}; sync {folder}/{version}; chown 999 {folder}"
        engine.execute("client", "sh", "-c", write)
        assert server.inspector.read(version) == f"{version}\n"
        squashed = mount(engine, "client", server, version, SQUASHED_PATH)
        refused = engine.execute("client", "chown", "0", f"{squashed}/{version}", check=False)
        assert "Operation not permitted" in refused.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_lock_outlives_the_death_of_the_server(
    boot: Boot, server: KernelServer, version: str
) -> None:
    """Its holder claims it again within the grace period, and another client stays refused."""
    first, second = boot("first"), boot("second")
    file = f"locked-{version}"  # a file of its own: NFSv3's lock outlives its test
    server.inspector.write(file, "")
    server.execute("sync", f"{EXPORT_PATH}/{file}")  # else the power cut takes it, and its lock
    here = mount(first, "first", server, version)
    there = mount(second, "second", server, version)
    first.execute("first", "sh", "-c", _HOLD, "sh", f"{here}/{file}")

    def refused() -> bool:
        return is_refused(second, "second", f"{there}/{file}")

    wait_until("the lock to be held", refused, timeout=timeouts.COMMAND)
    server.kill()
    server.start()
    assert refused(), "the lock was lost"
    first.kill("first")
    if version == "3":  # nobody tells the server that its client is gone
        assert refused(), "lockd gave up a lock without being told"
        return
    wait_until(
        "the lock to be free once its holder's lease is over",
        lambda: not refused(),
        timeout=2 * LEASE_SECONDS,
    )


def test_nconnect_opens_as_many_connections_and_all_outlive_the_server(
    boot: Boot, server: KernelServer
) -> None:
    """Without it there is one; with it, requests go round all of them, before and after."""
    engine = boot("client")

    def connections() -> int:
        return len(engine.execute("client", *_CONNECTIONS).stdout.splitlines())

    def write(folder: str) -> None:
        for number in range(8):
            file = f"{folder}/{number}"
            engine.execute("client", "sh", "-c", f"echo {number} > {file}; sync {file}")

    folder = mount(engine, "client", server, "4.2")
    write(folder)
    assert connections() == 1
    engine.execute("client", "umount", folder)
    mount(engine, "client", server, "4.2", options="nconnect=4")
    write(folder)
    assert connections() == 4
    server.kill()
    server.start()
    write(folder)
    assert connections() == 4


def test_power_loss_takes_what_was_not_synced(server: KernelServer) -> None:
    """The machine's memory is gone, and its disk is not."""
    server.inspector.write("kept", "kept")
    server.execute("sync", f"{EXPORT_PATH}/kept")
    server.inspector.write("lost", "lost")
    server.cut_power()
    server.start()
    assert server.inspector.read("kept") == "kept"
    assert not server.inspector.exists("lost")


def test_export_is_withdrawn_made_read_only_and_given_back(
    boot: Boot, server: KernelServer
) -> None:
    """New mounts are refused, and writes are; then both work."""
    engine = boot("client")
    server.serve("none")
    with pytest.raises(ProcessError, match=r"mount\.nfs"):
        mount(engine, "client", server, "4.2")
    server.serve("ro")
    folder = mount(engine, "client", server, "4.2")
    refused = engine.execute("client", "touch", f"{folder}/x", check=False)
    assert "Read-only file system" in refused.stderr
    server.serve("rw")
    engine.execute("client", "touch", f"{folder}/x")


def test_clock_of_the_server_is_stepped_and_set_back(server: KernelServer) -> None:
    """By as much as was asked for, give or take what asking takes."""
    server.set_clock(10)
    assert 8 < server.clock_offset() < 12
    server.set_clock(0)
    assert -2 < server.clock_offset() < 2
