"""Removes the objects of a stack, and the PVs that were made for it."""

from functools import partial

from landfast import timeouts
from landfast.kube.client import Kube, Object
from landfast.kube.removal import delete, delete_kinds, retain, wait_gone
from landfast.manifests import Overlay

_OF_PROVISIONER = ("Deployment", "StorageClass", "ClusterRoleBinding", "ClusterRole")
_LAST = ("Service", "ConfigMap", "Namespace")


def remove_objects(kube: Kube, overlay: Overlay, storage_class: str) -> None:
    """Remove every object of a stack, and the PVs of its class.

    The provisioner goes after the PVCs, so that it can still reclaim their volumes. What a class of
    others promises to reclaim, its provisioner reclaims.

    Raises:
        WaitTimeout: something cannot be removed.
    """
    selector = ",".join(f"{key}={value}" for key, value in overlay.labels.items())
    delete_own = partial(delete_kinds, kube, labels=selector)
    retain(kube, kube.list("PersistentVolume", labels=selector))
    wait_gone(kube, delete_own(["StatefulSet", "Pod"], overlay.namespace, grace_seconds=1))
    of_class = [
        pv
        for pv in kube.list("PersistentVolume")
        if pv["spec"].get("storageClassName") == storage_class
    ]
    wait_gone(kube, delete_own(["PersistentVolumeClaim"]))
    if overlay.storage_class is None:
        delete(kube, of_class)
    else:
        _release(kube, [pv for pv in of_class if kube.is_bound_in(pv, overlay.namespace)])
    wait_gone(kube, delete_own(["PersistentVolume"]))
    brought = () if overlay.judges_others else _OF_PROVISIONER
    gone = delete_own([*brought, *_LAST], grace_seconds=1)
    wait_gone(kube, [name for name in gone if name[0] != "Namespace" or not overlay.suffix])


def _release(kube: Kube, pvs: list[Object]) -> None:
    """Wait until PVs of policy Delete are reclaimed; delete the others, whose directories stay."""
    reclaimed = [pv for pv in pvs if pv["spec"]["persistentVolumeReclaimPolicy"] == "Delete"]
    names = [("PersistentVolume", pv["metadata"]["name"], None) for pv in reclaimed]
    wait_gone(kube, names, timeout=timeouts.RECLAIM)
    delete(kube, [pv for pv in pvs if pv not in reclaimed])
