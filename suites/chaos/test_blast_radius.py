"""While NFS stands still: what else on the node does? Nothing that has no volume on it may."""

import time

import pytest

from landfast.faults.base import Site
from landfast.kube.status import is_ready
from landfast.steps import ObserveFunction, StepFunction
from landfast.waiting import WaitTimeout, stays_true, wait_until
from suites.chaos.conftest import Broken
from suites.chaos.objects import mounts_of, pod, running, volume, wait_ready

pytestmark = pytest.mark.xdist_group("chaos")

_NORMAL_SECONDS = 15
_FREED_SECONDS = 60
# longer than kubelet's own status updates and its relist of pods
_FROZEN_SECONDS = 15
_STUCK_SECONDS = 8


def _live_and_die(site: Site, node: str, name: str) -> float:
    """Start a pod without NFS, probe it, run a program in it, delete it; give the seconds."""
    began = time.monotonic()
    site.stack.make(pod(name, node))
    wait_ready(site, name, timeout=_NORMAL_SECONDS)
    site.kube.execute(site.stack.namespace, name, ["true"], timeout=_NORMAL_SECONDS)
    site.kube.delete("Pod", name, site.stack.namespace)
    site.stack.wait_gone("Pod", name, site.stack.namespace, timeout=_NORMAL_SECONDS)
    return time.monotonic() - began


@pytest.mark.claim("chaos.blast-plain-pods-live")
@pytest.mark.scenario(
    name="blast-plain-pods-live",
    expected="pods without NFS start, are probed, exec'd and deleted as ever",
    seconds=30,
    telling=35,
    tier=None,
)
def test_pods_without_nfs_live_and_die_while_nfs_is_frozen(
    site: Site, broken: Broken, step: StepFunction, observe: ObserveFunction
) -> None:
    node = site.node()
    with step("a pod without NFS, in peace"):
        normal = _live_and_die(site, node, "plain-before")
    with broken("nfs-freeze"), step("a pod without NFS, while NFS is frozen"):
        frozen = _live_and_die(site, node, "plain-frozen")
    observe(f"started, probed, exec'd and deleted in {frozen:.1f} s; in peace {normal:.1f} s")
    assert frozen < max(3 * normal, _NORMAL_SECONDS)


@pytest.mark.claim("chaos.blast-kubelet-stays-ready")
@pytest.mark.scenario(
    name="blast-kubelet-stays-ready",
    expected="the kubelet of a node whose NFS is frozen stays Ready",
    seconds=25,
    telling=25,
    tier=None,
)
def test_kubelet_stays_ready_while_nfs_is_frozen(
    site: Site, broken: Broken, step: StepFunction, observe: ObserveFunction
) -> None:
    node = site.node()
    with broken("nfs-freeze"):
        before = _lease(site, node)
        with step(f"look for {_FROZEN_SECONDS} s at the node and at its lease"):
            stays_true(
                f"node {node} Ready",
                lambda: site.kube.get("Node", node),
                holds=is_ready,
                seconds=_FROZEN_SECONDS,
                describe=lambda n: str(n["status"]["conditions"][-1]),
            )
        after = _lease(site, node)
        waiting = _in_uninterruptible_sleep(site, node)
    observe(f"Ready throughout; its lease was renewed at {after} (before: {before})")
    observe(f"{len(waiting)} processes in state D: {', '.join(waiting) or 'none'}")
    assert after != before, "the kubelet did not renew its lease"


@pytest.mark.claim("chaos.blast-nfs-pods-are-freed")
@pytest.mark.scenario(
    name="blast-nfs-pods-are-freed",
    expected="a pod on frozen NFS that is deleted goes once NFS is back, and so does its mount",
    seconds=20,
    telling=25,
    tier=None,
)
def test_deleted_pod_on_frozen_nfs_goes_once_nfs_is_back(
    site: Site, broken: Broken, step: StepFunction, observe: ObserveFunction
) -> None:
    node, namespace = site.node(), site.stack.namespace
    with volume(site) as claim, running(site, pod("on-nfs", node, claim=claim)) as there:
        uid = there["metadata"]["uid"]
        with broken("nfs-freeze"), step("delete it while NFS is frozen"):
            deleted = time.monotonic()
            site.kube.delete("Pod", "on-nfs", namespace)
            try:
                site.stack.wait_gone("Pod", "on-nfs", namespace, timeout=_STUCK_SECONDS)
                stuck = f"it was gone {time.monotonic() - deleted:.1f} s later, still frozen"
            except WaitTimeout:
                stuck = f"it was still there {_STUCK_SECONDS} s later"
        observe(f"deleted while NFS was frozen: {stuck}")
        with step("the pod and its mount go"):
            site.stack.wait_gone("Pod", "on-nfs", namespace, timeout=_FREED_SECONDS)
            wait_until(
                "its mount to be gone",
                lambda: mounts_of(site, node, uid),
                until=lambda mounts: not mounts,
                timeout=_FREED_SECONDS,
            )
        observe(f"gone with its mount {time.monotonic() - deleted:.1f} s after its deletion")


def _lease(site: Site, node: str) -> str:
    return str(site.kube.get("Lease", node, "kube-node-lease")["spec"]["renewTime"])


def _in_uninterruptible_sleep(site: Site, node: str) -> list[str]:
    """Give the names of a node's processes that wait for a disk."""
    listed = site.on_node(node, "sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null || true")
    found = []
    for line in listed.splitlines():
        name, _, rest = line.partition("(")[2].rpartition(")")
        if rest.split()[:1] == ["D"]:
            found.append(name)
    return found
