"""Objects to audit, each sound as it is: a case changes what makes it unsound."""

from dataclasses import dataclass
from typing import Any

from landfast.audit.directories import Directory
from landfast.audit.export import ExportView, Orphan
from landfast.audit.findings import Finding
from landfast.audit.inventory import Inventory
from landfast.audit.parsing import parse
from landfast.audit.place import Place
from landfast.audit.rules import audit
from landfast.kube.client import Object

RETAIN: dict[str, Any] = {"reclaimPolicy": "Retain"}
RWX: dict[str, Any] = {"accessModes": ["ReadWriteMany"]}
RWOP: dict[str, Any] = {"accessModes": ["ReadWriteOncePod"]}
NFS: dict[str, Any] = {"storageClassName": "nfs"}
DELETE: dict[str, Any] = {"persistentVolumeReclaimPolicy": "Delete"}
RECYCLE: dict[str, Any] = {"persistentVolumeReclaimPolicy": "Recycle"}
FREE: dict[str, Any] = {"status": {"phase": "Available"}}
SUBDIR = "k8s-sigs.io/nfs-subdir-external-provisioner"
PROVISIONED: Object = {"annotations": {"pv.kubernetes.io/provisioned-by": SUBDIR}}
DEFAULT: Object = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}


def meta(name: str, **more: Any) -> Object:
    return {"name": name, **more}


def pv(name: str, path: str = "", *, metadata: Object | None = None, **spec: Any) -> Object:
    """A volume of 1 GiB under Retain, on a directory of its own."""
    status = spec.pop("status", {})
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": meta(name, **(metadata or {})),
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "nfs": {"server": "nfs", "path": path or f"/exports/{name}"},
            **spec,
        },
        "status": status,
    }


def pvc(name: str, *, metadata: Object | None = None, **spec: Any) -> Object:
    """A claim of 1 GiB without a class."""
    status = spec.pop("status", {})
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "shop", **(metadata or {})},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "",
            **spec,
        },
        "status": status,
    }


def bound(name: str, path: str = "", **spec: Any) -> list[Object]:
    """A volume and the claim that it is bound to."""
    ref = {"namespace": "shop", "name": name}
    status = {"phase": "Bound"}
    volume = pv(name, path, **{"claimRef": ref, "status": status, **spec})
    return [volume, pvc(name, volumeName=name, status=status)]


def storage_class(name: str, *, metadata: Object | None = None, **fields: Any) -> Object:
    """A class of the NFS subdir provisioner that says what becomes of its data."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": meta(name, **(metadata or {})),
        "provisioner": SUBDIR,
        "parameters": {"archiveOnDelete": "true"},
        **fields,
    }


def parameters(**given: Any) -> Object:
    return storage_class("nfs", parameters=given)


def pod_spec(claim: str, image: str = "mysql:8.0") -> Object:
    return {
        "containers": [
            {"image": image, "volumeMounts": [{"name": "data", "mountPath": "/var/lib/mysql"}]}
        ],
        "volumes": [
            {"name": "config", "configMap": {"name": "c"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": claim}},
        ],
    }


def pod(name: str, claim: str, image: str = "mysql:8.0", phase: str = "Running") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, namespace="shop"),
        "spec": pod_spec(claim, image),
        "status": {"phase": phase},
    }


def controller(kind: str, claim: str, image: str = "mysql:8.0", **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": meta("db", namespace="shop"),
        "spec": {"template": {"spec": pod_spec(claim, image)}, **spec},
    }


def statefulset(name: str = "db", image: str = "mysql:8.0", **spec: Any) -> Object:
    """A database with a claim of 1 GiB of the class `nfs` for each of its pods."""
    template = pvc("data", storageClassName="nfs")
    mount = {"name": "data", "mountPath": "/var/lib/mysql"}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta(name, namespace="shop"),
        "spec": {
            "template": {"spec": {"containers": [{"image": image, "volumeMounts": [mount]}]}},
            "volumeClaimTemplates": [{"metadata": meta("data"), "spec": template["spec"]}],
            **spec,
        },
    }


def provisioner(path: str = "/exports", name: str = SUBDIR) -> Object:
    env = {"PROVISIONER_NAME": name, "NFS_SERVER": "nfs", "NFS_PATH": path}
    mounts = [{"name": "root", "mountPath": "/persistentvolumes"}]
    variables = [{"name": key, "value": value} for key, value in env.items()]
    spec = {
        "containers": [{"image": "p", "env": variables, "volumeMounts": mounts}],
        "volumes": [{"name": "root", "nfs": {"server": "nfs", "path": path}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta("provisioner", namespace="nfs-system"),
        "spec": {"template": {"spec": spec}},
    }


def orphans(*paths: str, missing: str = "") -> ExportView:
    """An export, ten days after its orphans were written."""
    found = tuple(Orphan(path, files=2, size=3_000_000, modified=0) for path in paths)
    root = Directory(server="nfs", path="/exports")
    return ExportView(root, frozenset({missing}), found, looked_at=10 * 86400)


def released(policy: str, phase: str = "Released") -> Object:
    status = {"phase": phase, "message": "no deletable volume plugin matched"}
    ref = {"namespace": "shop", "name": "gone"}
    return pv("a", persistentVolumeReclaimPolicy=policy, claimRef=ref, status=status)


def inventory(
    *objects: Object, complete: bool = True, export: ExportView | None = None
) -> Inventory:
    found = (resource for obj in objects for resource in parse(obj, Place()))
    return Inventory(tuple(found), complete=complete, export=export)


def audited(
    *objects: Object, complete: bool = True, export: ExportView | None = None
) -> list[Finding]:
    return audit(inventory(*objects, complete=complete, export=export))


@dataclass(frozen=True)
class Case:
    """Objects in which a rule finds something that says `said`, and some in which it does not."""

    rule: str
    bad: list[Object]
    near: list[Object]
    said: str
    severity: str = "error"
    complete: bool = True
    export: ExportView | None = None
    near_export: ExportView | None = None
