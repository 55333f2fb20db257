"""For every claim of the suite, one change that makes it untrue; the class is the reference's."""

import contextlib
import copy
from collections.abc import Iterator

from fixtures.sabotage import Sabotage, Target
from landfast.kube.client import Object
from suites.conformance.protection.sabotage import strip_finalizers
from suites.sabotages import (
    Apply,
    before,
    changed,
    execute_on_server,
    of_class,
    own_server,
    uses,
    without_effect,
    written,
)

_PVS = "PersistentVolume"


def own_volumes(target: Target) -> list[Object]:
    """Return the PVs of PVCs in the stack's namespaces."""
    return [
        pv
        for pv in target.stack.kube.list(_PVS)
        if pv["spec"].get("claimRef", {}).get("namespace", "").startswith(target.stack.namespace)
    ]


def patch_volumes(spec: Object) -> Apply:
    """Patch the PVs just before each pod is created."""
    return before("create", "Pod", lambda target, _name: patch_own(target, spec))


def patch_own(target: Target, spec: Object) -> None:
    for pv in own_volumes(target):
        target.stack.kube.patch(_PVS, pv["metadata"]["name"], {"spec": spec})


def close_directories(target: Target, _name: str) -> None:
    for pv in own_volumes(target):
        execute_on_server(target, "chmod", "700", pv["spec"]["nfs"]["path"])


def shorten_file(target: Target, _name: str) -> None:
    """Cut what a pod has written, on the server."""
    for pv in own_volumes(target):
        path = f"{pv['spec']['nfs']['path']}/file"
        execute_on_server(target, "sh", "-c", f"[ ! -e {path} ] || truncate -s 1M {path}")


def local_directory(obj: Object) -> Object:
    """Give MySQL and other sets an emptyDir in place of their volume."""
    if obj["kind"] != "StatefulSet":
        return obj
    spec = {key: value for key, value in obj["spec"].items() if key != "volumeClaimTemplates"}
    names = [t["metadata"]["name"] for t in obj["spec"]["volumeClaimTemplates"]]
    pods = spec["template"]["spec"] | {"volumes": [{"name": n, "emptyDir": {}} for n in names]}
    return {**obj, "spec": {**spec, "template": {**spec["template"], "spec": pods}}}


@contextlib.contextmanager
def starved_server(target: Target) -> Iterator[None]:
    """Leave the NFS server 5 ms of each 100 ms of a processor, once a pod measures."""
    engine, server = own_server(target)
    with before("execute", "Pod", lambda *_: engine.limit_cpu(server, quota=5000))(target):
        try:
            yield
        finally:
            engine.limit_cpu(server, quota=-1)


def slow_commits(obj: Object) -> Object:
    """Let MySQL wait 0.1 s before each commit."""
    if obj["kind"] != "StatefulSet":
        return obj
    slow = copy.deepcopy(obj)
    for container in slow["spec"]["template"]["spec"]["containers"]:
        container["args"].append("--loose-binlog-group-commit-sync-delay=100000")
    return slow


def _mounted(*options: str) -> Apply:
    return written("StorageClass", {"mountOptions": [*options]})


def _pvc(**spec: object) -> Apply:
    return written("PersistentVolumeClaim", {"spec": spec})


_REFUSED = Sabotage("the PVC has a selector, which the provisioner refuses", _pvc(selector={}))
_LOCAL = Sabotage("the pods have an emptyDir in place of the volume", uses(emptyDir={}))
_READ_ONLY = Sabotage(
    "the pod may only read its volume",
    uses(persistentVolumeClaim={"claimName": "data", "readOnly": True}),
)
_STARVED = Sabotage("the server has a twentieth of a processor", starved_server)
_NO_LOCKS = Sabotage("the class mounts with nolock", _mounted("nolock"))
_RETAINED = {"persistentVolumeReclaimPolicy": "Retain"}

