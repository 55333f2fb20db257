"""An NFS server whose disk can lose its power: the export is a file system on a loop device.

What the server's kernel has not written to the "disk" is not in the file behind it. So a copy of
that file, taken while the server is frozen, is what a power loss would leave. The server can also
lie about stable storage (its syncs do nothing, see `no_sync`), or run with a clock that can be set
(under libfaketime).
"""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from landfast import timeouts
from landfast.docker import ContainerState, Engine
from landfast.errors import LandfastError
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.nfs.server import (
    CONFIG,
    CONFIG_IN_SERVER,
    EXPORT_PATH,
    container_inspector,
    wait_for_server,
)
from landfast.process import Result
from landfast.verdict import MissingCapability
from landfast.waiting import WaitTimeout

Mode = Literal["honest", "lying", "clock"]
CLOCK_FILE = "/disk/clock"
_NO_SYNC = Path(__file__).with_name("no_sync.py")
_NO_SYNC_IN_SERVER = "/landfast-no-sync.py"
_DISK_SIZE = "1G"
# The mode is in a file of the volume, so that every restart keeps it, also `docker start`.
# By default, ext4 commits unsynced data every five seconds; here it must not for minutes.
_START = f"""
set -e
for program in mkfs.ext4 mount fsfreeze python3; do
    command -v $program >/dev/null || {{ echo "this NFS server image has no $program"; exit 1; }}
done
faketime=$(find /usr/lib -name libfaketimeMT.so.1)
[ -n "$faketime" ] || {{ echo "this NFS server image has no libfaketime"; exit 1; }}
[ -e /disk/disk.img ] || {{
    truncate -s {_DISK_SIZE} /disk/disk.img
    mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /disk/disk.img
}}
mount -o loop,commit=300 /disk/disk.img {EXPORT_PATH}
case $(cat /disk/mode 2>/dev/null) in
    lying) set -- python3 {_NO_SYNC_IN_SERVER} ;;
    clock)
        export LD_PRELOAD=$faketime FAKETIME_NO_CACHE=1
        export FAKETIME_TIMESTAMP_FILE={CLOCK_FILE} FAKETIME_DONT_FAKE_MONOTONIC=1 ;;
esac
exec "$@" ganesha.nfsd -F -L /dev/stdout -f {CONFIG_IN_SERVER}
"""
# Writers wait for the milliseconds that the file system is frozen.
_FLUSH = 'fsfreeze --freeze "$1"; fsfreeze --unfreeze "$1"'
# The kernel goes on writing while the server is frozen. A copy that it wrote into would mix two
# moments, which a power loss never does: such a copy is made again.
_COPY = """
for try in 1 2 3 4 5 6 7 8; do
    before=$(stat -c %y /disk/disk.img)
    cp --sparse=always /disk/disk.img /disk/crash.img
    [ "$before" != "$(stat -c %y /disk/disk.img)" ] || exit 0
done
echo "the disk of the paused server keeps changing" >&2
exit 1
"""


