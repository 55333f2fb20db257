"""Faults of MySQL's node on a cluster of others, each with a timer on the node that heals it.

They break what the faults of the same names break, through the site's hand. Whoever is killed, and
whatever is cut off: the node's own systemd undoes the fault.
"""

from collections.abc import Mapping
from typing import ClassVar

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Fault, Site, prove
from landfast.faults.hand import NodeHand
from landfast.faults.network import NO_ANSWER, TIMED_OUT, NfsPortDropped
from landfast.faults.node_health import NodeFault
from landfast.faults.node_services import KubeletStop
from landfast.faults.nodes import NodeDrain, NodeRestart
from landfast.subject import place
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until

_PROBE_SECONDS = 60
_BREAKS_SECONDS = "1s"  # so that the kubelet can still say that the order was given
_CONNECT = 'timeout 1 bash -c \'exec 3<>"/dev/tcp/$1/$2"\' bash "$1" "$2" 2>&1; echo "=$?"'
_LOAD = 'printf "%s\\n" "$1" | nft -f -'
_ADDRESS = 'getent ahostsv4 "$1" | { read -r address rest; echo "$address"; }'
_BOOT = "cat /proc/sys/kernel/random/boot_id; cut -d ' ' -f 22 /proc/1/stat"
# Where the kubelet has its credentials stands in its command line.
_KUBECONFIG = r"""
command -v kubectl >/dev/null || exit 0
for file in /proc/[0-9]*/comm; do
    [ "$(cat "$file" 2>/dev/null)" = kubelet ] || continue
    tr '\0' '\n' <"${file%comm}cmdline" | sed -n -e 's/^--kubeconfig=//p' -e '/^--kubeconfig$/{n;p}'
done
"""


class _OnTheirNode(NodeFault):
    """A fault of a node that is not the run's, injected and healed through the hand."""

    reach = "node"
    heals_after: ClassVar[float]
    """Seconds until the node's timer heals it: longer than it takes, and than it is held."""

    def undo(self) -> str:
        """Return the shell line with which the node undoes the fault, if it is there."""
        raise NotImplementedError

    @property
    def hand(self) -> NodeHand:
        assert self.site.hand is not None  # noqa: S101 - see `fitted`
        return self.site.hand

    @property
    def timer(self) -> str:
        return f"landfast-heal-{self.site.env.run_id}-{self.name}"

    def take_aim(self) -> dict[str, str]:
        """Find the node, and enter it.

        Raises:
            MissingCapability: the cluster or the way to MySQL cannot do without it, or it cannot be
                entered.
        """
        node = self.site.node()
        if self.site.relay and self.site.relay.node() == node:
            raise MissingCapability("node.spare", f"the way to MySQL leads over its node {node}")
        self.hand.reach(node)
        return {"node": node}

    def available(self) -> str | None:
        """Check that the node's systemd takes timers from us: one that does nothing.

        Raises:
            MissingCapability: it does not.
        """
        try:
            self.hand.arm(self.node, self.timer, _PROBE_SECONDS, "true")
            self.hand.disarm(self.node, self.timer)
        except LandfastError as error:
            raise MissingCapability(
                "node.timer", f"no timer of {self.node} would heal it: {error}"
            ) from error
        return None

    def note(self) -> None:
        """Arm the timer, as the last thing before the injection."""
        super().note()
        self.hand.arm(self.node, self.timer, self.heals_after, self.undo())

    def heal(self) -> None:
        """Undo the fault, and then stop the timer."""
        super().heal()  # type: ignore[safe-super]  # of the fault that this is mixed into
        self.hand.disarm(self.node, self.timer)

    def soon(self, line: str) -> None:
        """Have the node run a shell line in a moment, when this connection is not needed."""
        timer = ["--quiet", "--collect", "--timer-property=AccuracySec=100ms"]
        argv = ["systemd-run", *timer, f"--on-active={_BREAKS_SECONDS}", "/bin/sh", "-c", line]
        self.site.on_node(self.node, *argv)

    def wait_back(self, what: str, *, timeout: float) -> None:
        """Wait until the node's kubelet answers."""
        wait_until(what, lambda: self.hand.answers(self.node), timeout=timeout)


class TheirNodeDrain(_OnTheirNode, NodeDrain):
    """Cordoned as its kubelet, which may do so: a node needs nobody else to undo it.

    Only the run's own pods are evicted.
    """

    heals_after = 150

    def take_aim(self) -> dict[str, str]:
        aim = super().take_aim()
        found = self.site.on_node(aim["node"], "/bin/sh", "-c", _KUBECONFIG).split()
        return {**aim, "kubeconfig": found[0] if found else ""}

    def available(self) -> str | None:
        if not self.aim["kubeconfig"]:
            return f"{self.node} has no kubectl, or its kubelet no kubeconfig: it cannot uncordon"
        return super().available()

    def undo(self) -> str:
        return f"kubectl --kubeconfig '{self.aim['kubeconfig']}' uncordon '{self.node}'"

    def _cordon(self, *, on: bool) -> None:
        verb = "cordon" if on else "uncordon"
        asked = ["kubectl", "--kubeconfig", self.aim["kubeconfig"], verb, self.node]
        self.site.on_node(self.node, *asked)


