"""Takes everything of a run off somebody's cluster, and its folder off the export."""

from landfast.cluster.fence import FencedKube
from landfast.errors import LandfastError
from landfast.kube import Kube
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.run import RUN_LABEL
from landfast.waiting import wait_until

_REMOVE_SECONDS = 120
CLUSTER_KINDS = ("PersistentVolume", "StorageClass", "ClusterRoleBinding", "ClusterRole")
_RUNS = ("StatefulSet", "Deployment", "ReplicaSet", "Pod", "PersistentVolumeClaim")
_Name = tuple[str, str, str | None]  # kind, name, namespace


def remove(kube: FencedKube, own: str, folder: tuple[Export, str] | None, image: str) -> None:
    """Remove everything of a run, its folder when nobody can write into it any more.

    Args:
        kube: the cluster; its fence says which run.
        own: the run's own namespace. It goes late: as long as it is there, so may the folder be.
        folder: the export and the run's folder on it, or None if it was never made.
        image: for an inspector, if the run's own is gone.

    Raises:
        LandfastError: something does not go; it can be tried again.
    """
    try:
        _remove(kube, own, folder, image)
    except LandfastError as error:
        raise LandfastError(f"run {kube.run_id} could not be removed whole: {error}") from error


def _remove(kube: FencedKube, own: str, folder: tuple[Export, str] | None, image: str) -> None:
    _retain_volumes(kube)
    selector = f"{RUN_LABEL}={kube.run_id}"
    namespaces = [ns["metadata"]["name"] for ns in kube.list("Namespace", labels=selector)]
    for name in namespaces:
        _remove_content(kube, name)
    # those that a provisioner made are known to be the run's only while their namespace is there
    made = _delete_volumes(kube, keep=inspector_pod.volume_name(own))
    others: list[_Name] = [("Namespace", name, None) for name in namespaces if name != own]
    for _, name, _ in others:
        kube.delete("Namespace", name)
    _wait_gone(kube, made + others)
    if own in namespaces:
        if folder is not None:
            export, path = folder
            inspector_pod.start(kube, export, own, image, kube.run_id)
            inspector_pod.pod_inspector(kube, own, inspector_pod.NAME, own=path).remove(path)
        kube.delete("Namespace", own)
        _wait_gone(kube, [("Namespace", own, None)])
    left: list[_Name] = [
        (kind, obj["metadata"]["name"], None)
        for kind in CLUSTER_KINDS
        for obj in kube.list(kind, labels=selector)
    ]
    for kind, name, _ in left:
        kube.delete(kind, name)
    _wait_gone(kube, left)


def _retain_volumes(kube: FencedKube) -> None:
    """Make sure that nobody but the run touches the export: Recycle would scrub, Delete archive."""
    for pv in kube.list("PersistentVolume"):
        if pv["spec"].get("persistentVolumeReclaimPolicy") != "Retain" and kube.owns(pv):
            retain = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
            kube.patch("PersistentVolume", pv["metadata"]["name"], retain)


def _delete_volumes(kube: FencedKube, *, keep: str) -> list[_Name]:
    _retain_volumes(kube)
    owned = [pv["metadata"]["name"] for pv in kube.list("PersistentVolume") if kube.owns(pv)]
    names = [name for name in owned if name != keep]
    for name in names:
        kube.delete("PersistentVolume", name)
    return [("PersistentVolume", name, None) for name in names]


def _remove_content(kube: FencedKube, namespace: str) -> None:
    """Remove what runs in a namespace and what it claims, but not the inspector and its claim."""
    gone: list[_Name] = []
    for kind in _RUNS:
        for obj in kube.list(kind, namespace):
            if (name := obj["metadata"]["name"]) != inspector_pod.NAME:
                kube.delete(kind, name, namespace, grace_seconds=1)
                gone.append((kind, name, namespace))
    _wait_gone(kube, gone)


def _wait_gone(kube: Kube, objects: list[_Name]) -> None:
    wait_until(
        "the run's objects to be gone",
        lambda: [f"{kind} {name}" for kind, name, ns in objects if kube.find(kind, name, ns)],
        until=lambda left: not left,
        timeout=_REMOVE_SECONDS,
        interval=0.5,
        describe=", ".join,
    )
