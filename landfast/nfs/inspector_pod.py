"""The export inspector where the server is out of reach: a pod that mounts the export."""

from functools import partial
from pathlib import PurePosixPath

from landfast import timeouts
from landfast.errors import BadInput
from landfast.kube import Kube, Object
from landfast.kube.pods import obstacle, summary, wait_for_service_account
from landfast.kube.status import is_ready
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.nfs.mount_options import with_options
from landfast.run import RUN_LABEL
from landfast.waiting import WaitTimeout, wait_until

NAME = "landfast-inspector"
_MOUNT_POINT = PurePosixPath("/export")
# The inspector must see others' changes at once. An absent server is an error, not a wait.
_MOUNT_OPTIONS = ["noac", "lookupcache=none", "retry=0"]


def objects(export: Export, namespace: str, image: str, run_id: str) -> list[Object]:
    """Return the pod, and the PV and PVC: only a PV can have mount options."""
    labels = {RUN_LABEL: run_id}
    volume = volume_name(namespace)
    size = {"storage": "1Mi"}  # required, but means nothing on NFS
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume, "labels": labels},
            "spec": {
                "capacity": size,
                "accessModes": ["ReadWriteMany"],
                "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": {"namespace": namespace, "name": NAME},
                "mountOptions": _mount_options(export),
                "nfs": {"server": export.server, "path": export.path},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": NAME, "namespace": namespace, "labels": labels},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "storageClassName": "",
                "volumeName": volume,
                "resources": {"requests": size},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": NAME, "namespace": namespace, "labels": labels},
            "spec": {
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "containers": [
                    {
                        "name": "inspector",
                        "image": image,
                        "imagePullPolicy": "IfNotPresent",
                        "command": ["sleep", "2147483647"],
                        "volumeMounts": [{"name": "export", "mountPath": str(_MOUNT_POINT)}],
                    }
                ],
                "volumes": [{"name": "export", "persistentVolumeClaim": {"claimName": NAME}}],
            },
        },
    ]


def _mount_options(export: Export) -> list[str]:
    """Return how the inspector mounts an export: with version 4, if no other is given."""
    return with_options(with_options(["nfsvers=4"], export.mount_options), _MOUNT_OPTIONS)


def volume_name(namespace: str) -> str:
    """Return the name of the inspector's PersistentVolume."""
    return f"{namespace}-inspector"


def start(kube: Kube, export: Export, namespace: str, image: str, run_id: str) -> Export:
    """Run the inspector in an existing namespace, and return the export with it.

    Raises:
        BadInput: the export cannot be mounted, or the image cannot be pulled.
    """
    wait_for_service_account(kube, namespace)
    for obj in objects(export, namespace, image, run_id):
        if kube.find(obj["kind"], obj["metadata"]["name"], namespace) is None:
            kube.create(obj)
    try:
        wait_until(
            f"the inspector pod {namespace}/{NAME}",
            lambda: kube.find("Pod", NAME, namespace) or {},
            until=is_ready,
            timeout=timeouts.POD_RUNNING,
            give_up=lambda pod: _failure(kube, namespace, pod),
            describe=summary,
        )
    except WaitTimeout as error:
        pod = kube.find("Pod", NAME, namespace) or {}
        reason = _failure(kube, namespace, pod) or str(error)
        raise BadInput(
            f"--nfs-server {export.server}:{export.path} cannot be used from this cluster: {reason}"
        ) from error
    return export.model_copy(update={"inspector": (namespace, NAME)})


def _failure(kube: Kube, namespace: str, pod: Object) -> str | None:
    """Return why the pod cannot start, or None while it still may."""
    found = obstacle(pod) if pod else None
    if found and "Image" in found.reason:
        return str(found)
    for event in kube.events(namespace, name=NAME):
        if event["reason"] == "FailedMount" and volume_name(namespace) in event["message"]:
            return mount_error(event["message"])
    return None


def mount_error(message: str) -> str:
    """Return what mount(8) printed, from the message of a FailedMount event."""
    said = message.rpartition("Output: ")[2] or message
    return "; ".join(line.strip() for line in said.splitlines() if line.strip())


def pod_inspector(kube: Kube, namespace: str, pod: str, *, own: str) -> ExportInspector:
    """Return the inspector that uses a pod's mount of the export, and changes only `own`."""
    return ExportInspector(
        partial(kube.execute, namespace, pod),
        _MOUNT_POINT,
        f"through the pod {namespace}/{pod}, which mounts it without caching, not on the server",
        own=own,
    )


def nfs_client(kube: Kube, namespace: str) -> str:
    """Return how nodes mount NFS, as the inspector's mount shows: kernel, fuse or unknown."""
    for line in kube.execute(namespace, NAME, ["cat", "/proc/mounts"]).splitlines():
        _, where, kind, *_ = line.split()
        if where == str(_MOUNT_POINT):
            return "fuse" if kind.startswith("fuse") else "kernel"
    return "unknown"
