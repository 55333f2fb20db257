"""Faults of the NFS server: its process, address, export, disk, power and clock."""

import re
import secrets
from datetime import UTC, datetime
from typing import ClassVar

from landfast.errors import LandfastError
from landfast.faults.base import Fault, NotProven, Site, prove, register
from landfast.faults.nodes import NodePowerOff, lease_of
from landfast.nfs.disk_server import CLOCK_FILE, CONFIG_IN_SERVER
from landfast.nfs.server import CONFIG, EXPORT_PATH
from landfast.waiting import WaitTimeout, wait_until

_BACK_SECONDS = 40
_FILLER = "landfast-filler"
_CANARY = "landfast-unsynced"
_PROBE = "landfast-probe"
_AN_HOUR = 3600
# An RPC NULL call of NFSv4, and whether four bytes of an answer come within a second.
_CALL = (
    r"\x80\x00\x00\x28\x00\x00\x00\x2a\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa3"
    r"\x00\x00\x00\x04\x00\x00\x00\x00" + r"\x00\x00\x00\x00" * 4
)
_ASK = 'exec 3<>"/dev/tcp/$1/2049" && printf "$2" >&3 && head -c 4 <&3 | wc -c'


def answers(site: Site, address: str | None = None) -> bool:
    """Whether the server answers an NFS NULL call that a node sends, within a second."""
    asked = [address or site.server.address, _CALL]
    argv = ["timeout", "1", "bash", "-c", _ASK, "bash", *asked]
    found = site.engine.docker("exec", site.control_plane, *argv, check=False)
    return found.stdout.strip() == "4"


def through_nfs(site: Site, *argv: str) -> tuple[bool, str]:
    """Run a program with a path on a mount of the whole export; give whether it worked, its words.

    The mount is the provisioner's, on whichever node that is. `{}` in an argument is the mount.
    """
    wanted = f"{site.server.address}:{EXPORT_PATH} "
    for node in site.workers:
        for line in site.on_node(node, "cat", "/proc/mounts").splitlines():
            if line.startswith(wanted):
                fitted = [part.replace("{}", line.split()[1]) for part in argv]
                found = site.engine.docker("exec", node, "timeout", "5", *fitted, check=False)
                return found.returncode == 0, (found.stderr or found.stdout).strip()
    raise LandfastError(f"no node mounts {wanted}")


class _ServerFault(Fault):
    """A fault of the server as a whole; healed when it answers."""

    def prove_healed(self) -> str:
        """It answers a node."""
        wait_until(
            "the NFS server to answer an NFS call",
            lambda: answers(self.site),
            timeout=_BACK_SECONDS,
        )
        started = self.site.server.started_at()
        return f"the server (started at {started}) answers an NFS call from a node"


class _Down(_ServerFault):
    """The server's container does not run."""

    def prove_effect(self) -> str:
        """It has ended, and nothing answers."""
        prove("the server's container to have ended", lambda: self.site.server.state() == "exited")
        if answers(self.site):
            raise NotProven("the server's container has ended, but an NFS call is answered")
        return f"the container {self.site.server.name} has ended; an NFS call is not answered"

    def heal(self) -> None:
        """Start it."""
        self.site.server.start()


@register
class NfsKill(_Down):
    """The server crashes; what it had written is on its disk."""

    name = "nfs-kill"
    text = "the NFS server is killed (SIGKILL) and started again"

    def inject(self) -> None:
        """Kill it."""
        self.site.server.kill()


@register
class NfsRestart(_ServerFault):
    """The server is restarted in an orderly way."""

    name = "nfs-restart"
    text = "the NFS server is restarted in an orderly way"
    stays: ClassVar[bool] = False
    before = ""

    def note(self) -> None:
        """Remember when it was started."""
        self.before = self.site.server.started_at()

    def inject(self) -> None:
        """Restart it."""
        self.site.engine.docker("restart", "--time", "10", self.site.server.name)

    def prove_effect(self) -> str:
        """It was started anew."""
        now = prove(
            "the server to be started anew",
            self.site.server.started_at,
            until=lambda now: now != self.before,
        )
        return f"the server was started at {now} (before: {self.before})"

    def heal(self) -> None:
        """Start it, should it not run."""
        self.site.server.start()


@register
class NfsFreeze(_ServerFault):
    """The server stands still; its connections stay."""

    name = "nfs-freeze"
    text = "the NFS server stands still, shorter than its lease"

    def inject(self) -> None:
        """Freeze its container."""
        self.site.engine.docker("pause", self.site.server.name)

    def prove_effect(self) -> str:
        """It is paused, and does not answer."""
        prove("the server's container to be paused", lambda: self.site.server.state() == "paused")
        if answers(self.site):
            raise NotProven("the server's container is paused, but an NFS call is answered")
        return f"the container {self.site.server.name} is paused; an NFS call is not answered"

    def heal(self) -> None:
        """Let it go on."""
        self.site.server.start()


