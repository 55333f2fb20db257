"""The contract of a fault: inject, prove that it took effect, heal, prove that it healed."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from landfast.docker import Engine
from landfast.environment import Environment
from landfast.errors import LandfastError
from landfast.kube.client import Kube, Object
from landfast.nfs.disk_server import DiskServer
from landfast.stack import Stack
from landfast.verdict import Unknown
from landfast.waiting import WaitTimeout, wait_until

T = TypeVar("T")


class NotProven(Unknown):
    """A fault was injected, but nothing shows that it took effect."""


@dataclass(frozen=True)
class Site:
    """What the faults of a run may touch: its own cluster, its own NFS server, one stack."""

    env: Environment
    stack: Stack
    server: DiskServer

    @property
    def engine(self) -> Engine:
        """The engine that nodes and server run in."""
        return self.server.engine

    @property
    def kube(self) -> Kube:
        """The cluster's API."""
        return self.env.cluster.kube

    @property
    def control_plane(self) -> str:
        """The node that the control plane runs on."""
        return next(node for node in self.env.cluster.nodes if node.endswith("-control-plane"))

    @property
    def workers(self) -> list[str]:
        """The nodes that pods run on."""
        return [node for node in self.env.cluster.nodes if node != self.control_plane]

    @property
    def volume(self) -> str:
        """The PersistentVolume that MySQL's data is on."""
        return self.stack.overlay.name("PersistentVolume", "nfs-pv-data-mysql")

    def find_pod(self) -> Object | None:
        """Give MySQL's pod, or None if there is none now."""
        return self.kube.find("Pod", "mysql-0", self.stack.namespace)

    def pod(self) -> Object:
        """Give MySQL's pod.

        Raises:
            LandfastError: there is none.
        """
        return self.kube.get("Pod", "mysql-0", self.stack.namespace)

    def node(self) -> str:
        """Give the node that MySQL's pod is on.

        Raises:
            LandfastError: it is on none.
        """
        node = self.pod()["spec"].get("nodeName")
        if not node:
            raise LandfastError("pod mysql-0 is on no node yet")
        return str(node)

    def wait_for_another_pod(self, uid: str, *, timeout: float = 60) -> Object:
        """Wait until MySQL's pod is another one than `uid`, and give it."""
        found = wait_until(
            "another pod mysql-0",
            self.find_pod,
            until=lambda pod: pod is not None and pod["metadata"]["uid"] != uid,
            timeout=timeout,
            describe=lambda pod: "the same" if pod else "none",
        )
        assert found is not None  # noqa: S101 - that was waited for
        return found

    def on_node(self, node: str, *argv: str, check: bool = True, timeout: float = 30) -> str:
        """Run a program in a node's container and give its standard output."""
        found = self.engine.docker("exec", node, *argv, check=check, timeout=timeout)
        return found.stdout


class Fault(ABC):
    """One thing that can be broken.

    A fault is made before it is injected, and can be made again from `name` and `aim` by another
    process after a crash of this one: what `heal` needs to know is in `aim`, nothing else.
    """

    name: ClassVar[str]
    """In kebab case: `nfs-freeze`."""
    text: ClassVar[str]
    """What is broken, in a few words: `the NFS server stands still`."""

    def __init__(self, site: Site, aim: dict[str, str] | None = None) -> None:
        self.site = site
        self.aim = self.take_aim() if aim is None else aim

    def take_aim(self) -> dict[str, str]:
        """Find out what `heal` will have to know: the node's name, the number of replicas."""
        return {}

    def available(self) -> str | None:
        """Say why this fault cannot be injected here, or None."""
        return None

    def note(self) -> None:  # noqa: B027 - most faults leave marks enough
        """Remember what `prove_effect` compares with; called just before `inject`."""

    @abstractmethod
    def inject(self) -> None:
        """Break it, and nothing else: a sabotaged fault leaves this out, and must not be proven."""

    @abstractmethod
    def prove_effect(self) -> str:
        """Give what shows from outside that it took effect.

        Raises:
            NotProven: nothing does, within seconds.
        """

    @abstractmethod
    def heal(self) -> None:
        """Undo it, if it is there: it may be called again, by another process, too."""

    @abstractmethod
    def prove_healed(self) -> str:
        """Give what shows that nothing of it is left.

        Raises:
            WaitTimeout: something is.
        """


def prove(
    what: str, poll: Callable[[], T], *, until: Callable[[T], bool] = bool, timeout: float = 8
) -> T:
    """Wait a few seconds for the proof of an effect.

    Raises:
        NotProven: it does not come; the message has what was last seen.
    """
    try:
        return wait_until(
            what, poll, until=until, timeout=timeout, interval=0.1, ignoring=(LandfastError,)
        )
    except WaitTimeout as error:
        raise NotProven(f"nothing shows that the fault took effect: {error}") from error


F = TypeVar("F", bound="Fault")
FAULTS: dict[str, type[Fault]] = {}


def register(fault: type[F]) -> type[F]:
    """Make a fault known by its name (a class decorator)."""
    assert fault.name not in FAULTS  # noqa: S101 - a programming error
    FAULTS[fault.name] = fault
    return fault
