"""Access modes and read-only: what is enforced on an NFS volume, and what is only a word."""

from typing import Any

import pytest

from landfast import timeouts
from landfast.stack import Stack
from landfast.steps import Steps
from suites.conformance.protection.objects import (
    bound_pvc,
    pod,
    run_pod,
    wait_until_unschedulable,
)
from suites.objects import files, on_node, workers, write

_RWOP = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode"
_READ_ONLY = "Read-only file system"


@pytest.mark.claim("protection.rwo-is-no-lock")
def test_pods_on_two_nodes_write_on_one_read_write_once_volume(stack: Stack, test: Steps) -> None:
    with test.step("create a pod for each of two nodes, both with one ReadWriteOnce PVC"):
        bound_pvc(stack, "ReadWriteOnce")
        for number, node in enumerate(workers(stack)):
            stack.make(pod(f"writer-{number}", **on_node(node)))
    with test.verify("both pods start and write"):
        pods = [
            stack.wait_for_pod(f"writer-{number}", "Running", timeout=timeouts.POD_UNDER_TEST)
            for number in range(2)
        ]
        refusals = [write(stack, f"writer-{number}", f"{number}.txt") for number in range(2)]
    where = {seen["spec"]["nodeName"] for seen in pods}
    test.observe(f"pods run on {sorted(where)} and write: {[r or 'no error' for r in refusals]}")
    test.observe(f"the server has {files(stack)}")
    assert len(where) == 2, "both pods run on one node"
    assert files(stack) == {"volume/0.txt": "writer-0\n", "volume/1.txt": "writer-1\n"}


@pytest.mark.claim("protection.rwop-is-enforced")
def test_second_pod_with_a_read_write_once_pod_volume_waits_for_the_first(
    stack: Stack, test: Steps
) -> None:
    with test.step("start a pod with a ReadWriteOncePod PVC, then create another"):
        bound_pvc(stack, "ReadWriteOncePod")
        run_pod(stack, "first")
        stack.make(pod("second"))
    with test.verify("the scheduler refuses the second pod"):
        reason = wait_until_unschedulable(stack, "second")
    test.observe(f"the scheduler refuses the second pod: {reason}")
    assert _RWOP in reason, "for another reason"
    with test.step("delete the first pod"):
        stack.kube.delete("Pod", "first", stack.namespace)
    with test.verify("the second one starts"):
        second = stack.wait_for_pod("second", "Running", timeout=timeouts.POD_UNDER_TEST)
    test.observe(f"then the second one is {second['status']['phase']}")


def write_on(
    stack: Stack, test: Steps, what: str, *pvc_mode: str, read_only: bool = False, **pv: Any
) -> str:
    """Let a pod write data.txt on a new volume; return what its shell complains of."""
    with test.step(f"let a pod write on {what}"):
        bound_pvc(stack, *pvc_mode, **pv)
        run_pod(stack, "user", read_only=read_only)
        refusal = write(stack, "user", "data.txt")
    test.observe(
        f"the pod writes: {refusal or 'no error'}; the server has {files(stack) or 'nothing'}"
    )
    return refusal


def expect_refused(stack: Stack, refusal: str) -> None:
    """Hold that the pod could not write, and that the server has nothing."""
    assert _READ_ONLY in refusal, "the pod could write"
    assert files(stack) == {}, "the server has what the pod was refused"


@pytest.mark.claim("protection.rox-is-not-read-only")
def test_pod_writes_on_a_read_only_many_volume(stack: Stack, test: Steps) -> None:
    write_on(stack, test, "a volume that is only ReadOnlyMany", "ReadOnlyMany")
    assert files(stack) == {"volume/data.txt": "user\n"}, "the volume is read-only"


@pytest.mark.claim("protection.pv-read-only-is-no-effect")
def test_pod_writes_on_a_volume_whose_nfs_source_says_read_only(stack: Stack, test: Steps) -> None:
    nfs = {"server": "192.168.3.133", "path": "/data/share/volume", "readOnly": True}
    write_on(stack, test, "a volume with nfs.readOnly", nfs=nfs)
    assert files(stack) == {"volume/data.txt": "user\n"}, "the volume is read-only"


@pytest.mark.claim("protection.mount-option-ro-is-enforced")
def test_pod_cannot_write_on_a_volume_with_the_mount_option_ro(stack: Stack, test: Steps) -> None:
    refusal = write_on(stack, test, "a volume with the mount option ro", mountOptions=["ro"])
    expect_refused(stack, refusal)


@pytest.mark.claim("protection.pod-read-only-is-enforced")
def test_pod_that_asks_for_read_only_cannot_write(stack: Stack, test: Steps) -> None:
    refusal = write_on(stack, test, "a PVC that it names with readOnly", read_only=True)
    expect_refused(stack, refusal)