SABOTAGES = {
    "storageclass.provisions-in-time": _REFUSED,
    "storageclass.binding-mode-is-kept": _REFUSED,
    "storageclass.names-of-every-character": _REFUSED,
    "storageclass.pv-fits-the-pvc": Sabotage(
        "the PVC asks for ReadWriteOnce", _pvc(accessModes=["ReadWriteOnce"])
    ),
    "storageclass.two-pvcs-two-directories": Sabotage(
        "the class puts all volumes into one directory", of_class(pathPattern="shared")
    ),
    "storageclass.policy-is-kept": Sabotage(
        "the PV is made Retain before its PVC is deleted",
        before("delete", "PersistentVolumeClaim", lambda t, _name: patch_own(t, _RETAINED)),
    ),
    "storageclass.deleted-namespace-leaks-nothing": Sabotage(
        "the PV is made Retain before the namespace is deleted",
        before("delete", "Namespace", lambda t, _name: patch_own(t, _RETAINED)),
    ),
    "storageclass.expansion-is-done-or-refused": Sabotage(
        "the class allows an expansion that nobody carries out",
        written("StorageClass", {"allowVolumeExpansion": True}),
    ),
    "storageclass.nothing-is-lost-beyond-the-size": Sabotage(
        "the server cuts the file before it is read", before("delete", "Pod", shorten_file)
    ),
    "storageclass.mount-options-on-every-node": Sabotage(
        "the PV loses its mountOptions", patch_volumes({"mountOptions": ["nfsvers=4"]})
    ),
    "storageclass.mount-is-hard": Sabotage("the class mounts soft", _mounted("soft")),
    "storageclass.locks-reach-the-server": _NO_LOCKS,
    "storageclass.mysqls-user-can-write": Sabotage(
        "only root may enter the directory", before("create", "Pod", close_directories)
    ),
    "storageclass.root-can-give-files-away": Sabotage(
        "the pod does not run as root",
        written("Pod", {"spec": {"securityContext": {"runAsUser": 1000}}}),
    ),
    "storageclass.open-file-outlives-a-rename": _READ_ONLY,
    "storageclass.appends-are-whole": _READ_ONLY,
    "storageclass.offsets-beyond-4-gib": _READ_ONLY,
    "storageclass.long-names": _READ_ONLY,
    "storageclass.links-and-pipes": _READ_ONLY,
    "storageclass.synced-data-is-read-elsewhere": _LOCAL,
    "storageclass.exclusive-creation-is-exclusive": _LOCAL,
    "storageclass.lock-excludes-another-node": _NO_LOCKS,
    "storageclass.lock-excludes-the-same-node": _LOCAL,
    "storageclass.lock-is-freed-after-its-holder": Sabotage(
        "deleting the holder has no effect", without_effect("delete", "Pod")
    ),
    "storageclass.read-write-once-pod-excludes": Sabotage(
        "the PVC is ReadWriteMany", _pvc(accessModes=["ReadWriteMany"])
    ),
    "storageclass.data-survives-its-pod": _LOCAL,
    "storageclass.data-survives-a-forced-deletion": _LOCAL,
    "storageclass.data-survives-its-statefulset": Sabotage(
        "the set deletes its PVC with itself",
        written(
            "StatefulSet",
            {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}},
        ),
    ),
    "storageclass.deletion-waits-for-the-writer": Sabotage(
        "the PVC is deleted without its finalizer", strip_finalizers("PersistentVolumeClaim")
    ),
    "storageclass.fsync-is-fast": _STARVED,
    "storageclass.reads-are-fast": _STARVED,
    "storageclass.large-directories-are-fast": _READ_ONLY,
    "storageclass.commits-are-fast": Sabotage(
        "MySQL waits 0.1 s before each commit", changed(slow_commits, later=True)
    ),
    "storageclass.mysql-keeps-its-rows": Sabotage(
        "MySQL's data directory is an emptyDir", changed(local_directory, later=True)
    ),
}
