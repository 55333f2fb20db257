"""The rights that a run needs on a cluster that it does not own, and the roles that grant them."""

import json
import sys
from collections.abc import Iterator, Mapping

from landfast.kube import Kube

Rights = Mapping[tuple[str, str], str]
"""Verbs by API group and resources, each separated by spaces."""

_MANAGE = "create delete get list"
OF_CLASS: Rights = {
    ("", "namespaces pods services configmaps"): _MANAGE,
    ("", "persistentvolumeclaims"): f"{_MANAGE} patch",
    ("", "persistentvolumes"): "delete get list",
    ("", "pods/exec pods/portforward"): "create get",
    ("", "pods/log serviceaccounts"): "get",
    ("", "pods/eviction"): "create",
    ("", "events nodes"): "list",
    ("apps", "statefulsets"): f"{_MANAGE} patch",
    ("storage.k8s.io", "storageclasses"): "get list",
}
"""To judge a class through pods (`--storage-class`)."""

OF_NODES: Rights = {
    ("", "nodes"): "get list",
    ("coordination.k8s.io", "leases"): "get",
}
"""To break MySQL's node as well (`--i-own-this-cluster`), through a privileged pod."""

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

ROLES = {
    "landfast-class": OF_CLASS,
    "landfast-nodes": {**OF_CLASS, **OF_NODES},
    "landfast-full": FULL,
}


def missing(kube: Kube, rights: Rights) -> list[str]:
    """Return the rights that a user lacks, as `create namespaces`."""
    if _may(kube, "*", "*", "*"):
        return []
    return [
        f"{verb} {resource}"
        for group, resource, verb in _each(rights)
        if not _may(kube, group, resource, verb)
    ]


def _each(rights: Rights) -> Iterator[tuple[str, str, str]]:
    for (group, resources), verbs in rights.items():
        for resource in resources.split():
            for verb in verbs.split():
                yield group, resource, verb


def _may(kube: Kube, group: str, resource: str, verb: str) -> bool:
    resource, _, subresource = resource.partition("/")
    asked = {"group": group, "resource": resource, "subresource": subresource, "verb": verb}
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
    """Return the ClusterRole of a name in `ROLES` as YAML, as `docs/roles` has it."""
    lines = [
        "# made by `python -m landfast.cluster.rights`: what a run checks before it begins",
        "apiVersion: rbac.authorization.k8s.io/v1",
        "kind: ClusterRole",
        "metadata:",
        f"  name: {name}",
        "rules:",
    ]
    for (group, resources), verbs in ROLES[name].items():
        lines += [
            f"  - apiGroups: {json.dumps([group])}",
            f"    resources: {json.dumps(resources.split())}",
            f"    verbs: {json.dumps(verbs.split())}",
        ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(manifest(sys.argv[1]))
