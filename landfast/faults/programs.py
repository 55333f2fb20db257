"""Programs of the control plane: their processes on its node, and what is served by them."""

from dataclasses import dataclass
from typing import NamedTuple

from landfast import timeouts
from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.waiting import wait_until

# A zombie stays listed until its parent has noticed its end, so zombies do not count.
_FIND = """
pid=$(pgrep --full --oldest --runstates D,I,R,S,T "^$1( |$)") || [ $? = 1 ]
[ -z "$pid" ] || ps -o pid=,lstart= -p "$pid" || true
"""


class RunningProgram(NamedTuple):
    """A process on a node, and the time of day when it was started."""

    pid: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid}, started at {self.since}"


@dataclass(frozen=True)
class Program:
    """A program that the kubelet of a control plane's node runs (`kube-controller-manager`)."""

    engine: Engine
    node: str
    name: str

    def find(self) -> RunningProgram | None:
        """Return the program's process, or None if it does not run.

        Raises:
            LandfastError: the node cannot be looked into.
        """
        found = self.engine.execute(self.node, "sh", "-c", _FIND, "sh", self.name).stdout
        if not found.strip():
            return None
        pid, _day, _month, _date, since, _year = found.split()
        return RunningProgram(pid, since)

    def kill(self, pid: str) -> None:
        self.engine.execute(self.node, "kill", "-KILL", pid)

    def start_soon(self) -> None:
        """Restart the kubelet: a new one starts every program at once, without a back-off."""
        self.engine.execute(self.node, "systemctl", "restart", "kubelet")

    def wait(
        self, *, other_than: str = "", timeout: float = timeouts.PROGRAM_BACK
    ) -> RunningProgram:
        """Wait until the program runs, and return its process, which is not `other_than`.

        Raises:
            WaitTimeout: it does not run.
        """
        process = wait_until(
            f"{self.name} to run",
            self.find,
            until=lambda found: found is not None and found.pid != other_than,
            timeout=timeout,
            describe=str,
        )
        assert process is not None  # noqa: S101 - that was waited for
        return process

    def wait_for_api_server(self) -> None:
        """Wait until the node's API server says that it is ready."""
        wait_until(
            f"the API server to be ready with {self.name}",
            self._is_ready,
            timeout=timeouts.PROGRAM_BACK,
            ignoring=(LandfastError,),
        )

    def _is_ready(self) -> bool:
        answer = self.engine.execute(
            *[self.node, "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"],
            *["get", "--raw", "/readyz", "--request-timeout=5s"],
        )
        return answer.stdout.strip() == "ok"