@register
class NfsFreezeLong(NfsFreeze):
    """The server stands still until its clients' leases are over."""

    name = "nfs-freeze-long"
    text = "the NFS server stands still, longer than its lease"


@register
class NfsMoved(_ServerFault):
    """The server has another address, as after a failover without a floating one."""

    name = "nfs-moved"
    text = "the NFS server moves to another address and back"

    def take_aim(self) -> dict[str, str]:
        """Note its address with the length of the prefix, its route, and where it will go."""
        shown = self.site.server.execute("ip", "-4", "-o", "addr", "show", "dev", "eth0")
        address = shown.split()[3]
        host, _, prefix = address.partition("/")
        gateway = self.site.server.execute("ip", "route", "show", "default").split()[2]
        other = f"{host.rpartition('.')[0]}.250/{prefix}"
        return {"address": address, "other": other, "gateway": gateway}

    def inject(self) -> None:
        """Move it."""
        self._move(self.aim["address"], self.aim["other"])

    def prove_effect(self) -> str:
        """It answers at the new address and not at the old one."""
        other = self.aim["other"].partition("/")[0]
        prove("an answer from the new address", lambda: answers(self.site, other))
        if answers(self.site):
            raise NotProven("the server still answers at its old address")
        return f"an NFS call is answered by {other}, and not by {self.site.server.address}"

    def heal(self) -> None:
        """Move it back."""
        self._move(self.aim["other"], self.aim["address"])

    def _move(self, old: str, new: str) -> None:
        execute = self.site.server.execute
        execute("ip", "addr", "replace", new, "dev", "eth0")
        execute("ip", "addr", "del", old, "dev", "eth0", check=False)
        execute("ip", "addr", "replace", new, "dev", "eth0")  # it may have been a secondary one
        execute("ip", "route", "replace", "default", "via", self.aim["gateway"])


class _ExportFault(Fault):
    """A fault of the export; the server runs."""

    def prove_healed(self) -> str:
        """A file can be written through NFS."""
        wait_until(
            "a file to be written through NFS",
            lambda: through_nfs(self.site, "touch", f"{{}}/{_PROBE}"),
            until=lambda seen: seen[0],
            timeout=_BACK_SECONDS,
            describe=lambda seen: seen[1],
        )
        through_nfs(self.site, "rm", f"{{}}/{_PROBE}")
        return "a file was written and removed through a mount of the export"

    def refused(self, words: str) -> str:
        """Give what a write through NFS is refused with.

        Raises:
            NotProven: it is not refused, or otherwise than with `words`.
        """
        _, said = prove(
            f"a write through NFS to be refused with {words!r}",
            lambda: through_nfs(
                self.site, "dd", "if=/dev/zero", f"of={{}}/{_PROBE}", "bs=64k", "count=1",
                "conv=fsync",
            ),
            until=lambda seen: not seen[0] and re.search(words, seen[1]) is not None,
        )  # fmt: skip
        return said.splitlines()[0]


@register
class ExportWithdrawn(_ExportFault):
    """An administrator takes the export away, and gives it back."""

    name = "export-withdrawn"
    text = "the export is withdrawn and restored"

    def inject(self) -> None:
        """Give the server a configuration without exports."""
        config = CONFIG.read_text()
        self._configure(re.sub(r"(?m)^EXPORT \{\n(.*\n)*?\}\n", "", config))

    def prove_effect(self) -> str:
        """A write through NFS fails."""
        return f"through a mount of the export: {self.refused('.')}"

    def heal(self) -> None:
        """Give the server its configuration."""
        self._configure(CONFIG.read_text())

    def _configure(self, config: str) -> None:
        server = self.site.server
        server.execute("sh", "-c", f'printf %s "$1" > {CONFIG_IN_SERVER}', "sh", config)
        server.execute("kill", "-HUP", "1")


@register
class ExportReadOnly(_ExportFault):
    """The server's file system has become read-only, as ext4 does after an error."""

    name = "export-read-only"
    text = "the export's file system becomes read-only"

    def inject(self) -> None:
        """Remount it."""
        self.site.server.execute("mount", "-o", "remount,ro", EXPORT_PATH)

    def prove_effect(self) -> str:
        """A write through NFS is refused for that reason."""
        return f"through a mount of the export: {self.refused('Read-only file system')}"

    def heal(self) -> None:
        """Remount it."""
        self.site.server.execute("mount", "-o", "remount,rw", EXPORT_PATH)


