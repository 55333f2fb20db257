"""Reads the objects of a cluster and changes nothing: safe on production."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from landfast.audit.objects import Resource
from landfast.audit.parsing import parse
from landfast.audit.place import Place
from landfast.errors import BadInput, Unreachable
from landfast.kube import Kube, KubeError, Object
from landfast.kube.kubeconfig import check_context

READ = (
    ("v1", "PersistentVolume"),
    ("v1", "PersistentVolumeClaim"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("storage.k8s.io/v1", "CSIDriver"),
    ("v1", "Node"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("v1", "ReplicationController"),
    ("v1", "Pod"),
)
"""What is read of a cluster, by apiVersion and kind. What one makes of another counts once."""


class Lists(Protocol):
    """All that the audit asks of a cluster. It offers no way to change one."""

    def list(self, kind: str) -> list[Object]:
        """Return the objects of a kind."""
        ...


def connect(kubeconfig: Path, context: str) -> Kube:
    """Connect to the cluster of a context.

    Raises:
        BadInput: the kubeconfig has no such context, or no server answers.
    """
    check_context(kubeconfig, context)
    kube = Kube(kubeconfig, context)
    kube.server_version()
    return kube


def read(kube: Lists, context: str) -> tuple[Resource, ...]:
    """Read the objects that the rules look at.

    Raises:
        BadInput: the user may not list a kind, or the server stops answering.
    """
    found: list[Resource] = []
    for api_version, kind in READ:
        try:
            objects = kube.list(kind)
        except KubeError as error:
            raise BadInput(
                f"the user of --context {context} cannot list {kind} objects: {error.message}; "
                "docs/audit.md shows the ClusterRole that an audit needs"
            ) from error
        except Unreachable as error:
            raise BadInput(
                f"the cluster of --context {context} stopped answering: {error}"
            ) from error
        for obj in objects:
            found += parse({**obj, "apiVersion": api_version, "kind": kind}, Place())
    return tuple(_not_made(found))


def _not_made(resources: Sequence[Resource]) -> Iterator[Resource]:
    """Yield all objects but those that a controller here makes: the pods of a Deployment."""
    uids = {resource.metadata.uid for resource in resources if resource.metadata.uid}
    for resource in resources:
        owners = resource.metadata.owner_references
        if not any(owner.controller and owner.uid in uids for owner in owners):
            yield resource
