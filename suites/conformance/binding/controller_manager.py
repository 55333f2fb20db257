"""kube-controller-manager on the run's own control plane: its process, and killing it."""

from dataclasses import dataclass

from landfast.docker import Engine
from landfast.environment import Environment
from landfast.verdict import Unknown
from landfast.waiting import wait_until

_RESTART_SECONDS = 60


@dataclass(frozen=True)
class ControllerManager:
    """The process in the control plane's node."""

    engine: Engine
    node: str

    def pid(self) -> int | None:
        """Give the process's id in the node, None if it does not run."""
        pattern = "^kube-controller-manager "
        found = self._in_node("pgrep", "--full", "--oldest", pattern, check=False)
        return int(found) if found else None

    def kill(self) -> tuple[int, int]:
        """Kill it in the middle of what it does; give its id and that of its successor.

        Raises:
            Unknown: it was not there to be killed.
            WaitTimeout: it does not come back.
        """
        killed = self.pid()
        if killed is None:
            raise Unknown("kube-controller-manager does not run, so it cannot be killed")
        self._in_node("kill", "-KILL", str(killed))
        # a new kubelet has forgotten that it should wait 10, 20, 40 s before it starts it again
        self._in_node("systemctl", "restart", "kubelet")
        successor = wait_until(
            f"a successor of kube-controller-manager (process {killed})",
            self.pid,
            until=lambda pid: pid not in (None, killed),
            timeout=_RESTART_SECONDS,
            describe=lambda pid: f"process {pid}",
        )
        assert successor is not None
        return killed, successor

    def _in_node(self, *argv: str, check: bool = True) -> str:
        return self.engine.docker("exec", self.node, *argv, check=check).stdout.strip()


def controller_manager(env: Environment) -> ControllerManager:
    """Give the controller manager of a cluster of the run's own.

    Raises:
        MissingCapability: the cluster is somebody's.
    """
    env.cluster.require("cluster.owned")
    env.cluster.require("cluster.node-shell")
    if env.engine is None:
        raise Unknown("an owned cluster without an engine")
    node = next(name for name in env.cluster.nodes if name.endswith("-control-plane"))
    return ControllerManager(env.engine, node)
