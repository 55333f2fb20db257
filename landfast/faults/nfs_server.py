"""Faults of the NFS server: its process, its address, its clock."""

import secrets
from ipaddress import IPv4Interface

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Fault, Lasting, Momentary, prove, register
from landfast.nfs import probe
from landfast.nfs.server import LEASE_SECONDS
from landfast.waiting import wait_until

_STEP = LEASE_SECONDS // 2  # a step as long as the lease would end it (see lease.py)
_CLOCK_SLACK = 4  # the log has whole seconds
# Without this, the kernel drops the second address of a subnet together with the first.
_PROMOTE = "/proc/sys/net/ipv4/conf/eth0/promote_secondaries"
_MOVE = f"""
set -e
echo 1 > {_PROMOTE}
ip addr replace "$2" dev eth0
ip addr del "$1" dev eth0 2>/dev/null || true
ip route replace default via "$3"
"""


class ServerFault(Fault):
    """A fault of the server; it is healed when a file written through NFS is on the server."""

    def take_aim(self) -> dict[str, str]:
        """Choose the node that probes the server: MySQL's, or any worker if MySQL has none."""
        pod = self.site.find_pod() or {"spec": {}}
        return {"from": pod["spec"].get("nodeName") or self.site.workers[0]}

    def answers(self, address: str | None = None) -> bool:
        """Whether the server answers the node's null call within a second."""
        asked = address or self.site.server.address
        return probe.answers(self.site.engine, self.aim["from"], asked)

    def write(self, text: str) -> tuple[probe.Written, str]:
        """Write a file through a new mount on the node; return what the server has then."""
        server = self.site.server
        written = probe.write(self.site.engine, self.aim["from"], server.export, text)
        if not written.made:
            return written, ""
        try:
            return written, server.inspector.read(written.name)
        finally:
            server.inspector.remove(written.name)

    def no_answer(self) -> str:
        """Prove that nothing answers NFS calls where clients look."""
        prove("no answer to NFS calls", lambda: not self.answers())
        return f"{self.aim['from']} gets no answer from {self.site.server.address} within 1 s"

    def heal(self) -> None:
        self.site.server.start()

    def prove_healed(self) -> str:
        token = secrets.token_hex(8)
        wait_until(
            "a file written through NFS to be on the server",
            lambda: self.write(token),
            until=lambda seen: seen[1] == token,
            timeout=timeouts.SERVER_START,
            ignoring=(LandfastError,),
            describe=lambda seen: seen[0].said or "the server has another text",
        )
        return f"what {self.aim['from']} wrote to {self.site.server.address} is on the server"


@register
class NfsKill(Lasting, ServerFault):
    """The server crashes; what Ganesha had written to its file system stays.

    The kernel's server crashes with its machine: what it had not synced is gone as well.
    """

    name = "nfs-kill"
    text = "the NFS server is killed (SIGKILL) and started again"

    def inject(self) -> None:
        self.site.server.kill()

    def prove_effect(self) -> str:
        server = self.site.server
        state = prove(
            "the server's container to have been killed",
            server.state,
            until=lambda state: (state.status, state.exit_code) == ("exited", 137),
        )
        ended = f"the container {server.name} ended with exit code 137 at {state.finished_at}"
        return f"{ended}; {self.no_answer()}"

    def still_there(self) -> bool:
        return self.site.server.state().status == "exited"


@register
class NfsRestart(Momentary, ServerFault):
    name = "nfs-restart"
    text = "the NFS server is restarted in an orderly way"
    before = ""

    def note(self) -> None:
        self.before = self.site.server.state().started_at

    def inject(self) -> None:
        self.site.server.restart()

    def prove_effect(self) -> str:
        server = self.site.server
        now = prove(
            "the server to have another start time",
            lambda: server.state().started_at,
            until=lambda now: now != self.before,
        )
        return f"the container {server.name} was started at {now} (before: {self.before})"


