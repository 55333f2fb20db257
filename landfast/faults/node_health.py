"""Whether a node is Ready and alive, and what all faults of a node have in common."""

from datetime import UTC, datetime, timedelta

from landfast import timeouts
from landfast.docker import ContainerState
from landfast.errors import LandfastError
from landfast.faults.base import Fault, Site, prove
from landfast.kube.status import condition
from landfast.waiting import wait_until

_RENEWED_SECONDS = 11  # a kubelet renews its lease every 10 s
# The kubelet answers plain HTTP on its port for HTTPS with an error: an answer all the same.
_ASK = r"""exec 3<>"/dev/tcp/$1/$2" && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && head -c 4 <&3"""


def moment(text: str) -> datetime:
    """Parse a time as Kubernetes and the engine write it (RFC 3339)."""
    return datetime.fromisoformat(text)


def lease_of(site: Site, node: str) -> str:
    """Return when a node's kubelet last renewed its lease."""
    return str(site.kube.get("Lease", node, "kube-node-lease")["spec"]["renewTime"])


def kubelet_answers(site: Site, node: str) -> bool:
    """Whether a node's kubelet answers the control plane's node within two seconds.

    A connection alone proves nothing: the kernel accepts it for a frozen kubelet, too. On a cluster
    of others it is the API server that asks it, to run a program.
    """
    if site.hand:
        return site.hand.answers(node)
    argv = ["timeout", "2", "bash", "-c", _ASK, "bash", node, "10250"]
    return site.on_node(site.control_plane, *argv, check=False) == "HTTP"


def wait_node_ready(site: Site, node: str, started: datetime | None = None) -> str:
    """Wait until a node is Ready and its kubelet answers, and return that as a sentence.

    A lost node still counts as Ready for most of a minute, and a restarted one for its first
    seconds. So only what its kubelet reported lately, and since it was `started`, counts.

    Raises:
        WaitTimeout: the node is not Ready; the message says why.
    """
    wait_until(
        f"node {node} to be Ready",
        lambda: _complaint(site, node, started),
        until=lambda complaint: not complaint,
        timeout=timeouts.NODE_READY,
        ignoring=(LandfastError,),
        describe=str,
    )
    renewed = moment(lease_of(site, node))
    return f"node {node} is Ready; its kubelet answers and renewed its lease at {renewed:%H:%M:%S}"


def _complaint(site: Site, node: str, started: datetime | None) -> str:
    found = site.kube.get("Node", node)
    ready = condition(found, "Ready") or {"status": "Unknown"}
    taints = [taint["key"] for taint in found["spec"].get("taints") or []]
    if ready["status"] != "True":
        return f"its condition Ready is {ready['status']}"
    if started and moment(ready["lastHeartbeatTime"]) < started.replace(microsecond=0):
        return f"it was last reported Ready before it was started at {started:%H:%M:%S}"
    if any(key.startswith("node.kubernetes.io/") for key in taints):
        return f"it has the taints {', '.join(taints)}"
    lately = datetime.now(UTC) - timedelta(seconds=_RENEWED_SECONDS)
    renewed = moment(lease_of(site, node))
    if renewed < max(lately, started or lately):
        return f"its lease was last renewed at {renewed:%H:%M:%S}"
    return "" if kubelet_answers(site, node) else "its kubelet does not answer"


class NodeFault(Fault):
    """A fault of the node that MySQL's pod is on; it is healed when the node is Ready."""

    def take_aim(self) -> dict[str, str]:
        return {"node": self.site.node()}

    @property
    def node(self) -> str:
        return self.aim["node"]

    def container(self) -> ContainerState:
        return self.site.engine.state(self.node)

    def silence(self) -> str:
        """Prove that the node's kubelet does not answer."""
        prove(
            f"the kubelet of {self.node} not to answer",
            lambda: not kubelet_answers(self.site, self.node),
        )
        return "its kubelet does not answer the control plane within 2 s"

    def prove_healed(self) -> str:
        return wait_node_ready(self.site, self.node)
