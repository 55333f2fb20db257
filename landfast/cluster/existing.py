"""Whether a run can work on an existing cluster: context, version, rights, the export."""

import re
from pathlib import Path

from landfast.cluster.fence import FencedKube
from landfast.errors import BadInput, LandfastError
from landfast.kube import Kube, KubeError
from landfast.kube.kubeconfig import check_context
from landfast.manifests import Overlay
from landfast.nfs.inspector import ExportInspector

_OLDEST = (1, 27)  # the first that refuses unknown fields of every object
_MANAGE = "create delete get list"
_RIGHTS = {
    ("", "namespaces pods services configmaps serviceaccounts"): _MANAGE,
    ("", "persistentvolumes persistentvolumeclaims"): f"{_MANAGE} patch",
    ("", "pods/exec pods/portforward"): "create get",
    ("", "pods/eviction"): "create",
    ("", "pods/log"): "get",
    ("", "events nodes"): "list",
    ("apps", "deployments statefulsets"): f"{_MANAGE} patch",
    ("apps", "replicasets"): "delete get list",
    ("storage.k8s.io", "storageclasses"): f"{_MANAGE} patch",
    ("rbac.authorization.k8s.io", "clusterroles clusterrolebindings roles rolebindings"): _MANAGE,
}
"""The verbs that a run needs, by API group and resources."""
_NAMED_RIGHTS = 3


def connect(
    kubeconfig: Path, context: str, run_id: str, *, default_classes: bool = False
) -> FencedKube:
    """Check that a run can work on a cluster, and return the cluster behind the fence.

    Raises:
        BadInput: there is no such context, no server answers, it is too old, or the user lacks
            rights that a run needs.
    """
    check_context(kubeconfig, context)
    kube = FencedKube(kubeconfig, context, run_id, default_classes=default_classes)
    version = kube.server_version()
    if version_of(version) < _OLDEST:
        raise BadInput(
            f"the API server {kube.host} is Kubernetes {version}: Landfast needs "
            f"v{_OLDEST[0]}.{_OLDEST[1]} or newer"
        )
    try:
        denied = missing_rights(kube)
    except KubeError as error:
        raise BadInput(f"the API server {kube.host} refuses: {error.message}") from error
    if denied:
        more = len(denied) - _NAMED_RIGHTS
        raise BadInput(
            f"the user of --context {context} may not {', '.join(denied[:_NAMED_RIGHTS])}"
            f"{f' and {more} more that a run needs' if more > 0 else ', which a run needs'}"
        )
    return kube


def version_of(text: str) -> tuple[int, int]:
    """Return major and minor of a server's version (`v1.37.2`, `v1.30.1-eks-…`)."""
    found = re.match(r"v(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def missing_rights(kube: Kube) -> list[str]:
    """Return the rights that a run needs and this user lacks, as `create namespaces`."""
    if _may(kube, "*", "*", "*"):
        return []
    return [
        f"{verb} {resource}"
        for (group, resources), verbs in _RIGHTS.items()
        for resource in resources.split()
        for verb in verbs.split()
        if not _may(kube, group, resource, verb)
    ]


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


def make_folder(inspector: ExportInspector, overlay: Overlay) -> list[str]:
    """Make the run's folder on the export; return notes on the export for the report.

    Raises:
        BadInput: the export cannot be written.
    """
    export, probe = overlay.export, f"{overlay.subtree}/.landfast"
    try:
        inspector.make_folder(overlay.subtree)
        inspector.write(probe, overlay.run_id)
        entry = inspector.stat(probe)
        inspector.remove(probe)
    except LandfastError as error:
        raise BadInput(
            f"--nfs-server {export.server}:{export.path} cannot be written: {error}"
        ) from error
    if entry is None or entry.uid == 0:
        return []
    return [
        f"On the export, files that root writes belong to user {entry.uid} (root_squash): programs "
        "that change owners, such as MySQL's image, will fail, and the inspector may not see all."
    ]
