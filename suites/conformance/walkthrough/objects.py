"""Variants of the reference's objects, in its own names (`Stack.fit` fits them to a stack)."""

from landfast.kube.client import Object
from landfast.kube.manifests import load
from landfast.stack import Change


def pv(
    name: str,
    path: str,
    *,
    policy: str = "Retain",
    storage_class: str | None = "nfs-ssd",
) -> Object:
    """Give `nfs-pv` with another name, folder, policy and class; None is no class."""
    (obj,) = load("pv")
    obj["metadata"]["name"] = name
    spec = obj["spec"]
    spec["nfs"]["path"] = path
    spec["persistentVolumeReclaimPolicy"] = policy
    _set_class(spec, storage_class)
    return obj


def pvc(
    name: str,
    *,
    storage_class: str | None = "nfs-ssd",
    selector: dict[str, str] | None = None,
) -> Object:
    """Give `nfs-pvc` with another name, class and selector; None is no class, no selector."""
    (obj,) = load("pvc")
    obj["metadata"]["name"] = name
    spec = obj["spec"]
    del spec["selector"]
    if selector is not None:
        spec["selector"] = {"matchLabels": selector}
    _set_class(spec, storage_class)
    return obj


def _set_class(spec: Object, storage_class: str | None) -> None:
    del spec["storageClassName"]
    if storage_class is not None:
        spec["storageClassName"] = storage_class


def machine(name: str, command: str) -> Object:
    """Give the reference's test pod as a machine that mounts the whole export, with no claim."""
    (obj,) = load("pod")
    obj["metadata"]["name"] = name
    obj["spec"]["containers"][0]["args"] = ["-c", command]
    nfs = {"server": "192.168.3.133", "path": "/data/share"}
    obj["spec"]["volumes"] = [{"name": "nfs-pvc", "nfs": nfs}]
    return obj


def archive_on_delete(value: str | None) -> Change:
    """Give the change to a StorageClass that sets `archiveOnDelete`; None leaves it out."""

    def change(obj: Object) -> Object:
        if obj["kind"] == "StorageClass":
            del obj["parameters"]["archiveOnDelete"]
            if value is not None:
                obj["parameters"]["archiveOnDelete"] = value
        return obj

    return change
