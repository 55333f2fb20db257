"""A cluster that a run uses, and its capabilities."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from landfast.cluster.guest import fenced
from landfast.errors import Unreachable
from landfast.kube import Kube, KubeError, Object
from landfast.kube.placement import Placement
from landfast.kube.status import is_ready
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until

Capability = Literal[
    "cluster.owned",
    "cluster.node-shell",
    "cluster.nodeport",
    "cluster.default-class",
    "cluster.node-faults",
    "cluster.two-workers",
    "cluster.namespaces",
    "cluster.recycler",
]


class Cluster(BaseModel):
    """A cluster that a run may use. It is a value: workers get it as JSON.

    `missing` holds the capabilities that it lacks, each with the reason. On an existing cluster
    `nodes` are those that the run's pods may go to, `fence` is the id of the run whose label marks
    what may be changed, `guest_in` the namespace of others that the run works in, if it does, and
    `placement` what its pods need; on the run's own cluster, what its pods with volumes need.
    """

    model_config = ConfigDict(frozen=True, ignored_types=(cached_property,))

    provider: Literal["kind", "existing"]
    name: str
    kubeconfig: Path
    context: str
    nodes: tuple[str, ...]
    mysql_port: int | None = None
    missing: Mapping[Capability, str] = {}
    fence: str | None = None
    guest_in: str | None = None
    placement: Placement = Placement()

    @cached_property
    def kube(self) -> Kube:
        """The cluster's API."""
        if self.fence is None:
            guards = [self.placement.volumes_placed] if self.placement.node_selector else []
            return Kube(self.kubeconfig, self.context, guards=guards)
        return fenced(
            self.kubeconfig,
            self.context,
            self.fence,
            guest_in=self.guest_in,
            default_classes="cluster.default-class" not in self.missing,
            placement=self.placement,
        )

    def require(self, capability: Capability) -> None:
        """Check that the cluster has a capability.

        Raises:
            MissingCapability: it does not.
        """
        if (reason := self.missing.get(capability)) is not None:
            raise MissingCapability(capability, reason)

    @property
    def owned(self) -> bool:
        """Whether the run created this cluster, so that it may do anything to it."""
        return self.provider == "kind"


def wait_for_nodes(kube: Kube, count: int, *, timeout: float) -> list[Object]:
    """Wait until `count` nodes are Ready, and return them.

    Raises:
        WaitTimeout: they are not; the message has each node's state.
    """
    return wait_until(
        f"{count} nodes to be Ready",
        lambda: kube.list("Node"),
        until=lambda nodes: len(nodes) == count and all(map(is_ready, nodes)),
        timeout=timeout,
        ignoring=(KubeError, Unreachable),  # an API server that starts anew, or knows no rights yet
        describe=lambda nodes: ", ".join(
            f"{n['metadata']['name']} {'Ready' if is_ready(n) else 'not Ready'}" for n in nodes
        ),
    )
