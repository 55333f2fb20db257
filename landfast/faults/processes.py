"""Processes of containers, seen from the node that they run on, and the faults of mysqld."""

from collections.abc import Callable
from dataclasses import dataclass

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import (
    HAND,
    Fault,
    Lasting,
    Momentary,
    NotProven,
    Site,
    main_status,
    prove,
    register,
)
from landfast.kube.client import Object
from landfast.mysql.client import MysqlError, MysqlServer
from landfast.mysql.identity import MYSQL_CONTAINER
from landfast.waiting import wait_until

KILLED = 137  # 128 + SIGKILL
_EXITING = 0x4  # PF_EXITING of linux/sched.h
_MYSQLD = ("mysqld", "mariadbd")
# A process may end while it is read: that is not an error.
_STATS = """
grep -lsF -e "$1" /proc/[0-9]*/cgroup | while read -r file; do
    cat "${file%/cgroup}/stat" 2>/dev/null || true
done
"""


@dataclass(frozen=True)
class Process:
    """A process of a container, by its id in the node; `state` is the kernel's letter.

    `is_ending` says that it runs no more, although storage may keep it from being gone.
    """

    pid: int
    name: str
    state: str
    is_ending: bool


def container_of(pod: Object) -> tuple[str, int]:
    """Return the id of a pod's container ("" while there is none) and its restarts."""
    status = main_status(pod)
    identity = str(status.get("containerID") or "")
    return identity.rpartition("//")[2], int(status.get("restartCount") or 0)


def end_of(pod: Object, container: str) -> Object:
    """Return how a container of a pod ended; empty if it has not, or if nobody knows any more."""
    status = main_status(pod)
    for state in (status.get("state", {}), status.get("lastState", {})):
        ended = state.get("terminated") or {}
        if str(ended.get("containerID", "")).rpartition("//")[2] == container:
            return dict(ended)
    return {}


def prove_killed(what: str, pod: Callable[[], Object], container: str) -> Object:
    """Return how a container ended: by SIGKILL.

    Raises:
        NotProven: it did not end, or in another way.
    """
    ended = prove(f"{what} {container[:12]} to have ended", lambda: end_of(pod(), container))
    if ended["exitCode"] != KILLED:
        raise NotProven(f"{what} ended with exit code {ended['exitCode']}, not {KILLED}")
    return ended


def processes_of(site: Site, node: str, container: str) -> list[Process]:
    """Return a container's processes, the lowest id first.

    Raises:
        LandfastError: the node cannot be looked into.
    """
    if not container:  # "" would match every process's cgroup
        return []
    return _parse(site.on_node(node, "sh", "-c", _STATS, "sh", container))


def _parse(stats: str) -> list[Process]:
    """Read lines of /proc/PID/stat (proc_pid_stat(5)); return the lowest id first."""
    found = []
    for line in stats.splitlines():
        head, _, tail = line.rpartition(") ")
        pid, _, name = head.partition(" (")
        state, *fields = tail.split()
        is_ending = state in ("Z", "X") or bool(int(fields[5]) & _EXITING)
        found.append(Process(int(pid), name, state, is_ending))
    return sorted(found, key=lambda process: process.pid)


def _mysqld_of(site: Site, node: str, container: str) -> list[Process]:
    found = processes_of(site, node, container) if site.own_server else _in_pod(site)
    return [process for process in found if process.name in _MYSQLD and not process.is_ending]


def _in_pod(site: Site) -> list[Process]:
    """Return the processes of MySQL's pod, as the hand sees them: by their ids in the pod."""
    return _parse(_by_hand(site, "sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null || true"))


def _by_hand(site: Site, *argv: str) -> str:
    """Run a program in the container beside mysqld and return its output."""
    return site.kube.execute(site.stack.namespace, site.pod_name, argv, container=HAND)


def answers_within(server: MysqlServer, seconds: float) -> bool:
    """Whether a new connection is greeted and a statement is answered, each within `seconds`."""
    try:
        server.query("SELECT 1", seconds=seconds)
    except MysqlError:
        return False
    return True


class _Mysqld(Fault):
    """A fault of mysqld in its container."""

    reach = "namespace"

    def take_aim(self) -> dict[str, str]:
        pod = self.site.pod()
        return {"node": str(pod["spec"].get("nodeName", "")), "container": container_of(pod)[0]}

    def _mysqld(self) -> list[Process]:
        return _mysqld_of(self.site, self.aim["node"], self.aim["container"])

    def _signal(self, signal: str) -> None:
        for process in self._mysqld():
            if self.site.own_server:
                self.site.on_node(self.aim["node"], "kill", signal, str(process.pid))
            else:
                _by_hand(self.site, "kill", signal, str(process.pid))