class TheirKubeletStop(_OnTheirNode, KubeletStop):
    """Nobody reaches a node without a kubelet, so its own timer is the one that heals it, always.

    It does so before the node counts as lost, 40 s after the kubelet's last word.
    """

    heals_after = 20

    def available(self) -> str | None:
        state = self.property("ActiveState")
        return super().available() if state == "active" else f"{self.node} has no unit kubelet"

    def undo(self) -> str:
        return "systemctl start kubelet"

    def inject(self) -> None:
        self.soon("systemctl stop kubelet")

    def prove_effect(self) -> str:
        return f"{self.silence()}: no program can be run in a pod of {self.node}"

    def still_there(self) -> bool:
        return not self.hand.answers(self.node)

    def heal(self) -> None:
        """Wait for the node's timer."""
        limit = self.heals_after + timeouts.NODE_READY
        self.wait_back(f"the timer of {self.node} to start its kubelet", timeout=limit)
        self.hand.disarm(self.node, self.timer)


class TheirNfsPortDropped(_OnTheirNode, NfsPortDropped):
    heals_after = 60

    def take_aim(self) -> dict[str, str]:
        """Find the server's address, as the node knows it.

        Raises:
            MissingCapability: the volume names no server, or one without an IPv4 address.
        """
        aim = super().take_aim()
        server = server_of(self.site)
        found = self.site.on_node(aim["node"], "/bin/sh", "-c", _ADDRESS, "sh", server).strip()
        if not found:
            raise MissingCapability("server.address", f"{server} has no IPv4 address on the node")
        return {**aim, "server": found}

    def available(self) -> str | None:
        try:
            self.site.on_node(self.node, "nft", "list", "tables")
        except LandfastError as error:
            return f"nft does not work: {error}"
        return super().available()

    def undo(self) -> str:
        return f"nft '{self.removal()}'"

    def inject(self) -> None:
        self.site.on_node(self.node, "/bin/sh", "-c", _LOAD, "sh", self.ruleset())

    def connect(self, address: str, port: int) -> str:
        argv = ["/bin/sh", "-c", _CONNECT, "sh", address, str(port)]
        said, _, code = self.site.on_node(self.node, *argv).strip().rpartition("=")
        if int(code) in (0, TIMED_OUT):
            return NO_ANSWER if int(code) else ""
        return said.strip().rpartition(": ")[2]


class TheirNodeRestart(_OnTheirNode, NodeRestart):
    """The kernel restarts the machine; what its disks have in memory is written before.

    There is no timer to heal it: none outlives it, and what comes next is the machine's own boot.
    The order itself is given by a timer of the node, so that it is carried out or not, as a whole.
    """

    heals_after = 0  # see above

    def note(self) -> None:
        self.before = self._boot()

    def inject(self) -> None:
        self.soon("sync; systemctl reboot --force --force")

    def prove_effect(self) -> str:
        prove(
            f"the kubelet of {self.node} not to answer",
            lambda: not self.hand.answers(self.node),
            timeout=timeouts.TAKEOVER,
        )
        now = prove(
            f"{self.node} to have booted",
            self._boot,
            until=lambda now: now != self.before,
            timeout=timeouts.REBOOT,
        )
        return f"{self.node} has booted: kernel and first process are {now}, before: {self.before}"

    def heal(self) -> None:
        """Wait: the machine boots by itself."""
        self.wait_back(f"{self.node} to have booted", timeout=timeouts.REBOOT)

    def prove_healed(self) -> str:
        return NodeFault.prove_healed(self)

    def _boot(self) -> str:
        """Return the kernel's id of its boot, and when its first process was started.

        A container that stands for a node keeps the kernel, and a machine the clock's zero.
        """
        return " ".join(self.site.on_node(self.node, "/bin/sh", "-c", _BOOT).split())


_ON_THEIR_NODES: Mapping[type[Fault], type[Fault]] = {
    NodeDrain: TheirNodeDrain,
    KubeletStop: TheirKubeletStop,
    NfsPortDropped: TheirNfsPortDropped,
    NodeRestart: TheirNodeRestart,
}


def fitted(fault: type[Fault], site: Site) -> type[Fault]:
    """Return a fault as it is injected on a site.

    Raises:
        MissingCapability: it breaks a node of others, who have not consented.
    """
    if site.own_server is not None or fault not in _ON_THEIR_NODES:
        return fault
    site.env.cluster.require("cluster.node-faults")
    return _ON_THEIR_NODES[fault]


def server_of(site: Site) -> str:
    """Return the NFS server of MySQL's volume, as the volume names it.

    Raises:
        MissingCapability: the volume's kind does not say which server it is on.
    """
    found = place(site.kube.get("PersistentVolume", site.volume))
    if found is None:
        raise MissingCapability("server.address", f"PV {site.volume} does not name its server")
    return found[0]
