"""Faults of mysqld, seen from the node that it runs on."""

import contextlib
from typing import ClassVar

import pymysql

from landfast.errors import LandfastError
from landfast.faults.base import Fault, NotProven, Site, prove, register
from landfast.kube.client import Object
from landfast.mysql.client import MysqlServer
from landfast.waiting import wait_until

_RESTART_SECONDS = 60
_PIDS = 'grep -ls "$1" /proc/[0-9]*/cgroup | cut -d/ -f3'


def container_of(pod: Object) -> tuple[str, int]:
    """Give the id of a pod's container, and how often it was restarted; "" while there is none."""
    (status,) = pod["status"].get("containerStatuses") or [{}]
    identity = str(status.get("containerID") or "")
    return identity.rpartition("//")[2], int(status.get("restartCount") or 0)


def processes_of(site: Site, node: str, container: str) -> list[int]:
    """Give the ids, in the node, of a container's processes; the first one is the oldest."""
    found = site.on_node(node, "sh", "-c", _PIDS, "sh", container, check=False)
    return sorted(int(pid) for pid in found.split())


class _Restarts(Fault):
    """mysqld ends; the kubelet starts its container again."""

    stays: ClassVar[bool] = False
    restarts = 0

    def note(self) -> None:
        """Remember how often the container was restarted."""
        _, self.restarts = container_of(self.site.pod())

    def _ended(self) -> Object:
        """Give how the container that was there ended; empty while it has not."""
        (status,) = self.site.pod()["status"].get("containerStatuses") or [{}]
        for state in (status.get("state", {}), status.get("lastState", {})):
            if (ended := state.get("terminated")) and self._is_new(status, state):
                return dict(ended)
        return {}

    def _is_new(self, status: Object, state: Object) -> bool:
        return status.get("restartCount", 0) > self.restarts or state is status.get("state")

    def heal(self) -> None:
        """Do nothing: the kubelet does."""

    def prove_healed(self) -> str:
        """The container runs again."""
        pod = wait_until(
            "MySQL's container to run again",
            self.site.pod,
            until=lambda pod: "running" in _state(pod),
            timeout=_RESTART_SECONDS,
            describe=lambda pod: str(_state(pod)),
        )
        container, restarts = container_of(pod)
        return f"container {container[:12]} runs, restarted {restarts} times"


def _state(pod: Object) -> Object:
    (status,) = pod["status"].get("containerStatuses") or [{}]
    return dict(status.get("state", {}))


@register
class MysqldSigkill(_Restarts):
    """mysqld is killed with no chance to write anything."""

    name = "mysqld-sigkill"
    text = "mysqld is killed (SIGKILL)"

    def inject(self) -> None:
        """Kill it from the node: inside its container it is process 1, which no signal ends."""
        pod = self.site.pod()
        node = str(pod["spec"]["nodeName"])
        pid, *_ = processes_of(self.site, node, container_of(pod)[0])
        self.site.on_node(node, "kill", "-KILL", str(pid))

    def prove_effect(self) -> str:
        """The container ended with 137 = 128 + SIGKILL."""
        ended = prove("mysqld's container to have ended", self._ended)
        if ended["exitCode"] != 137:
            raise NotProven(f"mysqld's container ended with {ended['exitCode']}, not 137")
        return f"mysqld's container ended with exit code 137 at {ended['finishedAt']}"


@register
class MysqldOom(_Restarts):
    """The kernel kills mysqld because its container's memory is used up."""

    name = "mysqld-oom"
    text = "mysqld is killed because its container is out of memory"

    def inject(self) -> None:
        """Take memory in mysqld's own container until the kernel kills the largest process.

        Many small processes, so that the largest one is mysqld; each waits, as nobody reads.
        """
        hog = "dd if=/dev/zero bs=48M count=1 2>/dev/null | sleep 30 &"
        script = f"{hog * 12} wait"
        with contextlib.suppress(LandfastError):  # it goes with the container
            self.site.kube.execute(
                self.site.stack.namespace, "mysql-0", ["sh", "-c", script], timeout=20
            )

    def prove_effect(self) -> str:
        """The container's end has the reason OOMKilled."""
        ended = prove("mysqld's container to have ended", self._ended)
        if ended["reason"] != "OOMKilled":
            raise NotProven(f"mysqld's container ended for the reason {ended['reason']}")
        return f"mysqld's container was OOMKilled at {ended['finishedAt']}"


@register
class MysqldSigstop(Fault):
    """mysqld stands still: its connections stay, nothing answers."""

    name = "mysqld-sigstop"
    text = "mysqld stands still (SIGSTOP)"

    def take_aim(self) -> dict[str, str]:
        """Note where it runs."""
        pod = self.site.pod()
        return {"node": str(pod["spec"]["nodeName"]), "container": container_of(pod)[0]}

    def inject(self) -> None:
        """Stop it."""
        self._signal("-STOP")

    def prove_effect(self) -> str:
        """It is in state T, and a connection is not greeted."""
        prove("mysqld in state T", self._states, until={"T"}.__eq__, timeout=3)
        if answers_within(self.site.stack.mysql, 1):
            raise NotProven("mysqld is in state T, and yet MySQL answers")
        return "mysqld is in state T (stopped); a new connection is not greeted within 1 s"

    def heal(self) -> None:
        """Let it go on."""
        self._signal("-CONT")

    def prove_healed(self) -> str:
        """It is not in state T."""
        states = wait_until(
            "mysqld to go on", self._states, until=lambda found: "T" not in found, timeout=10
        )
        return f"mysqld is in state {', '.join(states) or 'gone'}"

    def _signal(self, signal: str) -> None:
        node = self.aim["node"]
        for pid in processes_of(self.site, node, self.aim["container"]):
            self.site.on_node(node, "kill", signal, str(pid), check=False)

    def _states(self) -> set[str]:
        node = self.aim["node"]
        found = set()
        for pid in processes_of(self.site, node, self.aim["container"]):
            stat = self.site.on_node(node, "cat", f"/proc/{pid}/stat", check=False)
            found.update(stat.rpartition(")")[2].split()[:1])
        return found


def answers_within(server: MysqlServer, seconds: float) -> bool:
    """Whether a new connection is greeted and a statement answered in time."""
    try:
        connection = pymysql.connect(
            host="127.0.0.1",
            port=server.port,
            user="root",
            password=server.password,
            connect_timeout=seconds,
            read_timeout=seconds,
        )
    except (pymysql.err.Error, OSError):
        return False
    connection.close()
    return True
