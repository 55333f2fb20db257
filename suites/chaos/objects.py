"""Pods that the chaos suite makes beside MySQL, on the site's own export."""

import contextlib
import secrets
from collections.abc import Iterator

from landfast.faults.base import Site
from landfast.kube.client import Object
from landfast.waiting import wait_until
from suites.objects import pv, pvc

_GONE_SECONDS = 60
# ends when it is told to: a process 1 without a trap has to be killed
_SLEEP = ["sh", "-c", "trap 'exit 0' TERM; sleep infinity & wait"]


def pod(name: str, node: str, *, claim: str | None = None) -> Object:
    """Give a pod on a node, probed by exec; with a claim it is mounted at /nfs."""
    obj: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeName": node,
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "main",
                    "image": "busybox",
                    "imagePullPolicy": "IfNotPresent",
                    "command": _SLEEP,
                    "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
                }
            ],
        },
    }
    if claim is not None:
        obj["spec"]["volumes"] = [
            {"name": "data", "persistentVolumeClaim": {"claimName": claim}},
        ]
        obj["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/nfs"}]
    return obj


@contextlib.contextmanager
def volume(site: Site) -> Iterator[str]:
    """Give the name of a bound claim with a folder of its own on the export, removed at the end."""
    name = f"beside-{secrets.token_hex(2)}"
    stack = site.stack
    stack.env.inspector.make_folder(stack.folder(name))
    volume = stack.make(pv(name, f"/data/share/{name}", storage_class=name))["metadata"]["name"]
    try:
        stack.make(pvc(name, storage_class=name))
        stack.wait_for_pvc(name)
        yield name
    finally:
        for kind, obj, namespace in (
            ("PersistentVolumeClaim", name, stack.namespace),
            ("PersistentVolume", volume, None),
        ):
            stack.kube.delete(kind, obj, namespace)
            stack.wait_gone(kind, obj, namespace)
        stack.env.inspector.remove(stack.folder(name))


@contextlib.contextmanager
def running(site: Site, obj: Object) -> Iterator[Object]:
    """Give a pod once it is Ready, removed by force at the end if it is still there."""
    stack = site.stack
    made = stack.make(obj)
    name = made["metadata"]["name"]
    try:
        yield stack.wait_for_pod(name, "Running")
    finally:
        stack.kube.delete("Pod", name, stack.namespace, grace_seconds=1)
        stack.wait_gone("Pod", name, stack.namespace, timeout=_GONE_SECONDS)


def wait_ready(site: Site, name: str, *, timeout: float) -> None:
    """Wait until a pod's readiness probe has succeeded."""
    wait_until(
        f"pod {name} to be Ready",
        lambda: site.kube.get("Pod", name, site.stack.namespace),
        until=lambda p: any(
            c["type"] == "Ready" and c["status"] == "True"
            for c in p["status"].get("conditions", [])
        ),
        timeout=timeout,
        describe=lambda p: str(p["status"].get("phase")),
    )


def mounts_of(site: Site, node: str, uid: str) -> list[str]:
    """Give the NFS mounts that a node has for a pod, by the pod's uid."""
    lines = site.on_node(node, "cat", "/proc/mounts").splitlines()
    return [line for line in lines if uid in line and "nfs" in line.split()[2]]
