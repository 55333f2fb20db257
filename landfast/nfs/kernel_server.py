"""The Linux kernel's NFS server, with Debian's nfs-kernel-server, in a machine of its own.

The export is the machine's second disk. The machine dies with its container, and with it all that
had not been written to that disk: to kill it is to cut its power. With the export option `async` it
lies about stable storage.
"""

import time
from dataclasses import dataclass
from typing import get_args

from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.machine.machine import create_machine, wait_booted
from landfast.machine.parts import Parts
from landfast.nfs.own_server import DISK_SIZE, Access, Mode, OwnServer, remove_server
from landfast.nfs.server import EXPORT_PATH, wait_for_server

_MEMORY_MIB = 768
_SHUTDOWN_SECONDS = 50
_MODE = "/etc/landfast-mode"
_EXPORTED = f"*:{EXPORT_PATH}"
_OPTIONS = {"honest": "sync", "clock": "sync", "lying": "async"}
# Both files must outlive a power loss.
_SET_MODE = f"""
set -e
echo "$1" > {_MODE}
sed -i -E "s/(rw|ro),a?sync/rw,$2/" /etc/exports
sync /etc/exports {_MODE}
exportfs -ra
exportfs -s
"""


@dataclass(frozen=True)
class KernelServer(OwnServer):
    """A machine that serves; `system` is the image that its disk was made from."""

    system: str

    def start(self) -> None:
        """Start or thaw the machine if need be, and wait until it listens.

        Raises:
            Panic: its kernel panicked.
            LandfastError: it came back under another address, where clients do not look.
            WaitTimeout: it does not boot, or does not listen.
        """
        if not self.state().is_paused:
            self.engine.start(self.name)
            wait_booted(self.engine, self.name)
        super().start()

    def restart(self) -> None:
        self.engine.restart(self.name, grace_seconds=_SHUTDOWN_SECONDS)

    def serve(self, access: Access) -> None:
        match access:
            case "rw":
                self.execute("exportfs", "-ra")
            case "ro":
                option = "ro,sync,no_subtree_check,no_root_squash"
                self.execute("exportfs", "-o", option, _EXPORTED)
            case "none":  # its twin as well: nfsd would find a client's handles on that file system
                self.execute("exportfs", "-ua")

    def mode(self) -> Mode:
        said = self.execute("cat", _MODE, check=False).strip()
        return next((mode for mode in get_args(Mode) if mode == said), "honest")

    def set_mode(self, mode: Mode) -> None:
        wanted = _OPTIONS[mode]
        said = self.execute("sh", "-c", _SET_MODE, "sh", mode, wanted)
        options = said.partition("(")[2].partition(")")[0].split(",")
        if wanted not in options:
            raise LandfastError(f"{self.name} is not in the mode {mode}: it exports {said.strip()}")

    def why_clock_stays(self) -> str | None:
        return None

    def set_clock(self, seconds: int) -> None:
        self.execute("date", "--set", f"@{time.time() + seconds:.3f}")

    def clock_offset(self) -> float:
        """Return how many seconds the machine's clock is ahead of this host's."""
        return float(self.execute("date", "+%s.%N")) - time.time()

    def cut_power(self) -> None:
        self.kill()

    def last_power_loss(self) -> str:
        return f"its kernel ended at {self.state().finished_at}"

    def tools(self) -> str:
        return self.system


def start_kernel_server(
    engine: Engine, parts: Parts, *, name: str, network: str, label: str, size: str = DISK_SIZE
) -> KernelServer:
    """Start a machine `name` that exports an empty disk; replace one that exists.

    Raises:
        Panic: its kernel panicked.
        WaitTimeout: it does not boot, or does not listen, in time.
    """
    remove_server(engine, name)
    engine.create_volume(name, label=label)
    disk = ["truncate", "-s", size, "/disk/disk.img"]
    engine.run_once(parts.system, *disk, label=label, volumes=[f"{name}:/disk"])
    inside = create_machine(
        engine,
        parts.image,
        parts.disk,
        name=name,
        network=network,
        label=label,
        memory_mib=_MEMORY_MIB,
        export_disk=name,
    )
    wait_for_server(inside, name)
    return KernelServer(inside, name, inside.address(name), parts.system)
