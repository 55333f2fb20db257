"""While NFS is frozen, nothing on the node may be affected that has no volume on NFS."""

import time

import pytest

from landfast.faults.base import Site
from landfast.faults.nfs_server import NfsFreeze
from landfast.faults.node_health import lease_of
from landfast.kube.status import is_ready
from landfast.steps import Steps
from landfast.waiting import WaitTimeout, stays_true, wait_until
from suites.chaos.conftest import Broken
from suites.chaos.marks import scenario
from suites.chaos.objects import pod_on, pod_on_nfs, wait_unmounted

pytestmark = pytest.mark.xdist_group("chaos")

_NORMAL_SECONDS = 15  # of each step in a pod's life
# longer than the kubelet takes to renew its lease, shorter than the lease of NFS clients
_FROZEN_SECONDS = 11
_STUCK_SECONDS = 8


def _live_and_die(site: Site, node: str, name: str) -> float:
    """Start a pod without NFS, probe it, exec in it, delete it; return the seconds it took."""
    began, namespace = time.monotonic(), site.stack.namespace
    site.stack.make(pod_on(node, name))
    wait_until(
        f"pod {name} to be Ready",
        lambda: site.kube.get("Pod", name, namespace),
        until=is_ready,
        timeout=_NORMAL_SECONDS,
        describe=lambda pod: str(pod["status"].get("phase")),
    )
    site.kube.execute(namespace, name, ["true"], timeout=_NORMAL_SECONDS)
    site.kube.delete("Pod", name, namespace)
    site.stack.wait_gone("Pod", name, namespace, timeout=_NORMAL_SECONDS)
    return time.monotonic() - began


@scenario(
    "blast-plain-pods-live",
    "pods without NFS start, are probed, exec'd and deleted as usual",
    seconds=30,
    telling=35,
)
def test_pods_without_nfs_live_and_die_while_nfs_is_frozen(
    site: Site, broken: Broken, test: Steps
) -> None:
    node = site.node()
    with test.step("a pod without NFS, before the freeze"):
        normal = _live_and_die(site, node, "plain-before")
    with broken(NfsFreeze), test.verify("a pod without NFS, while NFS is frozen"):
        frozen = _live_and_die(site, node, "plain-frozen")
    test.observe(f"started, probed, exec'd and deleted in {frozen:.1f} s; before, {normal:.1f} s")
    assert frozen < max(3 * normal, _NORMAL_SECONDS)


@scenario(
    "blast-kubelet-stays-ready",
    "the kubelet of a node whose NFS is frozen stays Ready",
    seconds=25,
    telling=25,
)
def test_kubelet_stays_ready_while_nfs_is_frozen(site: Site, broken: Broken, test: Steps) -> None:
    node = site.node()
    with broken(NfsFreeze):
        before = lease_of(site, node)
        with test.step(f"watch the node for {_FROZEN_SECONDS} s"):
            stays_true(
                f"node {node} Ready",
                lambda: site.kube.get("Node", node),
                holds=is_ready,
                seconds=_FROZEN_SECONDS,
                describe=lambda n: str(n["status"]["conditions"][-1]),
            )
        after = lease_of(site, node)
        waiting = _in_uninterruptible_sleep(site, node)
    test.observe(f"Ready throughout; its lease was renewed at {after} (before: {before})")
    test.observe(f"{len(waiting)} processes in state D: {', '.join(waiting) or 'none'}")
    assert after != before, "the kubelet did not renew its lease"


@scenario(
    "blast-nfs-pods-are-freed",
    "a pod that is deleted while its NFS is frozen goes once NFS is back, with its mount",
    seconds=20,
    telling=25,
)
def test_deleted_pod_on_frozen_nfs_goes_once_nfs_is_back(
    site: Site, broken: Broken, test: Steps
) -> None:
    node, namespace = site.node(), site.stack.namespace
    with pod_on_nfs(site, node, "on-nfs") as pod:
        with broken(NfsFreeze), test.step("delete it while NFS is frozen"):
            deleted = time.monotonic()
            site.kube.delete("Pod", "on-nfs", namespace)
            try:
                site.stack.wait_gone("Pod", "on-nfs", namespace, timeout=_STUCK_SECONDS)
                stuck = f"it was gone after {time.monotonic() - deleted:.1f} s"
            except WaitTimeout:
                stuck = f"it was still there after {_STUCK_SECONDS} s"
        test.observe(f"deleted while NFS was frozen: {stuck}")
        with test.verify("the pod and its mount are gone"):
            wait_unmounted(site, node, pod)
        test.observe(f"gone with its mount {time.monotonic() - deleted:.1f} s after its deletion")


def _in_uninterruptible_sleep(site: Site, node: str) -> list[str]:
    """Return the names of a node's processes that wait for a disk."""
    listed = site.on_node(node, "ps", "-eo", "state=,comm=").splitlines()
    return [line.partition(" ")[2] for line in listed if line.startswith("D")]