@dataclass(frozen=True)
class DiskServer:
    """One server; `name` is that of its container, its volume and its host."""

    engine: Engine
    name: str
    address: str

    @property
    def export(self) -> Export:
        """The export that the server serves."""
        return Export(server=self.address, path=EXPORT_PATH, kind="container", container=self.name)

    @cached_property
    def inspector(self) -> ExportInspector:
        """The inspector that looks from inside the container."""
        return container_inspector(self.engine, self.name)

    def execute(self, *argv: str, check: bool = True, timeout: float = timeouts.COMMAND) -> str:
        """Run a program in the server's container and return its standard output."""
        return self.engine.execute(self.name, *argv, check=check, timeout=timeout).stdout

    def state(self) -> ContainerState:
        """Return the state of the server's container."""
        return self.engine.state(self.name)

    def start(self) -> None:
        """Start or thaw the container if need be, and wait until it listens.

        Raises:
            LandfastError: it came back under another address, where clients do not look.
            WaitTimeout: it does not listen; the message has its log.
        """
        if self.state().is_paused:
            self.engine.unpause(self.name)
        self.engine.start(self.name)
        wait_for_server(self.engine, self.name)
        if (now := self.engine.address(self.name)) != self.address:
            raise LandfastError(f"{self.name} came back as {now}; clients know {self.address}")

    def freeze(self) -> None:
        """Freeze every process of the server at one moment (see `Engine.pause`)."""
        self.engine.pause(self.name)

    def kill(self) -> None:
        """End the server without warning; its disk keeps what the server had written.

        A paused server is not thawed first: the engine sends the signal, then thaws it to die.
        """
        self.engine.kill(self.name, check=False)

    def configure(self, text: str) -> None:
        """Replace the configuration of the server's exports, without a restart."""
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            self.engine.copy_into(Path(file.name), self.name, CONFIG_IN_SERVER)
        self.reload()

    def reload(self) -> None:
        """Make the server read its configuration again; it logs that it did."""
        self.engine.kill(self.name, "HUP")

    def set_clock(self, offset: str) -> None:
        """Step the server's clock to `+SECONDS` from the host's; only in the mode "clock"."""
        step = 'echo "$1" > "$2.new"; mv "$2.new" "$2"'
        self.execute("sh", "-c", step, "sh", offset, CLOCK_FILE)

    def clock_offset(self) -> float:
        """Return how many seconds the newest line of the server's log is ahead of the engine.

        Raises:
            LandfastError: the line has no time.
        """
        line = self.engine.logs(self.name, tail=1, timestamps=True).strip()
        try:
            taken, _, said = line.partition(" ")
            own = datetime.strptime(said.partition(" : ")[0], "%d/%m/%Y %H:%M:%S")
            seen = datetime.fromisoformat(taken[:26] + "+00:00")
        except ValueError as error:
            raise LandfastError(f"the NFS server logged a line without a time: {line}") from error
        return (own.replace(tzinfo=UTC) - seen).total_seconds()

    def mode(self) -> Mode:
        """Return the mode that the server runs in."""
        said = self.execute("cat", "/disk/mode", check=False).strip()
        return next((mode for mode in get_args(Mode) if mode == said), "honest")

    def set_mode(self, mode: Mode) -> None:
        """Restart the server in a mode; clients wait meanwhile.

        Raises:
            LandfastError: its syncs are filtered though they must not be, or the other way round.
        """
        self.on_disk("sh", "-c", 'echo "$1" > /disk/mode; echo +0 > /disk/clock', "sh", mode)
        self.engine.restart(self.name, grace_seconds=5)
        self.start()
        filtered = "Seccomp_filters:\t0" not in self.execute("cat", "/proc/1/status")
        if filtered != (mode == "lying"):
            found = "filtered" if filtered else "not filtered"
            raise LandfastError(f"{self.name} is not in the mode {mode}: its syncs are {found}")

    def cut_power(self) -> None:
        """End the server as a power loss does: what had not reached the disk is gone.

        Raises:
            LandfastError: the disk could not be copied at one moment; the server stays paused.
        """
        self.freeze()
        self.on_disk("sh", "-c", _COPY)
        self.kill()
        self.on_disk("mv", "/disk/crash.img", "/disk/disk.img")

    def flush(self) -> None:
        """Write to the disk all that is in memory, as a lying server does late.

        Later writes stay in memory for at least half a minute.
        """
        self.execute("sh", "-c", _FLUSH, "sh", EXPORT_PATH)

    def disk_inode(self) -> int:
        """Return the inode of the file behind the disk; a power loss replaces the file."""
        return int(self.on_disk("stat", "-c", "%i", "/disk/disk.img").stdout)

    def disk_holds(self, text: str) -> bool:
        """Whether a text is on the disk itself, not only in the kernel's memory.

        Raises:
            LandfastError: the disk cannot be searched.
        """
        found = self.on_disk("grep", "-q", "-F", "-e", text, "/disk/disk.img", check=False)
        if found.returncode > 1:
            raise LandfastError(f"the disk of {self.name} cannot be searched: {found.stderr}")
        return found.returncode == 0

    def on_disk(self, *argv: str, check: bool = True) -> Result:
        """Run a program on the server's volume, whether the server runs or not."""
        return self.engine.run_once(
            self.engine.image_of(self.name),
            *argv,
            label=f"landfast.run={self.engine.label_of(self.name, 'landfast.run')}",
            volumes=[f"{self.name}:/disk"],
            check=check,
        )


def start_disk_server(
    engine: Engine, image: str, *, name: str, network: str, label: str
) -> DiskServer:
    """Start a server `name` with an empty disk on the nodes' network; replace one that exists.

    Raises:
        MissingCapability: this server image, or this engine, cannot mount a loop device.
        WaitTimeout: it does not listen in time; the message has its log.
    """
    remove_disk_server(engine, name)
    engine.create_volume(name, label=label)
    engine.create_container(
        image,
        *["-c", _START],
        name=name,
        label=label,
        network=network,
        entrypoint="sh",
        volumes=[f"{name}:/disk"],
        privileged=True,
    )
    engine.copy_into(CONFIG, name, CONFIG_IN_SERVER)
    engine.copy_into(_NO_SYNC, name, _NO_SYNC_IN_SERVER)
    engine.start(name)
    try:
        wait_for_server(engine, name)
    except WaitTimeout as error:
        if engine.state(name).status != "exited":
            raise
        said = engine.logs(name, tail=5)
        remove_disk_server(engine, name)
        raise MissingCapability("nfs.disk", " ".join(said.split())) from error
    return DiskServer(engine, name, engine.address(name))


def remove_disk_server(engine: Engine, name: str) -> None:
    """Remove a server and its disk; do nothing if they do not exist."""
    engine.remove_containers(name)
    engine.remove_volume(name)
