"""Reads the objects of a cluster and changes nothing: safe on production."""

from pathlib import Path
from typing import Protocol

from landfast.audit.objects import Resource
from landfast.audit.parsing import KINDS, parse
from landfast.audit.place import Place
from landfast.errors import BadInput, Unreachable
from landfast.kube import Kube, KubeError, Object
from landfast.kube.kubeconfig import check_context

# Pods show what a Deployment runs, so the user needs no right to list Deployments.
_READ = [key for key in KINDS if key[1] not in ("Deployment", "DaemonSet")]


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
    found: list[Resource | None] = []
    for api_version, kind in _READ:
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
        found += [parse({**obj, "apiVersion": api_version}, Place()) for obj in objects]
    return tuple(resource for resource in found if resource)