@register
class NfsFreeze(Lasting, ServerFault):
    """The server is frozen; its connections stay, because its kernel goes on."""

    name = "nfs-freeze"
    text = "the NFS server is frozen, for a moment"

    def inject(self) -> None:
        self.site.server.freeze()

    def prove_effect(self) -> str:
        prove("the server's container to be paused", self.still_there)
        return f"the container {self.site.server.name} is paused; {self.no_answer()}"

    def still_there(self) -> bool:
        return self.site.server.state().is_paused


@register
class NfsFreezeLong(NfsFreeze):
    """The server is frozen for so long that its clients' leases have almost run out."""

    name = "nfs-freeze-long"
    text = f"the NFS server is frozen, for more than half of its lease of {LEASE_SECONDS} s"


@register
class NfsMoved(Lasting, ServerFault):
    """The server has another address, as after a failover; clients look at the old one."""

    name = "nfs-moved"
    text = "the NFS server moves to another address and back"

    def take_aim(self) -> dict[str, str]:
        server = self.site.server
        own = next(text for text in self._addresses() if text.startswith(f"{server.address}/"))
        network = IPv4Interface(own).network
        gateway = server.execute("ip", "-4", "route", "show", "default").split()[2]
        other = f"{network.broadcast_address - 1}/{network.prefixlen}"
        return {**super().take_aim(), "own": own, "other": other, "gateway": gateway}

    def inject(self) -> None:
        self._move(self.aim["own"], self.aim["other"])

    def prove_effect(self) -> str:
        other = self.aim["other"].partition("/")[0]
        prove(f"an answer from {other}", lambda: self.answers(other))
        old = self.site.server.address
        return f"the server has moved from {old} to {other}, where it answers; {self.no_answer()}"

    def still_there(self) -> bool:
        return self._addresses() == [self.aim["other"]]

    def heal(self) -> None:
        """Restore its address; a restart would do so as well."""
        super().heal()
        self._move(self.aim["other"], self.aim["own"])
        self.site.server.execute("sh", "-c", 'echo 0 > "$1"', "sh", _PROMOTE)

    def prove_healed(self) -> str:
        served = super().prove_healed()
        wait_until(
            "the server to have its own address only",
            self._addresses,
            until=lambda found: found == [self.aim["own"]],
            timeout=timeouts.CONTAINER_STATE,
        )
        return f"{served}; it has no address but {self.aim['own']}"

    def _move(self, source: str, target: str) -> None:
        self.site.server.execute("sh", "-c", _MOVE, "sh", source, target, self.aim["gateway"])

    def _addresses(self) -> list[str]:
        """Return the server's addresses, each with the length of its network's prefix."""
        shown = self.site.server.execute("ip", "-4", "-o", "addr", "show", "dev", "eth0")
        return [word for word in shown.split() if "/" in word]


@register
class ServerClockStep(Lasting, ServerFault):
    """The server's clock jumps, as far as clients may not notice."""

    name = "server-clock-step"
    text = f"the NFS server's clock is stepped by {_STEP} s, half of its lease"

    def available(self) -> str | None:
        return self.site.server.why_clock_stays()

    def inject(self) -> None:
        self.site.server.set_clock(_STEP)

    def prove_effect(self) -> str:
        clock = self.site.server.clock_offset
        offset = prove(f"the server's clock to be {_STEP} s ahead", clock, until=_is_stepped)
        return f"by the server's own words, its clock is {offset:.1f} s ahead of the engine's"

    def still_there(self) -> bool:
        return _is_stepped(self.site.server.clock_offset())

    def heal(self) -> None:
        super().heal()
        self.site.server.set_clock(0)

    def prove_healed(self) -> str:
        offset = wait_until(
            "the server's clock to have the engine's time",
            self.site.server.clock_offset,
            until=lambda offset: abs(offset) < _CLOCK_SLACK,
            timeout=timeouts.SERVER_START,
            ignoring=(LandfastError,),
        )
        return f"the server's clock is {offset:.1f} s off the engine's; {super().prove_healed()}"


def _is_stepped(offset: float) -> bool:
    return abs(offset - _STEP) < _CLOCK_SLACK
