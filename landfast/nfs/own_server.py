"""The NFS server that the faults of a run may break: it has a disk of its own.

What the server's kernel has not written to that disk is not in the file behind it, so a power loss
shows. It can also lie about stable storage, or have a clock that is stepped.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from landfast import timeouts
from landfast.docker import ContainerState, Engine
from landfast.errors import LandfastError
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.nfs.server import EXPORT_PATH, container_inspector, wait_for_server
from landfast.process import Result

Mode = Literal["honest", "lying", "clock"]
Access = Literal["rw", "ro", "none"]
"""How the export is served: to read and write, to read, or not at all."""
DISK_SIZE = "1G"
# Writers wait while the file system is frozen.
_FLUSH = 'fsfreeze --freeze "$1"; fsfreeze --unfreeze "$1"'


@dataclass(frozen=True)
class OwnServer(ABC):
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
        """The inspector that looks from inside the server."""
        return container_inspector(self.engine, self.name)

    def execute(self, *argv: str, check: bool = True, timeout: float = timeouts.COMMAND) -> str:
        """Run a program where the server runs and return its standard output."""
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

    @abstractmethod
    def restart(self) -> None:
        """End the server in an orderly way and start it again."""

    def freeze(self) -> None:
        """Freeze every process of the server at one moment (see `Engine.pause`)."""
        self.engine.pause(self.name)

    def kill(self) -> None:
        """End the server without warning.

        A paused server is not thawed first: the engine sends the signal, then thaws it to die.
        """
        self.engine.kill(self.name, check=False)

    @abstractmethod
    def serve(self, access: Access) -> None:
        """Serve the export otherwise than before, without a restart; its squashed twin stays."""

    @abstractmethod
    def mode(self) -> Mode:
        """Return the mode that the server runs in."""

    @abstractmethod
    def set_mode(self, mode: Mode) -> None:
        """Run the server in a mode; clients may wait meanwhile.

        Raises:
            LandfastError: the mode has no effect.
        """

    @abstractmethod
    def why_clock_stays(self) -> str | None:
        """Return why the server's clock cannot be stepped now, or None if it can."""

    @abstractmethod
    def set_clock(self, seconds: int) -> None:
        """Step the server's clock to so many seconds ahead of the host's."""

    @abstractmethod
    def clock_offset(self) -> float:
        """Return how many seconds the server's clock is ahead.

        Raises:
            LandfastError: the server does not say.
        """

    @abstractmethod
    def cut_power(self) -> None:
        """End the server as a power loss does: what had not reached the disk is gone.

        Raises:
            LandfastError: the disk could not be copied at one moment; the server stays paused.
        """

    @abstractmethod
    def last_power_loss(self) -> str:
        """Return what another power loss changes, in words."""

    def flush(self) -> None:
        """Write to the disk all that is in memory, as a lying server does late.

        A power loss takes what was written later.
        """
        self.execute("sh", "-c", _FLUSH, "sh", EXPORT_PATH)

    def disk_holds(self, text: str) -> bool:
        """Whether a text is on the disk itself, not only in the kernel's memory.

        Raises:
            LandfastError: the disk cannot be searched.
        """
        found = self.on_disk("grep", "-q", "-F", "-e", text, "/disk/disk.img", check=False)
        if found.returncode > 1:
            raise LandfastError(f"the disk of {self.name} cannot be searched: {found.stderr}")
        return found.returncode == 0

    @abstractmethod
    def tools(self) -> str:
        """Return the image that has the programs for `on_disk`."""

    def on_disk(self, *argv: str, check: bool = True) -> Result:
        """Run a program on the server's volume, whether the server runs or not."""
        return self.engine.run_once(
            self.tools(),
            *argv,
            label=f"landfast.run={self.engine.label_of(self.name, 'landfast.run')}",
            volumes=[f"{self.name}:/disk"],
            check=check,
        )


def remove_server(engine: Engine, name: str) -> None:
    """Remove a server and its disk; do nothing if they do not exist."""
    engine.remove_containers(name)
    engine.remove_volume(name)
