"""Faults of the node that MySQL's pod is on: its power, its container, a drain."""

from datetime import UTC, datetime
from typing import ClassVar

from landfast import timeouts
from landfast.faults.base import Lasting, Momentary, prove, register
from landfast.faults.node_health import NodeFault, lease_of, moment, wait_node_ready
from landfast.faults.processes import KILLED
from landfast.kube.client import KubeError
from landfast.kube.status import condition
from landfast.waiting import wait_until


class _ContainerFault(NodeFault):
    """The node's container ends."""

    def heal(self) -> None:
        self.site.engine.start(self.node)

    def prove_healed(self) -> str:
        state = wait_until(
            f"the container {self.node} to run",
            self.container,
            until=lambda state: state.is_running,
            timeout=timeouts.NODE_READY,
        )
        since = moment(state.started_at)
        ready = wait_node_ready(self.site, self.node, since)
        return f"the container {self.node} runs since {since:%H:%M:%S}; {ready}"


class _NodeOff(Lasting, _ContainerFault):
    """The node's container has ended, and stays so."""

    killed: ClassVar[bool]
    """Whether it ends by SIGKILL."""

    def still_there(self) -> bool:
        return self.container().status == "exited"

    def prove_effect(self) -> str:
        state = prove(
            f"the container {self.node} to have ended",
            self.container,
            until=lambda state: (
                state.status == "exited" and (state.exit_code == KILLED) == self.killed
            ),
        )
        return (
            f"the container {self.node} ended with exit code {state.exit_code} at "
            f"{moment(state.finished_at):%H:%M:%S}; {self.silence()}"
        )


@register
class NodePowerOff(_NodeOff):
    """The node is gone without a word."""

    name = "node-power-off"
    text = "MySQL's node loses its power"
    killed = True

    def inject(self) -> None:
        self.site.engine.kill(self.node)


@register
class NodeStop(_NodeOff):
    name = "node-stop"
    text = "MySQL's node is shut down"
    killed = False

    def inject(self) -> None:
        self.site.engine.stop(self.node)


@register
class NodeRestart(Momentary, _ContainerFault):
    """The node restarts without a shutdown, as after a short power loss."""

    name = "node-restart"
    text = "MySQL's node restarts without a shutdown"
    before = ""

    def note(self) -> None:
        self.before = self.container().started_at

    def inject(self) -> None:
        self.site.engine.restart(self.node, grace_seconds=0)

    def prove_effect(self) -> str:
        state = prove(
            f"the container {self.node} to have a later start time",
            self.container,
            until=lambda state: moment(state.started_at) > moment(self.before),
        )
        return (
            f"the container {self.node} was started at {moment(state.started_at):%H:%M:%S} "
            f"(before: {moment(self.before):%H:%M:%S})"
        )


@register
class NodePause(Lasting, NodeFault):
    name = "node-pause"
    text = "MySQL's node is frozen, for too short a time to be given up"

    def inject(self) -> None:
        self.site.engine.pause(self.node)

    def prove_effect(self) -> str:
        prove(f"the container {self.node} to be paused", self.still_there)
        return f"the container {self.node} is paused; {self.silence()}"

    def still_there(self) -> bool:
        return self.container().is_paused

    def heal(self) -> None:
        if self.still_there():
            self.site.engine.unpause(self.node)


@register
class NodePauseEvicted(NodePause):
    name = "node-pause-evicted"
    text = "MySQL's node is frozen until its pods are evicted"

    def prove_effect(self) -> str:
        paused = super().prove_effect()

        def look() -> tuple[str, str]:
            node, pod = self.site.kube.get("Node", self.node), self.site.find_pod()
            going = pod and pod["metadata"].get("deletionTimestamp")
            ready = (condition(node, "Ready") or {}).get("status", "Unknown")
            return ready, going or "not to be deleted"

        ready, _ = prove(
            "the node to be given up and MySQL's pod to be evicted",
            look,
            until=lambda seen: seen[0] != "True" and seen[1] != "not to be deleted",
            timeout=timeouts.EVICTED,
        )
        lease = moment(lease_of(self.site, self.node))
        return (
            f"{paused}, nor has it renewed its lease since {lease:%H:%M:%S}: Ready is {ready}, "
            f"and pod mysql-0 is being deleted at {datetime.now(UTC):%H:%M:%S}"
        )


class NodeCordon(Lasting, NodeFault):
    """The node takes no new pods."""

    name = "node-cordon"
    text = "MySQL's node is cordoned"

    def inject(self) -> None:
        self._cordon(on=True)

    def prove_effect(self) -> str:
        prove(f"node {self.node} to be cordoned", self.still_there)
        return f"node {self.node} is unschedulable"

    def still_there(self) -> bool:
        return bool(self.site.kube.get("Node", self.node)["spec"].get("unschedulable"))

    def heal(self) -> None:
        self._cordon(on=False)

    def prove_healed(self) -> str:
        self.wait_over(f"node {self.node} to be schedulable", timeout=timeouts.NODE_READY)
        return f"node {self.node} is schedulable; {super().prove_healed()}"

    def _cordon(self, *, on: bool) -> None:
        self.site.kube.patch("Node", self.node, {"spec": {"unschedulable": on or None}})


@register
class NodeDrain(NodeCordon):
    name = "node-drain"
    text = "MySQL's node is drained"
    uid = ""

    def note(self) -> None:
        self.uid = self.site.pod()["metadata"]["uid"]

    def inject(self) -> None:
        """Cordon the node and evict the stack's pods: MySQL's and the provisioner's."""
        super().inject()
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
        cordoned = super().prove_effect()
        pod = prove(
            "another pod mysql-0 on another node",
            self.site.pod,
            until=lambda pod: (
                pod["metadata"]["uid"] != self.uid
                and pod["spec"].get("nodeName") not in (None, self.node)
            ),
            timeout=timeouts.TAKEOVER,
        )
        return (
            f"{cordoned}; pod mysql-0 is another one ({pod['metadata']['uid']}, before: "
            f"{self.uid}), on {pod['spec']['nodeName']}"
        )
