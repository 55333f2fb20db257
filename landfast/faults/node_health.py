"""Whether a node is well, and the fault of a node: what all of them have in common."""

from datetime import UTC, datetime, timedelta

from landfast.errors import LandfastError
from landfast.faults.base import Fault, Site, prove
from landfast.kube.client import Object
from landfast.waiting import wait_until

READY_SECONDS = 120
_RENEWED_SECONDS = 11  # a kubelet renews its lease every 10 s
# What answers plain HTTP on the kubelet's port for HTTPS is a complaint, but the kubelet's own.
_ASK = r"""exec 3<>"/dev/tcp/$1/$2" && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && head -c 4 <&3"""


def moment(text: str) -> datetime:
    """Parse a time as Kubernetes and the engine write it."""
    return datetime.fromisoformat(text)


def lease_of(site: Site, node: str) -> str:
    """Give when a node's kubelet last renewed its lease."""
    return str(site.kube.get("Lease", node, "kube-node-lease")["spec"]["renewTime"])


def kubelet_answers(site: Site, node: str) -> bool:
    """Whether a node's kubelet answers the control plane's node within two seconds.

    A connection alone would prove nothing: the kernel makes it for a kubelet that is frozen.
    """
    argv = ["timeout", "2", "bash", "-c", _ASK, "bash", node, "10250"]
    found = site.engine.docker("exec", site.control_plane, *argv, check=False)
    return found.stdout == "HTTP"


def condition(node: Object) -> Object:
    """Give a Node's condition Ready; its status is Unknown where nobody has told it."""
    conditions = node.get("status", {}).get("conditions") or []
    unknown: Object = {"status": "Unknown"}
    return next((found for found in conditions if found["type"] == "Ready"), unknown)


def wait_node_ready(site: Site, node: str, started: str = "") -> str:
    """Wait until nothing is wrong with a node, and give that as a sentence.

    A node that was lost is still called Ready for most of a minute, and one that was `started`
    again for its first seconds: only what its kubelet has said lately, and since then, counts.

    Raises:
        WaitTimeout: something is; the message has it.
    """
    wait_until(
        f"node {node} to be Ready",
        lambda: _complaint(site, node, moment(started) if started else None),
        until=lambda complaint: not complaint,
        timeout=READY_SECONDS,
        ignoring=(LandfastError,),
        describe=str,
    )
    renewed = moment(lease_of(site, node))
    return f"node {node} is Ready; its kubelet answers and renewed its lease at {renewed:%H:%M:%S}"


def _complaint(site: Site, node: str, started: datetime | None) -> str:
    found = site.kube.get("Node", node)
    ready = condition(found)
    taints = [taint["key"] for taint in found["spec"].get("taints") or []]
    if ready["status"] != "True":
        return f"its condition Ready is {ready['status']}"
    if started and moment(ready["lastHeartbeatTime"]) < started.replace(microsecond=0):
        return f"it is called Ready since before it was started at {started:%H:%M:%S}"
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
        """Note which node it is."""
        return {"node": self.site.node()}

    @property
    def node(self) -> str:
        """The node that is broken."""
        return self.aim["node"]

    def container(self, field: str) -> str:
        """Give a field of the state of the node's container (`Status`, `StartedAt`)."""
        found = self.site.engine.docker("inspect", "--format", f"{{{{.State.{field}}}}}", self.node)
        return found.stdout.strip()

    def silence(self) -> str:
        """Prove that the node's kubelet does not answer."""
        prove(
            f"the kubelet of {self.node} not to answer",
            lambda: not kubelet_answers(self.site, self.node),
        )
        return "its kubelet does not answer the control plane within 2 s"

    def prove_healed(self) -> str:
        """Nothing is wrong with the node."""
        return wait_node_ready(self.site, self.node)
