"""StorageClasses and PVCs as tests write them, in the reference's own names."""

from typing import Protocol

from landfast.kube.client import Object
from landfast.manifests import load
from landfast.provisioning.contract import PvcMeta


class Parameters(Protocol):
    """What a StorageClass takes from a contract's settings, whichever contract that is."""

    @property
    def reclaim_policy(self) -> str:
        """The reclaim policy."""
        ...

    @property
    def parameters(self) -> dict[str, str]:
        """The `parameters`."""
        ...


def storage_class(name: str, settings: Parameters) -> Object:
    """Return a StorageClass of the reference's provisioner, in the reference's own names."""
    (obj,) = load("storageclass")
    obj["metadata"]["name"] = name
    obj["reclaimPolicy"] = settings.reclaim_policy
    obj["parameters"] = settings.parameters
    return obj


def pvc_object(pvc: PvcMeta, class_name: str) -> Object:
    """Return a PVC for 1 Mi of a class, in the reference's own names."""
    (obj,) = load("pvc")
    obj["metadata"] = {
        "name": pvc.name,
        "labels": dict(pvc.labels),
        "annotations": dict(pvc.annotations),
    }
    del obj["spec"]["selector"]
    obj["spec"]["storageClassName"] = class_name
    obj["spec"]["resources"]["requests"]["storage"] = "1Mi"
    return obj
