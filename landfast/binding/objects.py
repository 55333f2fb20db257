"""From a binding case to Kubernetes objects, in names that keep cases apart, and to YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from landfast.binding.model import BindingCase, Create, Delete, Object, ObjectKind, Pv, Pvc
from landfast.kube.client import Object as KubeObject
from landfast.kube.default_classes import MARK

CASE_LABEL = "landfast/binding-case"
KINDS: Mapping[ObjectKind, str] = {
    "pv": "PersistentVolume",
    "pvc": "PersistentVolumeClaim",
    "class": "StorageClass",
}
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"


@dataclass(frozen=True)
class Naming:
    """The names and labels of one binding case's objects.

    The prefix of every name keeps cases apart and the order of names within a case. The server and
    path of the PVs are never mounted.
    """

    prefix: str = ""
    namespace: str = "default"
    case: str = "reproduced"
    labels: Mapping[str, str] = field(default_factory=dict)
    server: str = "192.0.2.1"  # RFC 5737: no host has this address
    path: str = "/export"

    def object(self, obj: Object) -> KubeObject:
        """Return the object as it is sent to the API server."""
        meta: KubeObject = {
            "name": self.prefix + obj.name,
            "labels": {**self.labels, CASE_LABEL: self.case},
        }
        api, content = "v1", KubeObject()
        if isinstance(obj, Pv):
            meta["labels"] |= dict(obj.labels)
            content["spec"] = self._pv_spec(obj)
        elif isinstance(obj, Pvc):
            meta["namespace"] = self.namespace
            if obj.completed:
                meta["annotations"] = {BIND_COMPLETED: "yes"}
            content["spec"] = self._pvc_spec(obj)
        else:
            if obj.default:
                meta["annotations"] = {MARK: "true"}
            api = "storage.k8s.io/v1"
            mode = "WaitForFirstConsumer" if obj.wait_for_first_consumer else "Immediate"
            content = {"provisioner": "landfast/nobody", "volumeBindingMode": mode}
        return {"apiVersion": api, "kind": KINDS[obj.kind], "metadata": meta, **content}

    def _pv_spec(self, pv: Pv) -> KubeObject:
        spec: KubeObject = {
            "capacity": _mebibytes(pv.capacity),
            "accessModes": _plain(pv.modes),
            "storageClassName": self._class(pv.storage_class),
            "volumeMode": pv.volume_mode and str(pv.volume_mode),
            "persistentVolumeReclaimPolicy": "Retain",
            "nfs": {"server": self.server, "path": self.path},
        }
        if pv.claim_ref is not None:
            spec["claimRef"] = {"namespace": self.namespace, "name": self.prefix + pv.claim_ref}
        if pv.nodes is not None:
            values = list(pv.nodes)
            hosts = {"key": "kubernetes.io/hostname", "operator": "In", "values": values}
            terms = [{"matchExpressions": [hosts]}]
            spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
        return _given(spec)

    def _pvc_spec(self, pvc: Pvc) -> KubeObject:
        resources = _given({"requests": _mebibytes(pvc.request)})
        return _given(
            {
                "accessModes": _plain(pvc.modes),
                "resources": resources or None,
                "storageClassName": self._class(pvc.storage_class),
                "volumeMode": pvc.volume_mode and str(pvc.volume_mode),
                "volumeName": None if pvc.volume is None else self.prefix + pvc.volume,
                "selector": self._selector(pvc),
            }
        )

    def _class(self, name: str | None) -> str | None:
        return self.prefix + name if name else name

    def _selector(self, pvc: Pvc) -> KubeObject | None:
        """Add the label of its case's PVs to the selector of a PVC that names no class.

        Otherwise it would see every PV on the cluster that has no class. A selector is a
        conjunction, so it still means the same for the case's own PVs.
        """
        labels = {} if pvc.storage_class else {CASE_LABEL: self.case}
        if pvc.selector is None:
            return {"matchLabels": labels} if labels else None
        return {
            "matchLabels": {**dict(pvc.selector.labels), **labels},
            "matchExpressions": [
                _given({"key": r.key, "operator": r.operator, "values": list(r.values) or None})
                for r in pvc.selector.requirements
            ],
        }


def as_yaml(case: BindingCase) -> str:
    """Return the case as YAML for `kubectl apply`; comments mark its stages and deletions."""
    parts = []
    for number, stage in enumerate(case.stages, start=1):
        parts.append(f"# stage {number}\n")
        for op in stage:
            if isinstance(op, Create):
                parts.append("---\n" + yaml.safe_dump(Naming().object(op.obj), sort_keys=False))
            else:
                parts.append(f"# {_delete_command(op)}\n")
    return "".join(parts)


def _delete_command(op: Delete) -> str:
    where = "-n default " if op.kind == "pvc" else ""
    target = f"{where}{KINDS[op.kind].lower()} {op.name}"
    command = f"kubectl delete {target} --wait=false"
    patch = """-p '{"metadata":{"finalizers":null}}'"""
    return f"{command}; kubectl patch {target} {patch}" if op.force else command


def _mebibytes(size: int | None) -> dict[str, str] | None:
    return None if size is None else {"storage": f"{size}Mi"}


def _plain(values: tuple[str, ...]) -> list[str]:
    """Return plain strings: YAML has no enumerations."""
    return [str(value) for value in values]


def _given(fields: KubeObject) -> KubeObject:
    return {key: value for key, value in fields.items() if value is not None}
