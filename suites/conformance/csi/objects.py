"""Objects that only this suite creates, in the reference's own names."""

from landfast.kube.client import Object
from landfast.provisioning.csi import DRIVER, ClassSettings
from landfast.stack import Stack

UNREADABLE = "neither-form"
"""A handle with neither two # nor two slashes in it."""


def prepared_volume(stack: Stack, name: str, settings: ClassSettings) -> str:
    """Create a PV by hand in the directory `name`, as if the driver had made it; return its name.

    Its handle is `UNREADABLE`. Its class is `name`, and its PVC must ask for it by name.
    """
    made = stack.make(_volume(name, settings))
    stack.wait_for_pv(made["metadata"]["name"], "Available")
    return str(made["metadata"]["name"])


def _volume(name: str, settings: ClassSettings) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Mi"},
            "persistentVolumeReclaimPolicy": settings.reclaim_policy,
            "storageClassName": name,
            "csi": {
                "driver": DRIVER,
                "volumeHandle": UNREADABLE,
                "volumeAttributes": {
                    "server": settings.server,
                    "share": settings.share,
                    "subDir": name,
                },
            },
        },
    }
