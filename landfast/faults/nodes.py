"""Faults of the node that MySQL's pod is on: its power, its container, and that it is drained."""

from datetime import UTC, datetime

from landfast.faults.base import prove, register
from landfast.faults.node_health import (
    READY_SECONDS,
    NodeFault,
    condition,
    lease_of,
    moment,
    wait_node_ready,
)
from landfast.kube.client import KubeError
from landfast.waiting import wait_until

_LOST_SECONDS = 80  # a grace period of 50 s, the pod's toleration, and when the controllers look
_MOVED_SECONDS = 60


class _ContainerFault(NodeFault):
    """The node's container ends."""

    def heal(self) -> None:
        """Start it; it may run."""
        self.site.engine.docker("start", self.node)

    def prove_healed(self) -> str:
        """It runs, and the node has been Ready since it was started."""
        wait_until(
            f"the container {self.node} to run",
            lambda: self.container("Status"),
            until="running".__eq__,
            timeout=READY_SECONDS,
        )
        started = self.container("StartedAt")
        ready = wait_node_ready(self.site, self.node, started)
        return f"the container {self.node} runs since {moment(started):%H:%M:%S}; {ready}"

    def ended(self, *, killed: bool) -> str:
        """Prove that the container has ended, by a signal that it could not catch or otherwise."""
        _, code = prove(
            f"the container {self.node} to have ended",
            lambda: (self.container("Status"), self.container("ExitCode")),
            until=lambda seen: seen[0] == "exited" and (seen[1] == "137") == killed,
        )
        at = moment(self.container("FinishedAt"))
        ended = f"the container {self.node} ended with exit code {code} at {at:%H:%M:%S}"
        return f"{ended}; {self.silence()}"


@register
class NodePowerOff(_ContainerFault):
    """The node goes without a word."""

    name = "node-power-off"
    text = "MySQL's node loses its power"

    def inject(self) -> None:
        """Kill everything in it at once."""
        self.site.engine.docker("kill", "--signal", "KILL", self.node)

    def prove_effect(self) -> str:
        """Its container was killed, and its kubelet does not answer."""
        return self.ended(killed=True)


@register
class NodeStop(_ContainerFault):
    """The node is shut down."""

    name = "node-stop"
    text = "MySQL's node is shut down"

    def inject(self) -> None:
        """Stop it as a shutdown does."""
        self.site.engine.docker("stop", "--time", "10", self.node, timeout=60)

    def prove_effect(self) -> str:
        """Its container ended by itself, and its kubelet does not answer."""
        return self.ended(killed=False)


@register
class NodeRestart(_ContainerFault):
    """The node restarts without being shut down, as after a short power loss."""

    name = "node-restart"
    text = "MySQL's node restarts without a shutdown"
    before = ""

    def note(self) -> None:
        """Remember when it was started."""
        self.before = self.container("StartedAt")

    def inject(self) -> None:
        """Restart its container."""
        self.site.engine.docker("restart", "--time", "0", self.node)

    def prove_effect(self) -> str:
        """Its container was started anew."""
        now = prove(
            f"the container {self.node} to be started anew",
            lambda: self.container("StartedAt"),
            until=lambda now: moment(now) > moment(self.before),
        )
        return (
            f"the container {self.node} was started at {moment(now):%H:%M:%S} "
            f"(before: {moment(self.before):%H:%M:%S})"
        )


@register
class NodePause(NodeFault):
    """Everything on the node stands still."""

    name = "node-pause"
    text = "MySQL's node stands still, shorter than it takes to be given up"

    def inject(self) -> None:
        """Freeze its container."""
        self.site.engine.pause(self.node)

    def prove_effect(self) -> str:
        """Its container is paused, and its kubelet does not answer."""
        prove(
            f"the container {self.node} to be paused",
            lambda: self.container("Status"),
            until="paused".__eq__,
        )
        return f"the container {self.node} is paused; {self.silence()}"

    def heal(self) -> None:
        """Let it go on, if it stands still."""
        if self.container("Status") == "paused":
            self.site.engine.docker("unpause", self.node)


@register
class NodePauseEvicted(NodePause):
    """The node stands still until it is given up and its pods are evicted."""

    name = "node-pause-evicted"
    text = "MySQL's node stands still until its pods are evicted"

    def prove_effect(self) -> str:
        """The node is given up, and its pod is to be deleted."""
        paused = super().prove_effect()

        def look() -> tuple[str, str]:
            node, pod = self.site.kube.get("Node", self.node), self.site.find_pod()
            going = pod and pod["metadata"].get("deletionTimestamp")
            return condition(node)["status"], going or "not to be deleted"

        ready, _ = prove(
            "the node to be given up and MySQL's pod to be evicted",
            look,
            until=lambda seen: seen[0] != "True" and seen[1] != "not to be deleted",
            timeout=_LOST_SECONDS,
        )
        lease = moment(lease_of(self.site, self.node))
        return (
            f"{paused}, nor has it renewed its lease since {lease:%H:%M:%S}: Ready is {ready}, "
            f"and pod mysql-0 is being deleted at {datetime.now(UTC):%H:%M:%S}"
        )


@register
class NodeDrain(NodeFault):
    """`kubectl drain`."""

    name = "node-drain"
    text = "MySQL's node is drained"
    uid = ""

    def note(self) -> None:
        """Remember which pod it is."""
        self.uid = self.site.pod()["metadata"]["uid"]

    def inject(self) -> None:
        """Cordon it and evict the stack's pods, of MySQL and the provisioner."""
        self._cordon(on=True)
        stack = self.site.stack
        for namespace in {stack.namespace, stack.system_namespace}:
            for pod in self.site.kube.list("Pod", namespace, fields=f"spec.nodeName={self.node}"):
                self._evict(pod["metadata"]["name"], namespace)

    def _evict(self, pod: str, namespace: str) -> None:
        try:
            self.site.kube.evict(pod, namespace)
        except KubeError as error:
            if error.code != 404:  # it went by itself
                raise

    def prove_effect(self) -> str:
        """It takes no pods, and MySQL's next one is elsewhere."""
        prove(f"node {self.node} to be cordoned", self._is_cordoned)
        pod = prove(
            "another pod mysql-0 on another node",
            self.site.pod,
            until=lambda pod: (
                pod["metadata"]["uid"] != self.uid
                and pod["spec"].get("nodeName") not in (None, self.node)
            ),
            timeout=_MOVED_SECONDS,
        )
        return (
            f"node {self.node} is unschedulable; pod mysql-0 is another one "
            f"({pod['metadata']['uid']}, before: {self.uid}), on {pod['spec']['nodeName']}"
        )

    def heal(self) -> None:
        """Uncordon it."""
        self._cordon(on=False)

    def prove_healed(self) -> str:
        """It takes pods again."""
        wait_until(
            f"node {self.node} to be schedulable",
            self._is_cordoned,
            until=lambda cordoned: not cordoned,
            timeout=READY_SECONDS,
        )
        return f"node {self.node} is schedulable; {super().prove_healed()}"

    def _is_cordoned(self) -> bool:
        return bool(self.site.kube.get("Node", self.node)["spec"].get("unschedulable"))

    def _cordon(self, *, on: bool) -> None:
        self.site.kube.patch("Node", self.node, {"spec": {"unschedulable": on or None}})
