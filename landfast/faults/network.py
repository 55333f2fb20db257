"""Faults of the network of MySQL's node: rules of nftables, in a table of their own."""

import json
from typing import ClassVar

from landfast.faults.base import Fault, NotProven, prove, register
from landfast.faults.nodes import wait_node_ready
from landfast.faults.processes import answers_within
from landfast.waiting import WaitTimeout

_TABLE = "landfast_fault"
_NFS = 2049
_API = 6443
_CONNECT_SECONDS = "1"
# bash's own network client: node images need not have another one
_CONNECT = 'exec 3<>"/dev/tcp/$1/$2"'


class _Rules(Fault):
    """Rules on packets that come into, leave or cross the node's network namespace."""

    rules: ClassVar[dict[str, tuple[str, ...]]]
    """By hook: rules in which SERVER stands for the NFS server, API for the control plane."""

    def take_aim(self) -> dict[str, str]:
        """Note the node and the addresses that rules name."""
        inspect = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        api = self.site.engine.docker("inspect", "--format", inspect, self.site.control_plane)
        return {
            "node": self.site.node(),
            "server": self.site.server.address,
            "api": api.stdout.strip(),
        }

    def inject(self) -> None:
        """Load the rules, each with a counter."""
        lines = [f"table inet {_TABLE} {{"]
        for hook, rules in self.rules.items():
            lines.append(f"chain {hook} {{ type filter hook {hook} priority -300;")
            for rule in rules:
                named = rule.replace("SERVER", self.aim["server"]).replace("API", self.aim["api"])
                lines.append(f"{named};")
            lines.append("}")
        lines.append("}")
        self.site.engine.docker(
            "exec", "--interactive", self.aim["node"], "nft", "-f", "-", text="\n".join(lines)
        )

    def counted(self) -> int:
        """Give how many packets the rules have met; 0 also where there are no rules."""
        listed = self.site.on_node(
            self.aim["node"], "nft", "-j", "list", "table", "inet", _TABLE, check=False
        )
        if not listed:
            return 0
        rules = [item["rule"] for item in json.loads(listed)["nftables"] if "rule" in item]
        counters = [part["counter"] for r in rules for part in r["expr"] if "counter" in part]
        return sum(int(counter["packets"]) for counter in counters)

    def connects(self, address: str, port: int) -> bool:
        """Whether a TCP connection from the node is made within a second."""
        argv = ["timeout", _CONNECT_SECONDS, "bash", "-c", _CONNECT, "bash", address, str(port)]
        node = self.aim["node"]
        return self.site.engine.docker("exec", node, *argv, check=False).returncode == 0

    def prove_effect(self) -> str:
        """Rules met packets, and a connection to the server is not made."""
        if self.connects(self.aim["server"], _NFS):
            raise NotProven(f"{self.aim['node']} still connects to {self.aim['server']}:{_NFS}")
        count = prove("the rules to meet packets", self.counted)
        return (
            f"{count} packets between {self.aim['node']} and {self.aim['server']}:{_NFS} met the "
            "rules; a new connection is not made within 1 s"
        )

    def heal(self) -> None:
        """Remove the table."""
        self.site.on_node(self.aim["node"], "nft", "delete", "table", "inet", _TABLE, check=False)

    def prove_healed(self) -> str:
        """The table is gone, and a connection is made."""
        self.require_no_rules()
        if not self.connects(self.aim["server"], _NFS):
            raise WaitTimeout(f"{self.aim['node']} does not connect to {self.aim['server']}")
        return f"no rule is left in {self.aim['node']}; it connects to {self.aim['server']}:{_NFS}"

    def require_no_rules(self) -> None:
        """Make sure that the table is gone.

        Raises:
            WaitTimeout: it is not.
        """
        if _TABLE in self.site.on_node(self.aim["node"], "nft", "list", "tables"):
            raise WaitTimeout(f"the table {_TABLE} is still in {self.aim['node']}")


@register
class NfsPortDropped(_Rules):
    """A partition between client and server."""

    name = "nfs-port-dropped"
    text = "packets between MySQL's node and the NFS server are dropped"
    rules: ClassVar = {
        "output": (f"ip daddr SERVER tcp dport {_NFS} counter drop",),
        "input": (f"ip saddr SERVER tcp sport {_NFS} counter drop",),
    }


@register
class NfsOneWay(_Rules):
    """Requests arrive and are carried out, their answers do not."""

    name = "nfs-one-way"
    text = "the NFS server's answers to MySQL's node are dropped"
    rules: ClassVar = {"input": (f"ip saddr SERVER tcp sport {_NFS} counter drop",)}


@register
class NfsReset(_Rules):
    """A firewall that forgot the connection."""

    name = "nfs-reset"
    text = "connections from MySQL's node to the NFS server are reset"
    rules: ClassVar = {
        "output": (f"ip daddr SERVER tcp dport {_NFS} counter reject with tcp reset",)
    }


@register
class NfsLoss(_Rules):
    """A bad cable."""

    name = "nfs-loss"
    text = "20 % of the packets between MySQL's node and the NFS server are lost"
    rules: ClassVar = {
        "output": (f"ip daddr SERVER tcp dport {_NFS} numgen random mod 100 < 20 counter drop",),
        "input": (f"ip saddr SERVER tcp sport {_NFS} numgen random mod 100 < 20 counter drop",),
    }

    def prove_effect(self) -> str:
        """Some packets were lost, and MySQL's clients go on."""
        count = prove("packets to be lost", self.counted, timeout=10)
        return f"{count} packets between {self.aim['node']} and the NFS server were dropped so far"


@register
class NodeIsolated(_Rules):
    """The node's kubelet and the API server do not see each other; the pods' network is whole."""

    name = "node-isolated"
    text = "MySQL's node is cut off from the API server"
    rules: ClassVar = {
        "output": (f"ip daddr API tcp dport {_API} counter drop",),
        "input": (f"ip saddr API tcp sport {_API} counter drop",),
        "forward": (
            f"ip daddr API tcp dport {_API} counter drop",
            f"ip saddr API tcp sport {_API} counter drop",
        ),
    }

    def prove_effect(self) -> str:
        """Rules met packets, a connection is not made, and MySQL answers all the same."""
        if self.connects(self.aim["api"], _API):
            raise NotProven(f"{self.aim['node']} still connects to the API server")
        count = prove("the rules to meet packets", self.counted)
        answers = answers_within(self.site.stack.mysql, 5)
        return (
            f"{count} packets between {self.aim['node']} and the API server were dropped; a new "
            f"connection is not made within 1 s; MySQL {'answers' if answers else 'does not'}"
        )

    def prove_healed(self) -> str:
        """The table is gone, and the node is Ready."""
        self.require_no_rules()
        return f"no rule is left; {wait_node_ready(self.site, self.aim['node'])}"
