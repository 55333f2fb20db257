"""Variants of the reference's objects, in its own names (`Stack.fit` fits them to a stack)."""

from landfast.kube.client import Object
from landfast.manifests import load
from landfast.stack import Change
from suites.objects import pv as pv
from suites.objects import pvc as pvc


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
