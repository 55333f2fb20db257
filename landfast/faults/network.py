"""Faults of the network of MySQL's node: nftables rules, each fault's in a table of its own.

The NFS client, be it the kernel's or the mount helper, is in the node's network namespace. Rules
see every packet, even of established connections, after a service's address was translated.
"""

import json
from datetime import UTC, datetime
from typing import ClassVar

from landfast import timeouts
from landfast.faults.base import Lasting, NotProven, prove, register
from landfast.faults.node_health import (
    NodeFault,
    kubelet_answers,
    lease_of,
    moment,
    wait_node_ready,
)
from landfast.faults.processes import answers_within
from landfast.waiting import wait_until

_NFS = 2049
_REQUESTS = f"ip daddr SERVER tcp dport {_NFS}"
_ANSWERS = f"ip saddr SERVER tcp sport {_NFS}"
_UPLINK_OUT, _UPLINK_IN = 'oifname "eth0"', 'iifname "eth0"'
_API = 6443
_KUBELET = 10250
_SILENT_SECONDS = 12  # a kubelet renews its lease every 10 s
TIMED_OUT = 124
NO_ANSWER = "no answer within 1 s"
# bash can connect by itself, so nodes need no network client
_CONNECT = 'exec 3<>"/dev/tcp/$1/$2"'


class _Rules(Lasting, NodeFault):
    """Rules on packets that enter, leave or cross the node's network namespace."""

    rules: ClassVar[dict[str, tuple[str, ...]]]
    """By hook. SERVER stands for the NFS server's address; the counters are `met` and `hit`."""
    failure: ClassVar[str] = NO_ANSWER
    """How a connection that the rules apply to fails."""

    @classmethod
    def table(cls) -> str:
        return f"landfast_{cls.name.replace('-', '_')}"

    def take_aim(self) -> dict[str, str]:
        return {**super().take_aim(), "server": self.site.server.address}

    def available(self) -> str | None:
        found = self.site.engine.execute(self.node, "nft", "list", "tables", check=False)
        return None if found.returncode == 0 else f"nft does not work: {found.stderr.strip()}"

    def ruleset(self) -> str:
        """Return the table as nft(8) reads it."""
        parts = [f"counter {name} {{ }}" for name in ("met", "hit")]
        for hook, rules in self.rules.items():
            parts += [f"chain {hook} {{ type filter hook {hook} priority filter;", *rules, "}"]
        table = "\n".join([f"table inet {self.table()} {{", *parts, "}"])
        return table.replace("SERVER", self.aim["server"])

    @classmethod
    def removal(cls) -> str:
        """Return what removes the table; adding it first avoids an error if it is missing."""
        table = f"table inet {cls.table()}"
        return f"add {table}; delete {table}"

    def inject(self) -> None:
        self.site.engine.execute(self.node, "nft", "-f", "-", text=self.ruleset())

    def counted(self, name: str = "hit") -> int:
        """Return how many packets a counter of the rules saw; 0 also if there are no rules."""
        argv = ["nft", "-j", "list", "counters", "table", "inet", self.table()]
        listed = self.site.on_node(self.node, *argv, check=False)
        entries = json.loads(listed)["nftables"] if listed else []
        counters = [entry["counter"] for entry in entries if "counter" in entry]
        return sum(int(found["packets"]) for found in counters if found["name"] == name)

    def connect(self, address: str, port: int) -> str:
        """Try a TCP connection from the node for a second; return the complaint, or nothing."""
        argv = ["timeout", "1", "bash", "-c", _CONNECT, "bash", address, str(port)]
        found = self.site.engine.execute(self.node, *argv, check=False, env={"LC_ALL": "C"})
        if found.returncode in (0, TIMED_OUT):
            return NO_ANSWER if found.returncode else ""
        return found.stderr.strip().rpartition(": ")[2]

    def unconnected(self, address: str, port: int) -> str:
        """Return how a connection from the node fails.

        Raises:
            NotProven: it is made, or fails in another way than this fault's.
        """
        said = self.connect(address, port) or "it is made"
        seen = f"a connection from {self.node} to {address}:{port}: {said}"
        if said != self.failure:
            raise NotProven(f"{seen}; expected: {self.failure}")
        return seen

    def prove_effect(self) -> str:
        refused = self.unconnected(self.aim["server"], _NFS)
        count = prove("the rules to see packets", self.counted)
        return f"the rules saw {count} packets; {refused}"

    def still_there(self) -> bool:
        return self.table() in self.site.on_node(self.node, "nft", "list", "tables")

    def heal(self) -> None:
        self.site.on_node(self.node, "nft", self.removal())

    def prove_healed(self) -> str:
        gone, server = self.wait_no_rules(), self.aim["server"]
        wait_until(
            f"{self.node} to connect to {server}:{_NFS}",
            lambda: self.connect(server, _NFS),
            until=lambda said: not said,
            timeout=timeouts.HEALTHY,
        )
        return f"{gone}; it connects to {server}:{_NFS}"

    def wait_no_rules(self) -> str:
        """Wait until the table is gone, and return that as a sentence."""
        self.wait_over(f"{self.node} to have no table {self.table()}", timeout=timeouts.HEALTHY)
        return f"{self.node} has no table {self.table()}"


