"""Workloads of every engine and kind, for rules that hold whatever the names and the order."""

from typing import Any

from hypothesis import strategies as st
from objects_to_audit import audited, pv, pvc

from landfast.audit.engines import Engine, Kind, table
from landfast.kube.client import Object

ENGINES = [e for e in table().engines if e.kind is not Kind.FILE_SERVER and e.data]
KINDS = {
    "Pod": "v1",
    "ReplicationController": "v1",
    "ReplicaSet": "apps/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1beta2",
    "DaemonSet": "extensions/v1beta1",
    "DeploymentConfig": "apps.openshift.io/v1",
}
JOBS = {"Job": "batch/v1", "CronJob": "batch/v1beta1"}
MODES = ["ReadWriteOnce", "ReadWriteMany"]
NAMES = st.from_regex(r"\A[a-z][a-z0-9]{0,8}\Z")

engines = st.sampled_from(ENGINES)
kinds = st.sampled_from(sorted(KINDS))
modes = st.lists(st.sampled_from(MODES), min_size=1, max_size=2, unique=True)


def workload(
    kind: str, name: str, engine: Engine | str, claim: str | None, replicas: int = 1, **pod: Any
) -> Object:
    """A workload with a pod at a time, which mounts a PVC where its engine, or image, has data."""
    image, path = (
        (engine, "/files") if isinstance(engine, str) else (engine.images[0], engine.data[0])
    )
    mounts = [{"name": "data", "mountPath": path}] if claim else []
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
    spec: Object = {
        "containers": [{"name": "c", "image": image, "volumeMounts": mounts}],
        "volumes": [volume] if claim else [],
        **pod,
    }
    if kind != "Pod":
        spec = {"replicas": replicas, "strategy": {"type": "Recreate"}, "template": {"spec": spec}}
    if kind in ("Job", "CronJob"):
        spec = {**spec, "parallelism": replicas}
    if kind == "CronJob":
        spec = {"concurrencyPolicy": "Forbid", "jobTemplate": {"spec": spec}}
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": {**KINDS, **JOBS}[kind], "kind": kind, "metadata": metadata, "spec": spec}


def tied(name: str, path: str, access: list[str]) -> list[Object]:
    ref = {"namespace": "shop", "name": name}
    volume = pv(name, path, accessModes=access, claimRef=ref)
    return [volume, pvc(name, accessModes=access, volumeName=name)]


def found(objects: list[Object], rule: str) -> set[tuple[str, str]]:
    hits = [f for f in audited(*objects, complete=False) if f.rule.id == f"audit.{rule}"]
    return {(f.name, str(f.severity)) for f in hits}


two_names = st.lists(NAMES, min_size=2, max_size=2, unique=True)
