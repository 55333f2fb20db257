"""Faults after which another mysqld takes over while the first one may still run."""

from landfast import timeouts
from landfast.faults.base import prove, register
from landfast.faults.composite import Composite
from landfast.faults.network import NfsPortDropped, NodeCutOff
from landfast.faults.nodes import NodeCordon, NodePowerOff
from landfast.faults.pods import PodForceDelete
from landfast.faults.processes import Process, container_of, processes_of
from landfast.nfs.server import LEASE_SECONDS
from landfast.waiting import WaitTimeout, wait_until

REFUSED = "Unable to lock"
"""What mysqld logs when another one holds the lock on its files."""
UNFENCED = "the old mysqld is not fenced"
_BEGUN = "InnoDB initialization has ended"
REFUSAL = "error number 5[^0-9]|Input/output error|returned EIO"
"""What mysqld logs of a write or an fsync that fails with EIO; it aborts after the latter."""
# The log of a container goes with its pod, so it is read before the kubelet can remove it.
_REFUSED_WRITE = 'cat /var/log/pods/*_"$1"/*/*.log | grep -m 1 -E "$2"'


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
    """The old mysqld runs on, on a node that reaches nothing, then only the NFS server again.

    It is fenced if the new one is refused the lock as long as the old one's lease lives, and if the
    old one gets errors for its writes afterwards. It need not end: mysqld 9 tries again for ever.
    """

    name = "split-brain"
    text = "MySQL's node is cut off from everything and its pod force-deleted; its mysqld runs on"
    parts = (NodeCutOff, NfsPortDropped, NodeCordon, PodForceDelete)
    refused = True
    said = ""
    unfenced = ""

    def take_aim(self) -> dict[str, str]:
        return {**super().take_aim(), "uid": self.site.pod()["metadata"]["uid"]}

    def prove_effect(self) -> str:
        """Look for the old mysqld first: it may not live long with another one in its files."""
        pid = prove("the old mysqld to run", self.old_mysqld)[0].pid
        taken = super().prove_effect()
        log = prove(
            "the new mysqld to ask for the lock",
            self._new_log,
            until=lambda log: REFUSED in log or _BEGUN in log,
            timeout=LEASE_SECONDS,
        )
        self.refused = REFUSED in log
        asked = "is refused the lock" if self.refused else "has the lock"
        return f"the old mysqld is process {pid} of {self.aim['node']}; {taken}; that one {asked}"

    def still_there(self) -> bool:
        return super().still_there() and bool(self.old_mysqld())

    def heal(self) -> None:
        """Let the node reach the NFS server first, while nobody can end the old mysqld.

        Whether its writes are refused shows only then.
        """
        (way,) = (member for member in self.members if isinstance(member, NfsPortDropped))
        was_cut = way.still_there()
        way.heal()
        if was_cut:
            self._watch_old_mysqld()
        super().heal()

    def prove_healed(self) -> str:
        back = super().prove_healed()
        return f"{back}; while it could write again, it said: {self.said}" if self.said else back

    def complaints(self) -> tuple[str, ...]:
        return (self.unfenced,) if self.unfenced else ()

    def _new_log(self) -> str:
        return self.site.kube.logs(self.site.stack.namespace, self.site.pod_name)

    def _watch_old_mysqld(self) -> None:
        if not self.refused:
            self.unfenced = f"{UNFENCED}: the new one had the lock at once"
        for process in self.old_mysqld():  # without clients it may write nothing; this flushes all
            self.site.on_node(self.aim["node"], "kill", "-TERM", str(process.pid), check=False)
        argv = ["sh", "-c", _REFUSED_WRITE, "sh", self.aim["uid"], REFUSAL]
        try:
            self.said = wait_until(
                "the old mysqld to be refused a write",
                lambda: self.site.on_node(self.aim["node"], *argv, check=False).strip(),
                timeout=timeouts.FENCED,
            )
        except WaitTimeout:
            self.unfenced = f"{UNFENCED}: none of its writes was refused"