class _MysqldEnds(Momentary, _Mysqld):
    """mysqld ends; the kubelet starts its container again."""

    def _prove_end(self) -> Object:
        """Return how the container that ran before ended.

        Raises:
            NotProven: it did not end, or not by SIGKILL.
        """
        return prove_killed("mysqld's container", self.site.pod, self.aim["container"])

    def heal(self) -> None:
        """Do nothing: the kubelet does."""

    def prove_healed(self) -> str:
        pod, (mysqld, *_) = wait_until(
            "mysqld to run again",
            self._look,
            until=lambda seen: bool(seen[1]),
            timeout=timeouts.PROGRAM_BACK,
            ignoring=(LandfastError,),
            describe=lambda seen: f"no process; {seen[0]['status'].get('containerStatuses')}",
        )
        container, restarts = container_of(pod)
        return (
            f"mysqld is process {mysqld.pid} of {pod['spec']['nodeName']}, "
            f"in container {container[:12]}, restarted {restarts} times"
        )

    def _look(self) -> tuple[Object, list[Process]]:
        pod = self.site.pod()
        node = pod["spec"].get("nodeName")
        return pod, _mysqld_of(self.site, node, container_of(pod)[0]) if node else []


@register
class MysqldSigkill(_MysqldEnds):
    """mysqld is killed without a chance to write anything."""

    name = "mysqld-sigkill"
    text = "mysqld is killed (SIGKILL)"

    def inject(self) -> None:
        """Kill it from the node: inside its container it is process 1, which ignores SIGKILL."""
        self._signal("-KILL")

    def prove_effect(self) -> str:
        ended = self._prove_end()
        return (
            f"mysqld's container {self.aim['container'][:12]}, started at {ended['startedAt']}, "
            f"ended with exit code 137 at {ended['finishedAt']}"
        )


class MysqldSigkillWaiting(MysqldSigkill):
    """mysqld is killed while it waits for storage, which can keep its container from ending.

    The proof is that it runs no more: nothing that it had in memory comes back.
    """

    name = "mysqld-sigkill-waiting"
    text = "mysqld is killed while it waits for storage"
    killed: frozenset[int] = frozenset()

    def note(self) -> None:
        self.killed = frozenset(process.pid for process in self._mysqld())

    def prove_effect(self) -> str:
        if not self.killed:
            raise NotProven("there was no mysqld to kill")
        prove(
            "mysqld to run no more",
            lambda: self.killed & {process.pid for process in self._mysqld()},
            until=lambda left: not left,
        )
        return f"mysqld, process {', '.join(map(str, self.killed))}, runs no more"


@register
class MysqldOom(_MysqldEnds):
    name = "mysqld-oom"
    text = "mysqld is killed because its container is out of memory"

    def inject(self) -> None:
        """Take memory in mysqld's own container until the kernel kills the largest process.

        Many small processes take it, so that mysqld is the largest one. Each keeps what it has read
        because nobody reads from it, and has ended by itself when this returns.
        """
        hog = "dd if=/dev/zero bs=48M count=1 2>/dev/null | sleep 15 &"
        script = f"{hog * 12} wait"
        self.said = "nothing"
        try:
            self.site.kube.execute(
                self.site.stack.namespace,
                self.site.pod_name,
                ["sh", "-c", script],
                container=MYSQL_CONTAINER,
                timeout=20,
            )
        except LandfastError as error:  # it goes with the container
            self.said = str(error)

    def prove_effect(self) -> str:
        try:
            ended = self._prove_end()
        except NotProven as error:
            raise NotProven(f"{error}; what was to take memory said {self.said}") from error
        if ended.get("reason") != "OOMKilled":
            raise NotProven(f"mysqld's container ended for the reason {ended.get('reason')}")
        return (
            f"mysqld's container {self.aim['container'][:12]}, started at {ended['startedAt']}, "
            f"was OOMKilled at {ended['finishedAt']}"
        )


@register
class MysqldSigstop(Lasting, _Mysqld):
    name = "mysqld-sigstop"
    text = "mysqld is frozen (SIGSTOP)"

    def inject(self) -> None:
        self._signal("-STOP")

    def prove_effect(self) -> str:
        prove("mysqld to be in state T", self.still_there)
        if answers_within(self.site.stack.mysql, 1):
            raise NotProven("mysqld is in state T, but MySQL still answers")
        (mysqld,) = self._mysqld()
        return (
            f"mysqld, process {mysqld.pid} of {self.aim['node']}, is in state {mysqld.state} "
            "(stopped); SELECT 1 on a new connection is not answered within 1 s"
        )

    def still_there(self) -> bool:
        return self._states() == ["T"]

    def heal(self) -> None:
        self._signal("-CONT")

    def prove_healed(self) -> str:
        states = wait_until(
            "mysqld to go on",
            self._states,
            until=lambda found: "T" not in found,
            timeout=timeouts.CONTAINER_STATE,
        )
        return f"mysqld's state on {self.aim['node']}: {', '.join(states) or 'it is gone'}"

    def _states(self) -> list[str]:
        return [process.state for process in self._mysqld()]
