"""Pods that the chaos suite runs beside MySQL, on the site's own export."""

import contextlib
import secrets
from collections.abc import Iterator

from landfast import timeouts
from landfast.faults.base import Site
from landfast.kube.client import Object
from landfast.waiting import wait_until
from suites.objects import of_pvc, pod, pv, pvc


def pod_on(node: str, name: str, *, pvc_name: str | None = None) -> Object:
    """Return a pod on a node with a readiness probe by exec; its PVC is mounted at /nfs."""
    obj = pod(name, volume=of_pvc(pvc_name) if pvc_name else None, nodeName=node)
    (container,) = obj["spec"]["containers"]
    container["readinessProbe"] = {"exec": {"command": ["true"]}, "periodSeconds": 1}
    return obj


@contextlib.contextmanager
def bound_pvc(site: Site) -> Iterator[str]:
    """Create a bound PVC with its own folder on the export, and yield the PVC's name."""
    name = f"beside-{secrets.token_hex(2)}"
    stack = site.stack
    stack.export.make_folder(name)
    volume = stack.make(pv(name, f"/data/share/{name}", storage_class=name))["metadata"]["name"]
    try:
        stack.make(pvc(name, storage_class=name))
        stack.wait_for_pvc(name)
        yield name
    finally:
        stack.delete("PersistentVolumeClaim", name)
        stack.delete("PersistentVolume", volume)
        stack.export.remove(name)


@contextlib.contextmanager
def pod_on_nfs(site: Site, node: str, name: str) -> Iterator[Object]:
    """Create a pod with its own PVC at /nfs, yield it once it is Running, and remove both."""
    with bound_pvc(site) as pvc_name:
        site.stack.make(pod_on(node, name, pvc_name=pvc_name))
        try:
            yield site.stack.wait_for_pod(name, "Running")
        finally:
            site.stack.delete("Pod", name, grace_seconds=1)


def mounts_of(site: Site, node: str, uid: str) -> list[str]:
    """Return the NFS mounts that a node has for a pod, by the pod's uid."""
    lines = site.on_node(node, "cat", "/proc/mounts").splitlines()
    return [line for line in lines if uid in line and "nfs" in line.split()[2]]


def wait_unmounted(site: Site, node: str, pod: Object) -> None:
    """Wait until a pod and its NFS mounts on a node are gone."""
    meta = pod["metadata"]
    site.stack.wait_gone("Pod", meta["name"], site.stack.namespace)
    wait_until(
        f"the mounts of pod {meta['name']} to be gone",
        lambda: mounts_of(site, node, meta["uid"]),
        until=lambda mounts: not mounts,
        timeout=timeouts.GONE,
    )
