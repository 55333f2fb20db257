"""Upstream's disruptive storage checks without a cloud: kubelet and controller manager restart.

Source: kubernetes/test/e2e/storage, nfs_persistent_volume-disruptive.go and
generic_persistent_volume-disruptive.go.
"""

import pytest

from landfast.errors import LandfastError
from landfast.faults.base import Site
from landfast.faults.control_plane import ControllerManagerKill
from landfast.faults.node_services import KubeletStop
from landfast.faults.processes import container_of
from landfast.steps import Steps
from landfast.waiting import wait_until
from suites.chaos.conftest import Broken
from suites.chaos.marks import scenario
from suites.chaos.objects import bound_pvc, mounts_of, pod_on_nfs, wait_unmounted
from suites.objects import pvc

pytestmark = pytest.mark.xdist_group("chaos")

_READ_SECONDS = 30


@scenario(
    "kubelet-restart-keeps-files",
    "a file on NFS is read after the kubelet's restart",
    seconds=20,
    telling=5,
)
def test_file_is_readable_after_kubelet_restart(site: Site, broken: Broken, test: Steps) -> None:
    node, namespace = site.node(), site.stack.namespace
    with pod_on_nfs(site, node, "reader") as before:
        site.kube.execute(namespace, "reader", ["sh", "-c", "echo kept > /nfs/file"])
        with broken(KubeletStop):
            test.observe("the kubelet is down")
        # once the kubelet knows its pods again
        with test.verify("read the file in the same container"):
            text = wait_until(
                "the file to be read",
                lambda: site.kube.execute(namespace, "reader", ["cat", "/nfs/file"]),
                timeout=_READ_SECONDS,
                ignoring=(LandfastError,),
            )
        after = site.kube.get("Pod", "reader", namespace)
    test.observe(f"the file reads {text.strip()!r}")
    assert text == "kept\n"
    assert container_of(after) == container_of(before), "it is another container"


@scenario("kubelet-down-pod-deleted", "unmounted once the kubelet is back", seconds=20, telling=5)
def test_volume_of_pod_deleted_while_kubelet_is_down_is_unmounted(
    site: Site, broken: Broken, test: Steps
) -> None:
    delete_while_down(site, broken, test, grace_seconds=None)


@scenario(
    "kubelet-down-pod-force-deleted", "unmounted once the kubelet is back", seconds=20, telling=5
)
def test_volume_of_pod_force_deleted_while_kubelet_is_down_is_unmounted(
    site: Site, broken: Broken, test: Steps
) -> None:
    delete_while_down(site, broken, test, grace_seconds=0)


def delete_while_down(
    site: Site, broken: Broken, test: Steps, *, grace_seconds: int | None
) -> None:
    """Delete a pod on NFS while its kubelet is down; later, its mount has to go with it."""
    node, namespace = site.node(), site.stack.namespace
    with pod_on_nfs(site, node, "mounted") as pod:
        uid = pod["metadata"]["uid"]
        before = mounts_of(site, node, uid)
        assert before, "the pod's volume is not among the node's mounts"
        with broken(KubeletStop):
            site.kube.delete("Pod", "mounted", namespace, grace_seconds=grace_seconds)
            test.observe(f"mounted while the kubelet was down: {len(mounts_of(site, node, uid))}")
        with test.verify("the pod and its mount are gone"):
            wait_unmounted(site, node, pod)
        test.observe(f"unmounted: {before[0].split()[1]}")


@scenario(
    "controller-manager-restart-keeps-bindings",
    "bound stays bound, new PVCs bind",
    seconds=10,
    telling=5,
)
def test_bound_pvc_stays_bound_when_the_controller_manager_restarts(
    site: Site, broken: Broken, test: Steps
) -> None:
    kind, namespace = "PersistentVolumeClaim", site.stack.namespace
    with bound_pvc(site) as name:
        before = site.kube.get(kind, name, namespace)
        with broken(ControllerManagerKill):
            test.observe(f"{name} was bound to {before['spec']['volumeName']}")
        after = site.kube.get(kind, name, namespace)
        with test.verify("a new PVC binds"):
            site.stack.make(pvc("made-after"))
            made = site.stack.wait_for_pvc("made-after")
            site.stack.delete(kind, "made-after")
    test.observe(f"it is {after['status']['phase']} to {after['spec']['volumeName']}")
    test.observe(f"a PVC created afterwards was bound to {made['spec']['volumeName']}")
    assert after["status"]["phase"] == "Bound"
    assert after["spec"]["volumeName"] == before["spec"]["volumeName"]
