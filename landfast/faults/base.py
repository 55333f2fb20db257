"""The contract of a fault: inject, prove that it took effect, heal, prove that it healed."""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

from landfast import timeouts
from landfast.docker import Engine
from landfast.environment import Environment
from landfast.errors import LandfastError
from landfast.faults.hand import NodeHand
from landfast.faults.relay import Relay
from landfast.kube.client import Kube, Object
from landfast.mysql.writer_pods import WriterPods
from landfast.nfs.inspector import ExportInspector
from landfast.nfs.own_server import OwnServer
from landfast.stack import Stack
from landfast.verdict import MissingCapability, Unknown
from landfast.waiting import WaitTimeout, wait_until

T = TypeVar("T")


class NotProven(Unknown):
    """Nothing shows that a fault took effect, or that it lasted as long as it had to."""


MYSQL_POD = "mysql-0"
MYSQL_PVC = "mysql-data-mysql-0"
HAND = "hand"
"""The container beside mysqld that signals it where the nodes cannot be entered."""

Reach = Literal["namespace", "node", "server", "cluster"]
"""What a fault touches: only the run's own namespace; also, with its owner's consent, MySQL's node;
the owner's NFS server, by the owner's commands; or what only the run's own cluster has."""


@dataclass(frozen=True)
class ServerCommands:
    """Shell lines of the user's that stop and start the NFS server (`--server-stop`, …)."""

    stop: str
    start: str


@dataclass(frozen=True)
class Site:
    """What the faults of a run may touch: its own cluster, its own NFS server, one stack.

    Faults of a node break the one that the pod `pod_name` is on: MySQL's in the chaos suite. On a
    cluster of others there is no `own_server`, and faults stay in the stack's namespace but for
    what its owner lets them do: `hand` enters MySQL's node, and `relay` is then the way to MySQL;
    `commands` stop the server. The ledger's writers are in `writers`, if they are in pods.
    """

    env: Environment
    stack: Stack
    own_server: OwnServer | None
    pod_name: str = MYSQL_POD
    hand: NodeHand | None = None
    relay: Relay | None = None
    commands: ServerCommands | None = None
    writers: WriterPods | None = None

    @property
    def server(self) -> OwnServer:
        """The run's own NFS server.

        Raises:
            MissingCapability: the site is on a cluster of others.
        """
        if self.own_server is None:
            raise MissingCapability("cluster.owned", "the cluster and the NFS server are others'")
        return self.own_server

    @property
    def engine(self) -> Engine:
        return self.server.engine

    @property
    def kube(self) -> Kube:
        return self.env.cluster.kube

    @property
    def control_plane(self) -> str:
        return next(node for node in self.env.cluster.nodes if node.endswith("-control-plane"))

    @property
    def workers(self) -> list[str]:
        """The nodes that pods with volumes may go to."""
        nodes = [node for node in self.env.cluster.nodes if node != self.control_plane]
        machines = [node for node in nodes if node in self.engine.machines]
        return machines or nodes

    @property
    def volume(self) -> str:
        """The PersistentVolume that holds MySQL's data; "" while there is none."""
        if self.own_server:
            return self.stack.overlay.name("PersistentVolume", "nfs-pv-data-mysql")
        pvc = self.kube.find("PersistentVolumeClaim", MYSQL_PVC, self.stack.namespace) or {}
        return str(pvc.get("spec", {}).get("volumeName", ""))

    @property
    def export(self) -> ExportInspector | None:
        """The stack's part of the export, from its server; None if only pods see it."""
        return self.stack.export if self.own_server else None

    def find_pod(self) -> Object | None:
        """Return the pod, or None if there is none now."""
        return self.kube.find("Pod", self.pod_name, self.stack.namespace)

    def pod(self) -> Object:
        """Return the pod.

        Raises:
            LandfastError: there is none.
        """
        return self.kube.get("Pod", self.pod_name, self.stack.namespace)

    def node(self) -> str:
        """Return the node that the pod is on.

        Raises:
            LandfastError: the pod has no node.
        """
        node = self.pod()["spec"].get("nodeName")
        if not node:
            raise LandfastError(f"pod {self.pod_name} is not on a node yet")
        return str(node)

    def delete_pod(self, *, grace_seconds: int | None = None) -> None:
        """Ask for MySQL's pod to be deleted; its StatefulSet makes another one."""
        self.kube.delete("Pod", "mysql-0", self.stack.namespace, grace_seconds=grace_seconds)

    def replace_pod(self) -> None:
        """Delete MySQL's pod and wait until there is another one, which need not run yet."""
        before = self.pod()
        self.delete_pod()
        self.stack.wait_for_next_pod(before, timeout=timeouts.GONE)

    def settle(self) -> None:
        """Lead the way to MySQL over another node than MySQL's, before its writers use it.

        Raises:
            WaitTimeout: MySQL does not answer that way.
        """
        if self.relay:
            self.relay.settle(away_from=self.node())
            self.stack.wait_for_mysql()

    def on_node(self, node: str, *argv: str, check: bool = True) -> str:
        """Run a program on a node, or in the container that is one, and return its output."""
        if self.hand:
            return self.hand.run(node, *argv, check=check)
        return self.engine.execute(node, *argv, check=check).stdout


