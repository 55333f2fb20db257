"""Objects that several suites create, in the reference's own names (`Stack.fit` fits them)."""

import shlex
from collections.abc import Sequence
from typing import Any

from landfast.kube.client import Object
from landfast.manifests import load
from landfast.stack import Change, Stack
from landfast.verdict import MissingCapability
from landfast.waiting import stays_true

HOSTNAME = "kubernetes.io/hostname"
SLEEP = ("sh", "-c", "trap 'exit 0' TERM; sleep infinity & wait")
"""Runs until it is asked to end; process 1 without a trap would have to be killed."""


def shell(script: str) -> tuple[str, ...]:
    return "sh", "-c", script


def with_spec(obj: Object, **fields: Any) -> Object:
    return {**obj, "spec": {**obj["spec"], **fields}}


def patched(kinds: str, patch: Object) -> Change:
    """Return the change that merges a JSON merge patch into objects of a kind, or of several."""
    return lambda obj: _merged(obj, patch) if obj["kind"] in kinds.split() else obj


def _merged(obj: Object, patch: Object) -> Object:
    merged = dict(obj)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            nested = isinstance(value, dict)
            merged[key] = _merged(merged.get(key) or {}, value) if nested else value
    return merged


def pod(
    name: str,
    argv: Sequence[str] = SLEEP,
    *,
    volume: Object | None,
    uid: int | None = None,
    image: str = "busybox:latest",
    **spec: Any,
) -> Object:
    """Return the reference's test pod with another name and program; it is gone 1 s after deletion.

    `volume` is mounted at /nfs (`of_pvc("data")`), `uid` is who it runs as, `image` is one of the
    reference's, `spec` has further fields of its spec.
    """
    (obj,) = load("pod")
    obj["metadata"]["name"] = name
    (container,) = obj["spec"]["containers"]
    container["image"] = image
    container["command"], container["args"] = [argv[0]], [*argv[1:]]
    obj["spec"]["volumes"] = [] if volume is None else [{"name": "nfs-pvc", **volume}]
    if volume is None:
        del container["volumeMounts"]
    if uid is not None:
        obj["spec"]["securityContext"] = {"runAsUser": uid, "runAsGroup": uid}
    return with_spec(obj, terminationGracePeriodSeconds=1, **spec)


def of_pvc(name: str, *, read_only: bool = False) -> Object:
    """Return a pod's volume that is a PVC's."""
    return {"persistentVolumeClaim": {"claimName": name, "readOnly": read_only}}


def pv(
    name: str,
    path: str,
    *,
    policy: str = "Retain",
    storage_class: str | None = "nfs-ssd",
    **spec: Any,
) -> Object:
    """Return `nfs-pv` with another name, folder, policy and class; None is no class."""
    (obj,) = load("pv")
    obj["metadata"]["name"] = name
    fields = {"persistentVolumeReclaimPolicy": policy, "storageClassName": storage_class}
    obj = _merged(obj, {"spec": {**fields, "nfs": {"path": path}}})
    return with_spec(obj, **spec)


def pvc(name: str, *, storage_class: str | None = "nfs-ssd", **spec: Any) -> Object:
    """Return `nfs-pvc` with another name and class, and without its selector; None is no class."""
    (obj,) = load("pvc")
    obj["metadata"] = {"name": name}
    obj = _merged(obj, {"spec": {"selector": None, "storageClassName": storage_class}})
    return with_spec(obj, **spec)


def prepare(stack: Stack, volume: Object) -> str:
    """Create a PV, wait until it is Available, and return its name.

    A PVC created before that is looked at again only 15 s later (kube-controller-manager's
    --pvclaimbinder-sync-period): one that must not bind would seem to pass.
    """
    name = str(stack.make(volume)["metadata"]["name"])
    stack.wait_for_pv(name, "Available")
    return name


def stays_pending(stack: Stack, name: str, *, seconds: float) -> None:
    """Watch for a while that a PVC is Pending.

    Raises:
        NotStable: it is not.
    """
    stays_true(
        f"that PVC {name} is Pending",
        lambda: stack.kube.get("PersistentVolumeClaim", name, stack.namespace)["status"],
        holds=lambda status: status["phase"] == "Pending",
        seconds=seconds,
    )


def schedulable(stack: Stack) -> list[Object]:
    """Return the nodes that the run's pods are scheduled to."""
    return [n for n in stack.kube.list("Node") if stack.env.cluster.placement.takes(n)]


def workers(stack: Stack) -> list[str]:
    """Return the host name labels of two nodes that pods are scheduled to.

    Raises:
        MissingCapability: the cluster does not have two.
    """
    names = [node["metadata"]["labels"][HOSTNAME] for node in schedulable(stack)]
    if len(names) < 2:
        raise MissingCapability("cluster.two-workers", f"pods are scheduled only to {names}")
    return sorted(names)[:2]


def on_node(hostname: str) -> Object:
    """Return the field of a pod's spec that sends it to one node, through the scheduler."""
    return {"nodeSelector": {HOSTNAME: hostname}}


def run_to_its_end(stack: Stack, obj: Object) -> str:
    """Run a pod, remove it, and return its output.

    Raises:
        PodCannotStart: the cluster does not start it.
        WaitTimeout: it fails, or does not end in time.
    """
    name = obj["metadata"]["name"]
    stack.make(obj)
    try:
        stack.wait_for_pod(name, "Succeeded")
        return stack.kube.logs(stack.namespace, name).strip()
    finally:
        stack.kube.delete("Pod", name, stack.namespace, grace_seconds=0)


def write(stack: Stack, pod_name: str, file: str) -> str:
    """Let a pod write a file below /nfs; return what its shell complains of, "" if it could."""
    target = shlex.quote(f"/nfs/{file}")
    script = f"{{ echo {shlex.quote(pod_name)} > {target}; }} 2>&1 || true"
    return stack.kube.execute(stack.namespace, pod_name, shell(script)).strip()


def files(stack: Stack) -> dict[str, str]:
    """Return the text of every file in the stack's part of the export, by path in it."""
    entries = stack.export.list().values()
    return {entry.path: stack.export.read(entry.path) for entry in entries if entry.type == "file"}


def finalizers(obj: Object) -> list[str]:
    """Return what holds an object; nothing holds one that does not exist (`{}`)."""
    held: list[str] = obj.get("metadata", {}).get("finalizers", [])
    return held


def is_terminating(obj: Object) -> bool:
    """Say whether an object was asked to be deleted and is held by a finalizer."""
    return "deletionTimestamp" in obj["metadata"]
