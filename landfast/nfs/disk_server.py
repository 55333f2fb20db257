"""An NFS server whose disk can lose its power: the export is a file system on a loop device.

What the server's kernel has not written to the "disk" is not in the file behind it, so a copy of
that file taken while the server stands still is what a power loss would have left. The server can
be run so that it lies about stable storage (its syncs do nothing, see `no_sync`), or with a clock
that can be set (under libfaketime).
"""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.nfs.server import CONFIG, EXPORT_PATH, container_inspector, listens
from landfast.process import Result
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until

Mode = Literal["honest", "lying", "clock"]
CONFIG_IN_SERVER = "/etc/ganesha/landfast.conf"
CLOCK_FILE = "/disk/clock"
_NO_SYNC = Path(__file__).with_name("no_sync.py")
_NO_SYNC_IN_SERVER = "/etc/ganesha/no_sync.py"
_DISK_SIZE = "1G"
_START_SECONDS = 30
# The mode stands in a file of the volume, so that a restart, also one by `docker start`, keeps it.
# ext4 would commit what nobody has synced every five seconds; for minutes, it shall not.
_START = f"""
set -e
[ -e /disk/disk.img ] || {{
    truncate -s {_DISK_SIZE} /disk/disk.img
    mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /disk/disk.img
}}
mount -o loop,commit=300 /disk/disk.img {EXPORT_PATH}
case $(cat /disk/mode 2>/dev/null) in
    lying) set -- python3 {_NO_SYNC_IN_SERVER} ;;
    clock)
        export LD_PRELOAD=$(find /usr/lib -name libfaketimeMT.so.1) FAKETIME_NO_CACHE=1
        export FAKETIME_TIMESTAMP_FILE={CLOCK_FILE} FAKETIME_DONT_FAKE_MONOTONIC=1 ;;
esac
exec "$@" ganesha.nfsd -F -L /dev/stdout -f {CONFIG_IN_SERVER}
"""
# Writers wait while it is frozen, for milliseconds.
_FLUSH = 'fsfreeze --freeze "$1"; fsfreeze --unfreeze "$1"'
# The kernel goes on writing while the server stands still. A copy that it wrote into would mix two
# moments, which no power loss does: such a one is made again.
_COPY = """
for try in 1 2 3 4 5 6 7 8; do
    before=$(stat -c %y /disk/disk.img)
    cp --sparse=always /disk/disk.img /disk/crash.img
    [ "$before" != "$(stat -c %y /disk/disk.img)" ] || exit 0
done
echo "the disk of the paused server does not stand still" >&2
exit 1
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

    def state(self, field: str = "Status") -> str:
        """Give the container's state (running, paused, exited), or a field of it (StartedAt)."""
        found = self.engine.docker("inspect", "--format", f"{{{{.State.{field}}}}}", self.name)
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
        if (now := self.engine.address(self.name)) != self.address:
            raise LandfastError(f"{self.name} came back as {now}; clients know {self.address}")

    def freeze(self) -> None:
        """Let every process of the server stand still, at one moment (see `Engine.pause`)."""
        self.engine.pause(self.name)

    def kill(self) -> None:
        """End the server without warning; its disk keeps what the server had written.

        A paused one is not let go on before: the engine sends the signal, and thaws it to die.
        """
        self.engine.docker("kill", "--signal", "KILL", self.name, check=False)

    def configure(self, text: str) -> None:
        """Let the server work by another configuration of its exports; it goes on meanwhile."""
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            self.engine.docker("cp", file.name, f"{self.name}:{CONFIG_IN_SERVER}")
        self.reload()

    def reload(self) -> None:
        """Let the server read its exports again, and log that it does."""
        self.engine.docker("kill", "--signal", "HUP", self.name)

    def set_clock(self, offset: str) -> None:
        """Step the server's clock to be `+SECONDS` from the host's; only in the mode "clock"."""
        step = 'echo "$1" > "$2.new"; mv "$2.new" "$2"'
        self.execute("sh", "-c", step, "sh", offset, CLOCK_FILE)

    def clock_offset(self) -> float:
        """Give by how many seconds the time in the server's newest log line is not the engine's.

        Raises:
            LandfastError: the line has no time.
        """
        logs = self.engine.docker("logs", "--tail", "1", "--timestamps", self.name)
        line = (logs.stdout + logs.stderr).strip()
        try:
            taken, _, said = line.partition(" ")
            own = datetime.strptime(said.partition(" : ")[0], "%d/%m/%Y %H:%M:%S")
            seen = datetime.fromisoformat(taken[:26] + "+00:00")
        except ValueError as error:
            raise LandfastError(f"the NFS server logged a line without a time: {line}") from error
        return (own.replace(tzinfo=UTC) - seen).total_seconds()

    def mode(self) -> Mode:
        """Give the mode that the server runs in."""
        said = self.execute("cat", "/disk/mode", check=False).strip()
        return next((mode for mode in get_args(Mode) if mode == said), "honest")

    def set_mode(self, mode: Mode) -> None:
        """Restart the server in a mode; clients wait for it meanwhile.

        Raises:
            LandfastError: it does not lie though it should, or the other way round.
        """
        self.on_disk("sh", "-c", 'echo "$1" > /disk/mode; echo +0 > /disk/clock', "sh", mode)
        self.engine.docker("restart", "--time", "5", self.name)
        self.start()
        filtered = "Seccomp_filters:\t0" not in self.execute("cat", "/proc/1/status")
        if filtered != (mode == "lying"):
            raise LandfastError(f"{self.name} is not {mode}: its syncs are filtered: {filtered}")

    def cut_power(self) -> None:
        """End the server as a power loss does: what had not reached the disk is gone.

        Raises:
            LandfastError: no copy of the disk at one moment could be had; the server is paused.
        """
        self.freeze()
        self.on_disk("sh", "-c", _COPY)
        self.kill()
        self.on_disk("mv", "/disk/crash.img", "/disk/disk.img")

    def flush(self) -> None:
        """Let all that was written until one moment reach the disk, as a lying server does late.

        What comes later stays in memory, for half a minute at least: the disk has that moment.
        """
        self.execute("sh", "-c", _FLUSH, "sh", EXPORT_PATH)

    def disk_inode(self) -> int:
        """Give the inode of the file behind the disk: a power loss puts another one there."""
        return int(self.on_disk("stat", "-c", "%i", "/disk/disk.img").stdout)

    def disk_holds(self, text: str) -> bool:
        """Whether a text is anywhere on the disk itself, not only in the kernel's memory.

        Raises:
            LandfastError: the disk cannot be searched.
        """
        found = self.on_disk("grep", "-q", "-F", "-e", text, "/disk/disk.img", check=False)
        if found.returncode > 1:
            raise LandfastError(f"the disk of {self.name} cannot be searched: {found.stderr}")
        return found.returncode == 0

    def on_disk(self, *argv: str, check: bool = True) -> Result:
        """Run a program that sees the server's volume while the server may not run."""
        image = self.engine.docker("inspect", "--format", "{{.Config.Image}}", self.name)
        return self.engine.docker(
            *["run", "--rm", "--label", self._label, "--volume", f"{self.name}:/disk"],
            *["--network", "none", "--entrypoint", argv[0], image.stdout.strip(), *argv[1:]],
            check=check,
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
    engine.docker("cp", _NO_SYNC, f"{name}:{_NO_SYNC_IN_SERVER}")
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
    return DiskServer(engine, name, engine.address(name))


def remove_disk_server(engine: Engine, name: str) -> None:
    """Remove a server and its disk; what is not there is no error."""
    engine.docker("rm", "--force", "--volumes", name, check=False)
    engine.docker("volume", "rm", "--force", name, check=False)


def _is_up(engine: Engine, name: str) -> str:
    state = engine.docker("inspect", "--format", "{{.State.Status}}", name).stdout.strip()
    if state == "exited":
        return "ended"
    return "listens" if listens(engine, name) else "not yet"
