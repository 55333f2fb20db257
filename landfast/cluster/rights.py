"""The rights that a run needs on a cluster that it does not own, and the roles that grant them."""

import json
import sys
from collections.abc import Iterator, Mapping

from landfast.kube import Kube

Rights = Mapping[tuple[str, str], str]
"""Verbs by API group and resources, each separated by spaces."""

_MANAGE = "create delete get list"
IN_NAMESPACE: Rights = {
    ("", "pods services configmaps"): _MANAGE,
    ("", "persistentvolumeclaims"): f"{_MANAGE} patch",
    ("", "pods/exec pods/portforward"): "create get",
    ("", "pods/log serviceaccounts"): "get",
    ("", "pods/eviction"): "create",
    ("", "events"): "list",
    ("apps", "statefulsets"): f"{_MANAGE} patch",
}
"""To judge a class through pods: in the namespace of `--namespace`, or else in all."""

CLUSTER_WIDE: Rights = {
    ("", "persistentvolumes"): "delete get list",
    ("", "nodes"): "list",
    ("storage.k8s.io", "storageclasses"): "list",
}
"""To judge a class through pods: what is in no namespace."""

OF_CLASS: Rights = {("", "namespaces"): _MANAGE, **IN_NAMESPACE, **CLUSTER_WIDE}
"""To judge a class through pods in namespaces of the run's own (`--storage-class`)."""

OF_NODES: Rights = {
    ("", "nodes"): "get list",
    ("coordination.k8s.io", "leases"): "get",
}
"""To break MySQL's node as well (`--i-own-this-cluster`), through a privileged pod."""

OF_WRITERS: Rights = {("batch", "jobs"): _MANAGE}
"""To have the ledger's writers in pods as well (`--writers`), where the run works."""

FULL: Rights = {
    ("", "namespaces pods services configmaps serviceaccounts"): _MANAGE,
    # with `watch` and `update`, and all on events and endpoints: a run may grant its provisioner
    # only what it has itself
    ("", "persistentvolumes persistentvolumeclaims"): f"{_MANAGE} patch update watch",
    ("", "endpoints"): "create get list patch update watch",
    ("", "events"): "create list patch update",
    ("", "pods/exec pods/portforward"): "create get",
    ("", "pods/eviction"): "create",
    ("", "pods/log"): "get",
    ("", "nodes"): "list",
    ("apps", "deployments statefulsets"): f"{_MANAGE} patch",
    ("apps", "replicasets"): "delete get list",
    ("storage.k8s.io", "storageclasses"): f"{_MANAGE} patch watch",
    ("rbac.authorization.k8s.io", "clusterrolebindings rolebindings"): _MANAGE,
    ("rbac.authorization.k8s.io", "clusterroles roles"): f"{_MANAGE} bind",
    ("authorization.k8s.io", "subjectaccessreviews"): "create",
}
"""For every suite: a run then brings a provisioner and classes of its own."""

AUDIT: Rights = {
    ("", "nodes persistentvolumes persistentvolumeclaims pods replicationcontrollers"): "list",
    ("apps", "daemonsets deployments replicasets statefulsets"): "list",
    ("batch", "cronjobs jobs"): "list",
    ("storage.k8s.io", "csidrivers storageclasses"): "list",
}
"""To audit a cluster, which reads and nothing else (`landfast audit --context`)."""

ROLES: Mapping[str, Mapping[str, Rights]] = {
    "landfast-class": {"ClusterRole": OF_CLASS},
    "landfast-namespace": {"Role": IN_NAMESPACE, "ClusterRole": CLUSTER_WIDE},
    "landfast-nodes": {"ClusterRole": {**OF_CLASS, **OF_NODES}},
    "landfast-writers": {"ClusterRole": OF_WRITERS},
    "landfast-full": {"ClusterRole": FULL},
    "landfast-audit": {"ClusterRole": AUDIT},
}
"""By name, what a role and a cluster role of that name grant."""


def needed(
    *, seen: bool, namespace: str | None, breaks_nodes: bool, writers: bool = False
) -> list[tuple[Rights, str | None]]:
    """Return the rights that a run needs, each with the namespace where; None is everywhere.

    Args:
        seen: whether the run uses an export, for which it brings volumes and classes.
        namespace: the one that the run is to work in, or None if it makes its own.
        breaks_nodes: whether it may break MySQL's node.
        writers: whether the ledger's writers are in pods.
    """
    more: list[tuple[Rights, str | None]] = [(OF_WRITERS, namespace)] if writers else []
    if namespace is not None:
        return [(IN_NAMESPACE, namespace), (CLUSTER_WIDE, None), *more]
    more += [(OF_NODES, None)] if breaks_nodes else []
    return [(FULL if seen else OF_CLASS, None), *more]


def missing(kube: Kube, rights: Rights, namespace: str | None = None) -> list[str]:
    """Return the rights that a user lacks, as `create namespaces`."""
    if _may(kube, "*", "*", "*", namespace):
        return []
    return [
        f"{verb} {resource}"
        for group, resource, verb in each(rights)
        if not _may(kube, group, resource, verb, namespace)
    ]


def each(rights: Rights) -> Iterator[tuple[str, str, str]]:
    """Yield group, resource and verb of each right."""
    for (group, resources), verbs in rights.items():
        for resource in resources.split():
            for verb in verbs.split():
                yield group, resource, verb


def _may(kube: Kube, group: str, resource: str, verb: str, namespace: str | None) -> bool:
    resource, _, subresource = resource.partition("/")
    asked = {"group": group, "resource": resource, "subresource": subresource, "verb": verb}
    asked |= {"namespace": namespace} if namespace else {}
    answer = kube.create(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": asked},
        }
    )
    return bool(answer["status"]["allowed"])


def manifest(name: str) -> str:
    """Return the roles of a name in `ROLES` as YAML, as `docs/roles` has them."""
    lines = ["# made by `python -m landfast.cluster.rights`: what a run checks before it begins"]
    for number, (kind, rights) in enumerate(ROLES[name].items()):
        lines += [
            *(["---"] if number else []),
            "apiVersion: rbac.authorization.k8s.io/v1",
            f"kind: {kind}",
            "metadata:",
            f"  name: {name}",
            "rules:",
        ]
        for (group, resources), verbs in rights.items():
            lines += [
                f"  - apiGroups: {json.dumps([group])}",
                f"    resources: {json.dumps(resources.split())}",
                f"    verbs: {json.dumps(verbs.split())}",
            ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(manifest(sys.argv[1]))
