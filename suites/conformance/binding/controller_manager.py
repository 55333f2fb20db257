"""kube-controller-manager on the run's own control plane: its process, and killing it."""

from dataclasses import dataclass

from landfast import timeouts
from landfast.docker import Engine
from landfast.environment import Environment
from landfast.verdict import Unknown
from landfast.waiting import wait_until

_RUNNING = "D,I,R,S,T"  # a zombie does not run, but is listed until its parent has looked


@dataclass(frozen=True)
class ControllerManager:
    """The process in the control plane's node."""

    engine: Engine
    node: str

    def pid(self) -> int | None:
        """Return the process's id in the node, None if it does not run."""
        pgrep = ["pgrep", "--full", "--oldest", "--runstates", _RUNNING]
        found = self.engine.execute(self.node, *pgrep, "^kube-controller-manager ", check=False)
        return int(found.stdout) if found.stdout.strip() else None

    def kill(self) -> tuple[int, int]:
        """Kill it in the middle of its work; return its id and that of its successor.

        Raises:
            Unknown: it does not run, so it cannot be killed.
            WaitTimeout: it does not come back.
        """
        killed = self.pid()
        if killed is None:
            raise Unknown("kube-controller-manager does not run, so it cannot be killed")
        self.engine.execute(self.node, "kill", "-KILL", str(killed))
        # a new kubelet does not remember to wait 10, 20, 40 s before it starts the program again
        self.engine.execute(self.node, "systemctl", "restart", "kubelet")
        successor = wait_until(
            f"a successor of kube-controller-manager (process {killed})",
            self.pid,
            until=lambda pid: pid not in (None, killed),
            timeout=timeouts.SERVER_START,
            describe=lambda pid: f"process {pid}",
        )
        assert successor is not None
        return killed, successor


def controller_manager(env: Environment) -> ControllerManager:
    """Return the controller manager of the run's own cluster.

    Raises:
        MissingCapability: the cluster is not the run's own.
    """
    env.cluster.require("cluster.owned")
    env.cluster.require("cluster.node-shell")
    if env.engine is None:
        raise Unknown("the run's own cluster has no engine")
    node = next(name for name in env.cluster.nodes if name.endswith("-control-plane"))
    return ControllerManager(env.engine, node)
