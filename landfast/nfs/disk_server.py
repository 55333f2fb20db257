"""An NFS server whose disk can lose its power: the export is a file system on a loop device.

What the server's kernel has not written to the "disk" is not in the file behind it, so a copy of
that file taken while the server stands still is what a power loss would have left. The server can
be run so that it lies about stable storage (under eatmydata), or with a clock that can be set
(under libfaketime).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from landfast.errors import LandfastError
from landfast.kit.engine import Engine
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.nfs.server import CONFIG, EXPORT_PATH, address_of, container_inspector, listens
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until

Mode = Literal["honest", "lying", "clock"]
CONFIG_IN_SERVER = "/etc/ganesha/landfast.conf"
CLOCK_FILE = "/disk/clock"
_DISK_SIZE = "1G"
_START_SECONDS = 30
# The mode stands in a file of the volume, so that a restart, also one by `docker start`, keeps it.
_START = f"""
set -e
[ -e /disk/disk.img ] || {{
    truncate -s {_DISK_SIZE} /disk/disk.img
    mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /disk/disk.img
}}
mount -o loop /disk/disk.img {EXPORT_PATH}
case $(cat /disk/mode 2>/dev/null) in
    lying) export LD_PRELOAD=libeatmydata.so ;;
    clock)
        export LD_PRELOAD=$(find /usr/lib -name libfaketimeMT.so.1) FAKETIME_NO_CACHE=1
        export FAKETIME_TIMESTAMP_FILE={CLOCK_FILE} FAKETIME_DONT_FAKE_MONOTONIC=1 ;;
esac
exec ganesha.nfsd -F -L /dev/stdout -f {CONFIG_IN_SERVER}
"""


@dataclass(frozen=True)
class DiskServer:
    """One server: container, volume and host name are all `name`."""

    engine: Engine
    name: str
    address: str

    @property
    def export(self) -> Export:
        """Its export."""
        return Export(server=self.address, path=EXPORT_PATH, kind="container", container=self.name)

    @cached_property
    def inspector(self) -> ExportInspector:
        """The look at the export from inside the container."""
        return container_inspector(self.engine, self.name)

    def execute(self, *argv: str, check: bool = True, timeout: float = 30) -> str:
        """Run a program in the server's container and give its standard output."""
        return self.engine.docker("exec", self.name, *argv, check=check, timeout=timeout).stdout

    def state(self) -> str:
        """Give the container's state: running, paused, exited."""
        found = self.engine.docker("inspect", "--format", "{{.State.Status}}", self.name)
        return found.stdout.strip()

    def started_at(self) -> str:
        """Give when the container was last started, as the engine says it."""
        found = self.engine.docker("inspect", "--format", "{{.State.StartedAt}}", self.name)
        return found.stdout.strip()

    def start(self) -> None:
        """Start the container, which may run already, and wait until it listens where it did.

        Raises:
            LandfastError: it came back under another address, where clients do not look.
            WaitTimeout: it does not listen; the message has its log.
        """
        if self.state() == "paused":
            self.engine.docker("unpause", self.name)
        self.engine.docker("start", self.name)
        wait_until(
            f"the NFS server {self.name} to listen",
            lambda: listens(self.engine, self.name),
            timeout=_START_SECONDS,
            describe=lambda _: (
                self.engine.docker("logs", "--tail", "15", self.name, check=False).stdout
            ),
        )
        if (now := address_of(self.engine, self.name)) != self.address:
            raise LandfastError(f"{self.name} came back as {now}; clients know {self.address}")

    def kill(self) -> None:
        """End the server without warning; its disk keeps what the server had written."""
        if self.state() == "paused":  # a signal waits until a paused container goes on
            self.engine.docker("unpause", self.name)
        self.engine.docker("kill", "--signal", "KILL", self.name, check=False)

    def mode(self) -> Mode:
        """Give the mode that the server runs in."""
        said = self.execute("cat", "/disk/mode", check=False).strip()
        return next((mode for mode in get_args(Mode) if mode == said), "honest")

    def set_mode(self, mode: Mode) -> None:
        """Restart the server in a mode; clients wait for it meanwhile."""
        self._in_volume("sh", "-c", 'echo "$1" > /disk/mode; echo +0 > /disk/clock', "sh", mode)
        self.engine.docker("restart", "--time", "5", self.name)
        self.start()

    def cut_power(self) -> None:
        """End the server as a power loss does: what had not reached the disk is gone."""
        self.engine.docker("pause", self.name)
        self._in_volume("cp", "--sparse=always", "/disk/disk.img", "/disk/crash.img")
        self.kill()
        self._in_volume("mv", "/disk/crash.img", "/disk/disk.img")

    def _in_volume(self, *argv: str) -> None:
        """Run a program that sees the server's volume while the server may not run."""
        image = self.engine.docker("inspect", "--format", "{{.Config.Image}}", self.name)
        self.engine.docker(
            *["run", "--rm", "--label", self._label, "--volume", f"{self.name}:/disk"],
            *["--network", "none", "--entrypoint", argv[0], image.stdout.strip(), *argv[1:]],
        )

    @property
    def _label(self) -> str:
        template = '{{index .Config.Labels "landfast.run"}}'
        run = self.engine.docker("inspect", "--format", template, self.name).stdout.strip()
        return f"landfast.run={run}"


def start_disk_server(
    engine: Engine, image: str, *, name: str, network: str, label: str
) -> DiskServer:
    """Start a server `name` with an empty disk on the nodes' network; one that is there goes.

    Raises:
        MissingCapability: this server image, or this engine, can mount no loop device.
        WaitTimeout: it does not listen in time; the message has its log.
    """
    remove_disk_server(engine, name)
    engine.docker("volume", "create", "--label", label, name)
    engine.docker(
        *["create", "--name", name, "--hostname", name, "--label", label, "--network", network],
        *["--privileged", "--volume", f"{name}:/disk", "--entrypoint", "sh", image, "-c", _START],
    )
    engine.docker("cp", CONFIG, f"{name}:{CONFIG_IN_SERVER}")
    engine.docker("start", name)
    state = wait_until(
        f"the NFS server {name} to listen",
        lambda: _is_up(engine, name),
        until=lambda state: state != "not yet",
        timeout=_START_SECONDS,
        describe=lambda _: engine.docker("logs", "--tail", "15", name, check=False).stdout,
    )
    if state == "ended":
        said = engine.docker("logs", "--tail", "5", name, check=False)
        remove_disk_server(engine, name)
        raise MissingCapability("nfs.disk", " ".join((said.stdout + said.stderr).split()))
    return DiskServer(engine, name, address_of(engine, name))


def remove_disk_server(engine: Engine, name: str) -> None:
    """Remove a server and its disk; what is not there is no error."""
    engine.docker("rm", "--force", "--volumes", name, check=False)
    engine.docker("volume", "rm", "--force", name, check=False)


def _is_up(engine: Engine, name: str) -> str:
    state = engine.docker("inspect", "--format", "{{.State.Status}}", name).stdout.strip()
    if state == "exited":
        return "ended"
    return "listens" if listens(engine, name) else "not yet"
