"""What the kernel's NFS client does with processes and mounts whose server is dead."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from landfast import timeouts
from landfast.faults.base import Site
from landfast.faults.nfs_server import NfsFreeze
from landfast.process import Result
from landfast.steps import Steps
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until
from suites.chaos.conftest import Broken
from suites.chaos.marks import scenario

pytestmark = pytest.mark.xdist_group("chaos")

# How long attributes are kept: in one folder, a read needs none; in the other, it asks for them.
_FOLDER, _ASKING = "/run/landfast-dead", "/run/landfast-dead-asking"
_ACTIMEO = {_FOLDER: 600, _ASKING: 0}
_MOUNT = 'mkdir -p "$2" && mount -t nfs -o nfsvers=4,hard,retry=0,actimeo="$3" "$1" "$2"'
_REMOVE = '! grep -q " $1 " /proc/mounts || umount -f -l "$1"; rmdir "$1"'
# The file is open before the server dies, as a database's are.
_OPEN = """
touch "/run/$2.wait"
( while [ -e "/run/$2.wait" ]; do sleep 0.1; done
  exec $3 ) 0<>"$1/$2" 1>&0 2>"/run/$2" &
echo $!
"""
_READ = "dd of=/dev/null bs=4k count=1"
_SYNC = "dd if=/dev/zero bs=4k count=1 conv=fsync"
_FILES = ("reader", "asker", "writer")


@dataclass(frozen=True)
class Client:
    """Two mounts on MySQL's node, and processes that read and write there."""

    site: Site
    node: str

    def run(self, *argv: str) -> Result:
        return self.site.engine.execute(self.node, *argv, check=False)

    def open(self, name: str, program: str, folder: str = _FOLDER) -> str:
        """Start a process that opens a file now and becomes a program later; return its id."""
        self.site.server.inspector.write(name, "there is something to read\n")
        return self.run("sh", "-c", _OPEN, "sh", folder, name, program).stdout.strip()

    def go_on(self, name: str) -> None:
        """Let the process with this file become its program."""
        self.run("rm", f"/run/{name}.wait")

    def state(self, pid: str) -> str:
        """Return the state of a process as ps has it; empty once it has ended."""
        return self.run("ps", "-o", "state=", "-p", pid).stdout.strip().replace("Z", "")

    def said(self, name: str) -> str:
        return self.run("cat", f"/run/{name}").stdout.strip().partition("\n")[0]

    @property
    def is_mounted(self) -> bool:
        return f" {_FOLDER} " in self.run("cat", "/proc/mounts").stdout

    def wait_for_state(self, pid: str, state: str) -> None:
        wait_until(
            f"process {pid} to be in state {state}" if state else f"process {pid} to end",
            lambda: self.state(pid),
            until=lambda now: now == state,
            timeout=timeouts.CONTAINER_STATE,
        )


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    """The kernel's client on MySQL's node, with mounts of its own."""
    if site.env.nfs_client == "fuse":
        raise MissingCapability(
            "nfs.kernel-client", "the FUSE client's processes wait in another way: --workers kernel"
        )
    client, export = Client(site, site.node()), site.server.export
    try:
        for folder, seconds in _ACTIMEO.items():
            what = f"{export.server}:{export.path}"
            mounted = client.run("sh", "-c", _MOUNT, "sh", what, folder, str(seconds))
            assert mounted.returncode == 0, mounted.stderr
        yield client
    finally:
        for folder in _ACTIMEO:
            client.run("sh", "-c", _REMOVE, "sh", folder)
        for name in _FILES:
            client.run("rm", "-f", f"/run/{name}", f"/run/{name}.wait")
            site.server.inspector.remove(name)


@scenario(
    "dead-server-processes-can-be-killed",
    "who waits for a dead server's data ends at SIGKILL; who asks or syncs, once it is back",
    seconds=20,
    telling=25,
)
def test_process_that_waits_for_a_dead_server_can_be_killed(
    client: Client, broken: Broken, test: Steps
) -> None:
    reader = client.open("reader", _READ)
    others = {"asker": client.open("asker", _READ, _ASKING), "writer": client.open("writer", _SYNC)}
    with broken(NfsFreeze):
        for name, pid in {"reader": reader, **others}.items():
            client.go_on(name)
            with test.step(f"the {name} waits for the server, in state D"):
                client.wait_for_state(pid, "D")
        client.run("kill", "-KILL", reader, *others.values())
        with test.verify("the reader ends at SIGKILL"):
            client.wait_for_state(reader, "")
        for name, pid in others.items():
            state = client.state(pid)
            test.observe(f"the {name}, killed with it: {f'in state {state}' if state else 'ended'}")
    for name, pid in others.items():
        with test.verify(f"the {name} has ended once the server is back"):
            client.wait_for_state(pid, "")


@scenario(
    "dead-server-mount-can-be-removed",
    "umount -f, once or twice, ends what waits for a dead server; umount -l takes its mount away",
    seconds=20,
    telling=25,
)
def test_mount_of_a_dead_server_can_be_removed(client: Client, broken: Broken, test: Steps) -> None:
    pid = client.open("writer", _SYNC)
    with broken(NfsFreeze):
        client.go_on("writer")
        with test.step("a process that syncs a file is in state D"):
            client.wait_for_state(pid, "D")
        plain = client.run("timeout", "5", "umount", _FOLDER)
        test.observe(f"umount: exit code {plain.returncode}, {plain.stderr.strip()}")
        forced = list[Result]()

        def force() -> str:
            forced.append(client.run("timeout", "10", "umount", "-f", _FOLDER))
            return client.state(pid)

        with test.verify("umount -f ends the process, if need be the next one"):
            what, limit = f"process {pid} to end", timeouts.CONTAINER_STATE
            wait_until(what, force, until=operator.not_, timeout=limit, interval=1)
        for ran in forced:
            test.observe(f"umount -f: exit code {ran.returncode}, {ran.stderr.strip()}")
        said = client.said("writer")
        test.observe(f"the process said: {said or 'nothing'}")
        lazy = client.run("timeout", "10", "umount", "-l", _FOLDER)
        test.observe(f"umount -l: exit code {lazy.returncode}, {lazy.stderr.strip()}")
        assert not client.is_mounted, "the mount is still there"
    assert plain.returncode != 0, "a busy mount was removed"
    # which error is the kernel's choice: 7.3 gives 512, its own ERESTARTSYS
    assert "fsync failed" in said, "the process saw no error"
