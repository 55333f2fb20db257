"""Faults after which another mysqld takes over while the first one may still be there."""

from landfast.faults.base import Fault, prove, register
from landfast.faults.network import NodeIsolated
from landfast.faults.nodes import NodePowerOff
from landfast.faults.processes import container_of, processes_of
from landfast.waiting import wait_until

_TAKEOVER_SECONDS = 60


class _Takeover(Fault):
    """The pod's node is out of reach, and somebody force-deletes the pod."""

    lost: type[Fault]

    def take_aim(self) -> dict[str, str]:
        """Note what runs where."""
        return {**self.lost(self.site).aim, "container": container_of(self.site.pod())[0]}

    def inject(self) -> None:
        """Lose the node, then force-delete the pod: its StatefulSet makes another one elsewhere."""
        self.lost(self.site, self.aim).inject()
        # the scheduler does not know yet that the node is lost: it must not go back there
        self._cordon(on=True)
        self.site.kube.delete("Pod", "mysql-0", self.site.stack.namespace, grace_seconds=0)

    def prove_effect(self) -> str:
        """The node is out of reach, and a pod of the same name runs on another one."""
        lost = self.lost(self.site, self.aim).prove_effect()
        node = prove(
            "MySQL's pod to run on another node",
            self._runs_on,
            until=lambda node: node not in ("", self.aim["node"]),
            timeout=_TAKEOVER_SECONDS,
        )
        return f"{lost}; a pod mysql-0 runs on {node} as well"

    def heal(self) -> None:
        """Give the node back."""
        self.lost(self.site, self.aim).heal()
        self._cordon(on=False)

    def prove_healed(self) -> str:
        """The node is back, and the old mysqld is not."""
        back = self.lost(self.site, self.aim).prove_healed()
        wait_until(
            "the old mysqld to be gone",
            lambda: processes_of(self.site, self.aim["node"], self.aim["container"]),
            until=lambda left: not left,
            timeout=_TAKEOVER_SECONDS,
        )
        return f"{back}; the old mysqld is gone"

    def _runs_on(self) -> str:
        pod = self.site.find_pod() or {"spec": {}, "status": {}}
        running = pod["status"].get("phase") == "Running"
        return str(pod["spec"].get("nodeName", "")) if running else ""

    def _cordon(self, *, on: bool) -> None:
        body = {"spec": {"unschedulable": on or None}}
        self.site.kube.patch("Node", self.aim["node"], body)


@register
class NodeFailover(_Takeover):
    """The old mysqld is gone with its node; the new one needs the lock that it held."""

    name = "node-failover"
    text = "MySQL's node loses its power, and its pod is force-deleted"
    lost = NodePowerOff


@register
class SplitBrain(_Takeover):
    """The old mysqld runs on, on a node that nobody can reach to stop it."""

    name = "split-brain"
    text = "MySQL's node is cut off and its pod force-deleted, while its mysqld runs on"
    lost = NodeIsolated

    def prove_effect(self) -> str:
        """The old mysqld runs, and so does a new pod.

        The old one first: it may not live long with another one in its files.
        """
        node, container = self.aim["node"], self.aim["container"]
        old = prove("the old mysqld to run", lambda: processes_of(self.site, node, container))
        return f"the old mysqld is process {old[0]} of {node}; {super().prove_effect()}"