@register
class NfsPortDropped(_Rules):
    """A partition between client and server."""

    name = "nfs-port-dropped"
    text = "packets between MySQL's node and the NFS server are dropped"
    rules: ClassVar = {
        "output": (f"{_REQUESTS} counter name hit drop",),
        "input": (f"{_ANSWERS} counter name hit drop",),
    }


@register
class NfsOneWay(_Rules):
    """Requests arrive and are carried out; only the answers to them are dropped."""

    name = "nfs-one-way"
    text = "the NFS server's answers to MySQL's node are dropped"
    rules: ClassVar = {"input": (f"{_ANSWERS} counter name hit drop",)}


@register
class NfsReset(_Rules):
    """A firewall forgot the connection."""

    name = "nfs-reset"
    text = "connections from MySQL's node to the NFS server are reset"
    failure = "Connection refused"
    rules: ClassVar = {"output": (f"{_REQUESTS} counter name hit reject with tcp reset",)}


@register
class NfsLoss(_Rules):
    """A bad cable."""

    name = "nfs-loss"
    text = "20 % of the packets between MySQL's node and the NFS server are lost"
    rules: ClassVar = {
        "output": (
            f"{_REQUESTS} counter name met",
            f"{_REQUESTS} numgen random mod 100 < 20 counter name hit drop",
        ),
        "input": (
            f"{_ANSWERS} counter name met",
            f"{_ANSWERS} numgen random mod 100 < 20 counter name hit drop",
        ),
    }

    def prove_effect(self) -> str:

        def look() -> tuple[int, bool]:
            # connections make packets that can be lost, even if MySQL is idle
            made = not self.connect(self.aim["server"], _NFS)
            return self.counted(), made

        lost, _ = prove(
            "packets to be lost, and a connection to be made all the same",
            look,
            until=lambda seen: seen[0] > 0 and seen[1],
            timeout=15,
        )
        return (
            f"{lost} of {self.counted('met')} packets between {self.node} and the NFS server were "
            "dropped so far; a connection was made all the same"
        )


class NodeCutOff(_Rules):
    """Nothing reaches the node or leaves it, but for what it says to the NFS server."""

    name = "node-cut-off"
    text = "MySQL's node is cut off from everything but the NFS server"
    rules: ClassVar = {
        "output": (f"{_UPLINK_OUT} ip daddr SERVER accept", f"{_UPLINK_OUT} counter name hit drop"),
        "input": (f"{_UPLINK_IN} ip saddr SERVER accept", f"{_UPLINK_IN} counter name hit drop"),
        "forward": (f"{_UPLINK_OUT} counter name hit drop", f"{_UPLINK_IN} counter name hit drop"),
    }

    def prove_effect(self) -> str:
        refused = self.unconnected(self.site.control_plane, _API)
        if kubelet_answers(self.site, self.node):
            raise NotProven(f"the kubelet of {self.node} still answers the control plane")
        age = prove(
            f"the lease of {self.node} not to be renewed",
            lambda: datetime.now(UTC) - moment(lease_of(self.site, self.node)),
            until=lambda age: age.total_seconds() > _SILENT_SECONDS,
            timeout=_SILENT_SECONDS + 3,
        )
        count = prove("the rules to see packets", self.counted)
        return (
            f"the rules saw {count} packets; {refused}; its kubelet does not answer the control "
            f"plane, and has not renewed its lease for {age.total_seconds():.0f} s"
        )

    def prove_healed(self) -> str:
        return f"{self.wait_no_rules()}; {wait_node_ready(self.site, self.node)}"


@register
class NodeIsolated(NodeCutOff):
    """The pods' network and the way to the NFS server are intact."""

    name = "node-isolated"
    text = "MySQL's node is cut off from the API server"
    rules: ClassVar = {
        "output": (f"tcp dport {_API} counter name hit drop",),
        # from pods, by the service's address
        "forward": (f"tcp dport {_API} counter name hit drop",),
        # a watch that is open would go on to bring news
        "input": (
            f"tcp dport {_KUBELET} counter name hit drop",
            f"tcp sport {_API} counter name hit drop",
        ),
    }

    def prove_effect(self) -> str:
        cut = super().prove_effect()
        prove("MySQL to answer", lambda: answers_within(self.site.stack.mysql, 5))
        return f"{cut}; MySQL answers"
