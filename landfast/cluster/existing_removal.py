"""Removes everything of a run from an existing cluster, and its folder from the export."""

from landfast import timeouts
from landfast.cluster.fence import FencedKube
from landfast.errors import LandfastError
from landfast.kube import Object
from landfast.kube.removal import Name, delete, retain, wait_gone
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.run import RUN_LABEL

CLUSTER_KINDS = ("PersistentVolume", "StorageClass", "ClusterRoleBinding", "ClusterRole")
_RUNS = ("StatefulSet", "Deployment", "ReplicaSet", "Pod", "PersistentVolumeClaim")


def remove(kube: FencedKube, own: str, folder: tuple[Export, str] | None, image: str) -> None:
    """Remove everything of a run; its folder once nothing can write into it any more.

    Args:
        kube: the cluster; its fence says which run.
        own: the run's own namespace. It goes late: while it exists, so may the folder.
        folder: the export and the run's folder on it, or None if the run never made one.
        image: for an inspector, if the run's own is gone.

    Raises:
        LandfastError: something does not go; it can be tried again.
    """
    try:
        _remove(kube, own, folder, image)
    except LandfastError as error:
        raise LandfastError(f"run {kube.run_id} could not be removed whole: {error}") from error


def _remove(kube: FencedKube, own: str, folder: tuple[Export, str] | None, image: str) -> None:
    _retain_owned(kube)
    selector = f"{RUN_LABEL}={kube.run_id}"
    namespaces = kube.list("Namespace", labels=selector)
    for namespace in namespaces:
        _remove_content(kube, namespace["metadata"]["name"])
    # only while its namespace exists is a provisioned PV known to be the run's
    keep = inspector_pod.volume_name(own)
    gone = delete(kube, [pv for pv in _retain_owned(kube) if pv["metadata"]["name"] != keep])
    gone += delete(kube, [ns for ns in namespaces if ns["metadata"]["name"] != own])
    wait_gone(kube, gone, timeout=timeouts.CLUSTER_REMOVE)
    if last := [ns for ns in namespaces if ns["metadata"]["name"] == own]:
        if folder is not None:
            export, path = folder
            inspector_pod.start(kube, export, own, image, kube.run_id)
            inspector_pod.pod_inspector(kube, own, inspector_pod.NAME, own=path).remove(path)
        wait_gone(kube, delete(kube, last), timeout=timeouts.CLUSTER_REMOVE)
    left = [obj for kind in CLUSTER_KINDS for obj in kube.list(kind, labels=selector)]
    wait_gone(kube, delete(kube, left))


def _retain_owned(kube: FencedKube) -> list[Object]:
    """Make sure that only the run itself changes the export; return the run's PVs."""
    owned = [pv for pv in kube.list("PersistentVolume") if kube.owns(pv)]
    retain(kube, owned)
    return owned


def _remove_content(kube: FencedKube, namespace: str) -> None:
    """Remove what runs in a namespace and its PVCs, but not the inspector and its PVC."""
    gone: list[Name] = []
    for kind in _RUNS:  # each kind is listed once its owners are being deleted
        found = kube.list(kind, namespace)
        found = [obj for obj in found if obj["metadata"]["name"] != inspector_pod.NAME]
        gone += delete(kube, found, grace_seconds=1)
    wait_gone(kube, gone, timeout=timeouts.CLUSTER_REMOVE)