@register
class ExportFull(_ExportFault):
    """Not a block is free on the server's file system."""

    name = "export-full"
    text = "the export is full"

    def inject(self) -> None:
        """Take what is free; the file system is one of the run's own, of a gigabyte."""
        script = f'free=$(stat -f -c "%f" {EXPORT_PATH}); size=$(stat -f -c "%S" {EXPORT_PATH}); '
        script += f"fallocate -l $((free * size)) {EXPORT_PATH}/{_FILLER} || "
        script += f"dd if=/dev/zero of={EXPORT_PATH}/{_FILLER} bs=1M"
        self.site.server.execute("sh", "-c", script, check=False, timeout=60)
        self.site.server.execute(
            "dd", "if=/dev/zero", f"of={EXPORT_PATH}/{_FILLER}-rest", "bs=4k", check=False
        )

    def prove_effect(self) -> str:
        """A write through NFS is refused for that reason."""
        return f"through a mount of the export: {self.refused('No space left on device')}"

    def heal(self) -> None:
        """Give the space back."""
        filler = f"{EXPORT_PATH}/{_FILLER}"
        self.site.server.execute("rm", "-f", filler, f"{filler}-rest", f"{EXPORT_PATH}/{_PROBE}")


@register
class NfsPowerLoss(_Down):
    """The server loses its power: what had not reached its disk is gone."""

    name = "nfs-power-loss"
    text = "the NFS server loses its power"

    def take_aim(self) -> dict[str, str]:
        """Choose the canary's name."""
        return {"canary": f"{_CANARY}-{secrets.token_hex(4)}"}

    def inject(self) -> None:
        """Write a file without syncing it, and cut the power."""
        path = f"{EXPORT_PATH}/{self.aim['canary']}"
        self.site.server.execute("sh", "-c", 'echo unsynced > "$1"', "sh", path)
        self.site.server.cut_power()

    def prove_healed(self) -> str:
        """It answers, and the file that was not synced is gone."""
        answers_again = super().prove_healed()
        if self.site.server.inspector.exists(self.aim["canary"]):
            raise WaitTimeout("a file that was never synced outlived the power loss: it was none")
        return f"{answers_again}; a file that was not synced before the power loss is gone"


@register
class PowerLossEverywhere(NfsPowerLoss):
    """Server and client lose their power: nobody is left who could send again what is gone."""

    name = "power-loss-everywhere"
    text = "the NFS server and MySQL's node lose their power"

    def take_aim(self) -> dict[str, str]:
        """Note the node as well."""
        node = self.site.node()
        return {**super().take_aim(), "node": node, "lease": lease_of(self.site, node)}

    @property
    def _power(self) -> NodePowerOff:
        return NodePowerOff(self.site, self.aim)

    def inject(self) -> None:
        """Cut the server's power, then that of the node, which waits for the server meanwhile."""
        super().inject()
        self._power.inject()

    def prove_effect(self) -> str:
        """Both have ended."""
        return f"{super().prove_effect()}; {self._power.prove_effect()}"

    def heal(self) -> None:
        """Start both, the server first."""
        super().heal()
        self._power.heal()

    def prove_healed(self) -> str:
        """Both are there again."""
        return f"{super().prove_healed()}; {self._power.prove_healed()}"


@register
class ServerClockStep(Fault):
    """The server's clock jumps by an hour."""

    name = "server-clock-step"
    text = "the NFS server's clock is stepped by an hour"

    def available(self) -> str | None:
        """Say why the server's clock cannot be set."""
        loaded = self.site.server.execute("cat", "/proc/1/maps")
        return None if "libfaketime" in loaded else "the server does not run under libfaketime"

    def inject(self) -> None:
        """Set it ahead."""
        self._set(f"+{_AN_HOUR}")

    def prove_effect(self) -> str:
        """The server's own log has a time about an hour ahead."""
        ahead = prove("the server's log to be an hour ahead", self._ahead, until=_is_an_hour)
        return f"the time in the server's own log is {ahead:.0f} s ahead of the host's"

    def heal(self) -> None:
        """Set it back."""
        self._set("+0")

    def prove_healed(self) -> str:
        """The server's log has the host's time."""
        ahead = wait_until(
            "the server's log to have the host's time",
            self._ahead,
            until=lambda ahead: abs(ahead) < 60,
            timeout=20,
        )
        return f"the time in the server's own log is {ahead:.0f} s ahead of the host's"

    def _set(self, offset: str) -> None:
        self.site.server.execute("sh", "-c", f'echo "$1" > {CLOCK_FILE}', "sh", offset)

    def _ahead(self) -> float:
        """Let the server log a line, and give how many seconds its time is ahead."""
        self.site.server.execute("kill", "-HUP", "1")
        shown = self.site.engine.docker("logs", "--tail", "1", self.site.server.name)
        line = (shown.stdout + shown.stderr).strip()
        found = re.match(r"(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)", line)
        if not found:
            raise LandfastError(f"the server's log has no time: {line[:80]}")
        logged = datetime.strptime(found[1], "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC)
        return (logged - datetime.now(UTC)).total_seconds()


def _is_an_hour(ahead: float) -> bool:
    return abs(ahead - _AN_HOUR) < 60
