"""Faults after which another mysqld takes over while the first one may still run."""

from landfast import timeouts
from landfast.faults.base import prove, register
from landfast.faults.composite import Composite
from landfast.faults.network import NodeIsolated
from landfast.faults.nodes import NodeCordon, NodePowerOff
from landfast.faults.pods import PodForceDelete
from landfast.faults.processes import Process, container_of, processes_of
from landfast.waiting import wait_until


class Takeover(Composite):
    """The pod's node is lost, and an administrator force-deletes the pod.

    The cordon keeps the scheduler away from a node that it does not yet know to be lost.
    """

    def take_aim(self) -> dict[str, str]:
        container, _ = container_of(self.site.pod())
        return {**super().take_aim(), "node": self.site.node(), "container": container}

    def old_mysqld(self) -> list[Process]:
        return processes_of(self.site, self.aim["node"], self.aim["container"])

    def prove_effect(self) -> str:
        lost = super().prove_effect()
        node = prove(
            "MySQL's pod to run on another node",
            self._runs_on,
            until=lambda node: node not in ("", self.aim["node"]),
            timeout=timeouts.TAKEOVER,
        )
        return f"{lost}; a pod mysql-0 runs on {node} as well"

    def prove_healed(self) -> str:
        back = super().prove_healed()
        if container_of(self.site.pod())[0] == self.aim["container"]:
            return f"{back}; nothing took over: the pod still runs the old mysqld"
        wait_until(
            "the old mysqld to be gone",
            self.old_mysqld,
            until=lambda left: not left,
            timeout=timeouts.TAKEOVER,
        )
        return f"{back}; the old mysqld is gone"

    def _runs_on(self) -> str:
        pod = self.site.pod()
        running = pod["status"].get("phase") == "Running"
        return str(pod["spec"].get("nodeName", "")) if running else ""


@register
class NodeFailover(Takeover):
    """The old mysqld is gone with its node; the new one needs the lock that it held."""

    name = "node-failover"
    text = "MySQL's node loses its power, and its pod is force-deleted"
    parts = (NodePowerOff, NodeCordon, PodForceDelete)


@register
class SplitBrain(Takeover):
    """The old mysqld runs on, on a node that nobody can reach to stop it."""

    name = "split-brain"
    text = "MySQL's node is cut off and its pod force-deleted, while its mysqld runs on"
    parts = (NodeIsolated, NodeCordon, PodForceDelete)

    def prove_effect(self) -> str:
        """Look for the old mysqld first: it may not live long with another one in its files."""
        pid = prove("the old mysqld to run", self.old_mysqld)[0].pid
        return f"the old mysqld is process {pid} of {self.aim['node']}; {super().prove_effect()}"