class Fault(ABC):
    """One thing that can be broken. Every fault is either `Lasting` or `Momentary`.

    A fault is made before it is injected. After a crash of this process, another one makes it again
    from `name` and `aim`, so `aim` holds everything that `heal` and `prove_healed` need.
    """

    name: ClassVar[str]
    """In kebab case: `nfs-freeze`."""
    text: ClassVar[str]
    """What is broken, in a few words: `the NFS server is frozen`."""
    reach: ClassVar[Reach] = "cluster"

    def __init__(self, site: Site, aim: Mapping[str, str] | None = None) -> None:
        self.site = site
        self.aim = dict(self.take_aim() if aim is None else aim)

    def take_aim(self) -> dict[str, str]:
        """Find out what `heal` will have to know: the node's name, the number of replicas."""
        return {}

    def available(self) -> str | None:
        """Return why this fault cannot be injected here, or None."""
        return None

    def note(self) -> None:  # noqa: B027 - most faults need no "before"
        """Remember what `prove_effect` compares with; called just before `inject`."""

    @abstractmethod
    def inject(self) -> None:
        """Break it, and nothing else: a sabotaged fault leaves this out, and must not be proven."""

    @abstractmethod
    def prove_effect(self) -> str:
        """Return what shows from outside that the fault took effect.

        Raises:
            NotProven: nothing does, within seconds.
        """

    @abstractmethod
    def heal(self) -> None:
        """Undo the fault, if it is there; another process may do so again."""

    @abstractmethod
    def prove_healed(self) -> str:
        """Return what shows that nothing of the fault is left.

        Raises:
            WaitTimeout: something is left.
        """

    def complaints(self) -> tuple[str, ...]:
        """Return what went wrong under the fault, as far as only the fault itself can see it."""
        return ()


class Lasting(Fault):
    """A fault that stays until it is healed, and is watched while it is held."""

    @abstractmethod
    def still_there(self) -> bool:
        """Whether the fault is still in effect; quick enough to be polled."""

    def wait_over(self, what: str, *, timeout: float) -> None:
        """Wait until the fault is no longer in effect; `what` says what is waited for."""
        wait_until(what, self.still_there, until=operator.not_, timeout=timeout)


class Momentary(Fault):
    """A fault whose effect is over at once (a kill, a restart): nothing to hold or to watch."""


def prove(
    what: str,
    poll: Callable[[], T],
    *,
    until: Callable[[T], bool] = bool,
    timeout: float = timeouts.EFFECT,
) -> T:
    """Wait for the proof of an effect.

    Raises:
        NotProven: it does not come; the message has what was last seen.
    """
    try:
        return wait_until(
            what, poll, until=until, timeout=timeout, interval=0.1, ignoring=(LandfastError,)
        )
    except WaitTimeout as error:
        raise NotProven(f"nothing shows that the fault took effect: {error}") from error


def main_status(pod: Object) -> Object:
    """Return the status of a pod's container, not that of the hand; empty while there is none."""
    statuses = pod["status"].get("containerStatuses") or ()
    return next((dict(found) for found in statuses if found.get("name") != HAND), {})


F = TypeVar("F", bound="Fault")
FAULTS: dict[str, type[Fault]] = {}
"""Every fault by its name: `landfast heal` finds in it what a rollback journal names."""


def register(fault: type[F]) -> type[F]:
    """Make a fault known by its name (a class decorator)."""
    assert fault.name not in FAULTS  # noqa: S101 - a programming error
    assert issubclass(fault, Lasting) != issubclass(fault, Momentary)  # noqa: S101 - one of both
    FAULTS[fault.name] = fault
    return fault
