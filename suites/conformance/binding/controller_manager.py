"""kube-controller-manager on the run's own control plane."""

from dataclasses import dataclass

from landfast.environment import Environment
from landfast.faults.programs import Program
from landfast.verdict import Unknown


@dataclass(frozen=True)
class ControllerManager:
    """The controller manager, to be killed in the middle of its work."""

    program: Program

    def kill(self) -> tuple[str, str]:
        """Kill it; return its process id and that of its successor.

        Raises:
            Unknown: it did not run, so it could not be killed.
            WaitTimeout: it does not come back.
        """
        process = self.program.find()
        if process is None:
            raise Unknown("kube-controller-manager does not run, so it cannot be killed")
        self.program.kill(process.pid)
        self.program.start_soon()
        return process.pid, self.program.wait(other_than=process.pid).pid


def controller_manager(env: Environment) -> ControllerManager:
    """Return the controller manager of a cluster that this run owns.

    Raises:
        MissingCapability: the run does not own the cluster.
    """
    env.cluster.require("cluster.owned")
    env.cluster.require("cluster.node-shell")
    if env.engine is None:
        raise Unknown("an owned cluster without an engine")
    node = next(name for name in env.cluster.nodes if name.endswith("-control-plane"))
    return ControllerManager(Program(env.engine, node, "kube-controller-manager"))
