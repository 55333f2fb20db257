"""Removes all that a run made from an existing cluster, and its folder from the export."""

from collections.abc import Iterable

from landfast import timeouts
from landfast.cluster.fence import FencedKube
from landfast.cluster.guest import GuestKube
from landfast.kube import Object
from landfast.kube.removal import Name, delete, delete_kinds, retain, wait_gone
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.run import RUN_LABEL

CLUSTER_KINDS = ("PersistentVolume", "StorageClass", "ClusterRoleBinding", "ClusterRole")
_RUNS = ("StatefulSet", "Pod", "PersistentVolumeClaim")
_RUNS_OF_PROVISIONER = ("Deployment", "ReplicaSet")
_OTHERS = f"metadata.name!={inspector_pod.NAME}"  # the inspector's pod and PVC stay until the end


def remove(
    kube: FencedKube,
    own: str,
    folder: tuple[Export, str] | None,
    image: str,
    kinds: Iterable[str] = CLUSTER_KINDS,
    *,
    jobs: bool = False,
) -> None:
    """Remove everything of a run; its folder goes once nothing can write into it any more.

    Args:
        kube: the cluster; its fence says which run.
        own: the run's own namespace. It goes late: while it exists, so may the folder.
        folder: the export and the run's folder on it, or None if the run never made one.
        image: the image of an inspector, should the run's own be gone.
        kinds: the kinds of cluster-wide objects that the run may have made.
        jobs: whether it may have made Jobs; without writers in pods its user may not look for them.

    Volumes of classes that are not the run's are reclaimed by those classes' provisioners: with
    policy Retain their directories stay on the server.

    Raises:
        LandfastError: something cannot be removed; the next call tries again.
    """
    if isinstance(kube, GuestKube):
        _remove_from(kube, jobs=jobs)
        return
    _retain_owned(kube)
    reclaimed = _reclaimed_by_others(kube)
    selector = f"{RUN_LABEL}={kube.run_id}"
    namespaces = kube.list("Namespace", labels=selector)
    runs = (*(_RUNS_OF_PROVISIONER if kinds else ()), *_RUNS)
    for namespace in namespaces:
        inside = delete_kinds(
            kube, runs, namespace["metadata"]["name"], fields=_OTHERS, grace_seconds=1
        )
        wait_gone(kube, inside, timeout=timeouts.CLUSTER_REMOVE)
    wait_gone(kube, reclaimed, timeout=timeouts.CLUSTER_REMOVE)
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
    wait_gone(kube, delete_kinds(kube, kinds, labels=selector))


def _remove_from(kube: GuestKube, *, jobs: bool) -> None:
    """Remove a run's objects from the namespace of others in which it worked."""
    reclaimed = _reclaimed_by_others(kube)
    labels = f"{RUN_LABEL}={kube.run_id}"
    kinds = (*(["Job"] if jobs else []), *_RUNS, "Service", "ConfigMap")
    inside = delete_kinds(kube, kinds, kube.namespace, labels=labels, grace_seconds=1)
    wait_gone(kube, [*inside, *reclaimed], timeout=timeouts.CLUSTER_REMOVE)
    wait_gone(kube, delete(kube, _retain_owned(kube)), timeout=timeouts.CLUSTER_REMOVE)


def _retain_owned(kube: FencedKube) -> list[Object]:
    """Make sure that only the run itself changes its part of the export; return the run's PVs.

    Those of a class of others keep their policy.
    """
    owned = [pv for pv in kube.list("PersistentVolume") if kube.owns(pv)]
    theirs = _classes_of_others(kube)
    retain(kube, [pv for pv in owned if pv["spec"].get("storageClassName") not in theirs])
    return owned


def _reclaimed_by_others(kube: FencedKube) -> list[Name]:
    """Return the run's PVs that another's provisioner reclaims once their PVCs are gone."""
    theirs = _classes_of_others(kube)
    return [
        ("PersistentVolume", pv["metadata"]["name"], None)
        for pv in kube.list("PersistentVolume")
        if kube.owns(pv)
        and pv["spec"].get("storageClassName") in theirs
        and pv["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    ]


def _classes_of_others(kube: FencedKube) -> set[str]:
    """Return the names of the classes that are not the run's."""
    classes = kube.list("StorageClass")
    return {found["metadata"]["name"] for found in classes if not kube.owns(found)}
