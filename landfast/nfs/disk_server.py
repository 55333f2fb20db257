"""NFS-Ganesha whose disk can lose its power: the export is a file system on a loop device.

A copy of the file behind the device, taken while the server is frozen, is what a power loss would
leave. The server lies about stable storage when its syncs do nothing (see `no_sync`): it loses what
came after its last flush. A clock that can be set is that of libfaketime.
"""

import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.nfs.own_server import DISK_SIZE, Access, Mode, OwnServer, remove_server
from landfast.nfs.server import CONFIG, CONFIG_IN_SERVER, EXPORT_PATH, wait_for_server
from landfast.verdict import MissingCapability
from landfast.waiting import WaitTimeout

CLOCK_FILE = "/disk/clock"
_NO_SYNC = Path(__file__).with_name("no_sync.py")
_NO_SYNC_IN_SERVER = "/landfast-no-sync.py"
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
    truncate -s {DISK_SIZE} /disk/disk.img
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
_SET_MODE = 'echo "$1" > /disk/mode; echo +0 > /disk/clock; rm -f /disk/flushed.img'
# After a flush the kernel writes when it likes: soon, if other programs write much.
_FLUSH_AND_COPY = """
code=0
fsfreeze --freeze "$1"
cp --sparse=always /disk/disk.img /disk/flushed.img || code=$?
fsfreeze --unfreeze "$1"
exit $code
"""
# The kernel goes on writing while the server is frozen. A copy that it wrote into would mix two
# moments, which a power loss never does: such a copy is made again.
_COPY = """
[ ! -e /disk/flushed.img ] || exec mv /disk/flushed.img /disk/crash.img
for try in 1 2 3 4 5 6 7 8; do
    before=$(stat -c %y /disk/disk.img)
    cp --sparse=always /disk/disk.img /disk/crash.img
    [ "$before" != "$(stat -c %y /disk/disk.img)" ] || exit 0
done
echo "the disk of the paused server keeps changing" >&2
exit 1
"""


def exports(access: Access) -> str:
    """Return Ganesha's configuration with another access to the export; its twin stays."""
    start, export, *others = re.split(r"(?m)^(?=EXPORT \{)", CONFIG.read_text())
    match access:
        case "ro":
            export = export.replace("Access_Type = RW", "Access_Type = RO")
        case "none":
            export = ""
        case "rw":
            pass
    return "".join([start, export, *others])


@dataclass(frozen=True)
class DiskServer(OwnServer):
    """Ganesha in a container; a kill leaves its disk what it had written."""

    def restart(self) -> None:
        self.engine.restart(self.name, grace_seconds=10)

    def serve(self, access: Access) -> None:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(exports(access))
            file.flush()
            self.engine.copy_into(Path(file.name), self.name, CONFIG_IN_SERVER)
        self._reload()

    def _reload(self) -> None:
        """Make the server read its configuration again; it logs that it did."""
        self.engine.kill(self.name, "HUP")

    def why_clock_stays(self) -> str | None:
        if (mode := self.mode()) != "clock":
            return f"the server runs in the mode {mode}, not clock"
        if "libfaketime" not in self.execute("cat", "/proc/1/maps"):
            return "libfaketime is not loaded in the server's process: its image may lack it"
        return None

    def set_clock(self, seconds: int) -> None:
        step = 'echo "$1" > "$2.new"; mv "$2.new" "$2"'
        self.execute("sh", "-c", step, "sh", f"+{seconds}", CLOCK_FILE)

    def clock_offset(self) -> float:
        """Return how many seconds the newest line of the server's log is ahead of the engine.

        Raises:
            LandfastError: the line has no time.
        """
        self._reload()
        line = self.engine.logs(self.name, tail=1, timestamps=True).strip()
        try:
            taken, _, said = line.partition(" ")
            own = datetime.strptime(said.partition(" : ")[0], "%d/%m/%Y %H:%M:%S")
            seen = datetime.fromisoformat(taken[:26] + "+00:00")
        except ValueError as error:
            raise LandfastError(f"the NFS server logged a line without a time: {line}") from error
        return (own.replace(tzinfo=UTC) - seen).total_seconds()

    def mode(self) -> Mode:
        said = self.execute("cat", "/disk/mode", check=False).strip()
        return next((mode for mode in get_args(Mode) if mode == said), "honest")

    def set_mode(self, mode: Mode) -> None:
        """Restart the server in a mode; clients wait meanwhile.

        Raises:
            LandfastError: its syncs are filtered though they must not be, or the other way round.
        """
        self.on_disk("sh", "-c", _SET_MODE, "sh", mode)
        self.engine.restart(self.name, grace_seconds=5)
        self.start()
        filtered = "Seccomp_filters:\t0" not in self.execute("cat", "/proc/1/status")
        if filtered != (mode == "lying"):
            found = "filtered" if filtered else "not filtered"
            raise LandfastError(f"{self.name} is not in the mode {mode}: its syncs are {found}")

    def flush(self) -> None:
        """Write to the disk all that is in memory, and keep the copy that a power loss leaves."""
        self.execute("sh", "-c", _FLUSH_AND_COPY, "sh", EXPORT_PATH)

    def cut_power(self) -> None:
        self.freeze()
        self.on_disk("sh", "-c", _COPY)
        self.kill()
        self.on_disk("mv", "/disk/crash.img", "/disk/disk.img")

    def last_power_loss(self) -> str:
        inode = self.on_disk("stat", "-c", "%i", "/disk/disk.img").stdout.strip()
        return f"its disk is the file with the inode {inode}"

    def tools(self) -> str:
        return self.engine.image_of(self.name)


def start_disk_server(
    engine: Engine, image: str, *, name: str, network: str, label: str
) -> DiskServer:
    """Start a server `name` with an empty disk on the nodes' network; replace one that exists.

    Raises:
        MissingCapability: this server image, or this engine, cannot mount a loop device.
        WaitTimeout: it does not listen in time; the message has its log.
    """
    remove_server(engine, name)
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
        remove_server(engine, name)
        raise MissingCapability("nfs.disk", " ".join(said.split())) from error
    return DiskServer(engine, name, engine.address(name))
