"""Access modes and read-only: what is enforced on an NFS volume, and what is only a word."""

import pytest

from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from suites.conformance.protection.objects import (
    POD_SECONDS,
    bound_pvc,
    on_node,
    pod,
    run_pod,
    wait_until_unschedulable,
    workers,
)
from suites.objects import files, write

_RWOP = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode"
_READ_ONLY = "Read-only file system"


@pytest.mark.claim("protection.rwo-is-no-lock")
def test_pods_on_two_nodes_write_on_one_read_write_once_volume(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("start a pod on each of two nodes, both with one ReadWriteOnce pvc"):
        bound_pvc(stack, "ReadWriteOnce")
        for number, node in enumerate(workers(stack)):
            stack.make(pod(f"writer-{number}", **on_node(node)))
        pods = [
            stack.wait_for_pod(f"writer-{number}", "Running", timeout=POD_SECONDS)
            for number in range(2)
        ]
    refusals = [write(stack, f"writer-{number}", f"{number}.txt") for number in range(2)]
    where = {seen["spec"]["nodeName"] for seen in pods}
    observe(f"pods run on {sorted(where)} and write: {[r or 'no error' for r in refusals]}")
    observe(f"the server has {files(stack)}")
    assert len(where) == 2, "both pods run on one node"
    assert files(stack) == {"volume/0.txt": "writer-0\n", "volume/1.txt": "writer-1\n"}


@pytest.mark.claim("protection.rwop-is-enforced")
def test_second_pod_with_a_read_write_once_pod_volume_waits_for_the_first(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("start a pod with a ReadWriteOncePod pvc, then another"):
        bound_pvc(stack, "ReadWriteOncePod")
        run_pod(stack, "first")
        stack.make(pod("second"))
    reason = wait_until_unschedulable(stack, "second")
    observe(f"the scheduler refuses the second pod: {reason}")
    assert _RWOP in reason, "for another reason"
    with step("delete the first pod"):
        stack.kube.delete("Pod", "first", stack.namespace)
        second = stack.wait_for_pod("second", "Running", timeout=POD_SECONDS)
    observe(f"then the second one is {second['status']['phase']}")


@pytest.mark.claim("protection.rox-is-not-read-only")
def test_pod_writes_on_a_read_only_many_volume(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("let a pod write on a ReadOnlyMany volume that says no more than that"):
        bound_pvc(stack, "ReadOnlyMany")
        run_pod(stack, "user")
        refusal = write(stack, "user", "data.txt")
    observe(f"the pod writes: {refusal or 'no error'}; the server has {files(stack)}")
    assert files(stack) == {"volume/data.txt": "user\n"}, "the volume is read-only"


@pytest.mark.claim("protection.pv-read-only-is-no-effect")
def test_pod_writes_on_a_volume_whose_nfs_source_says_read_only(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    source = {"server": "192.168.3.133", "path": "/data/share/volume", "readOnly": True}
    with step("let a pod write on a volume with nfs.readOnly"):
        bound_pvc(stack, nfs=source)
        run_pod(stack, "user")
        refusal = write(stack, "user", "data.txt")
    observe(f"the pod writes: {refusal or 'no error'}; the server has {files(stack)}")
    assert files(stack) == {"volume/data.txt": "user\n"}, "the volume is read-only"


@pytest.mark.claim("protection.mount-option-ro-is-enforced")
def test_pod_cannot_write_on_a_volume_with_the_mount_option_ro(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("let a pod write on a volume whose mountOptions have ro"):
        bound_pvc(stack, mountOptions=["ro"])
        run_pod(stack, "user")
        refusal = write(stack, "user", "data.txt")
    observe(f"the pod is told: {refusal or 'no error'}; the server has {files(stack) or 'nothing'}")
    assert _READ_ONLY in refusal, "the pod could write"
    assert files(stack) == {}, "the server has what the pod was refused"


@pytest.mark.claim("protection.pod-read-only-is-enforced")
def test_pod_that_asks_for_read_only_cannot_write(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("let a pod write that names its pvc with readOnly"):
        bound_pvc(stack)
        run_pod(stack, "user", read_only=True)
        refusal = write(stack, "user", "data.txt")
    observe(f"the pod is told: {refusal or 'no error'}; the server has {files(stack) or 'nothing'}")
    assert _READ_ONLY in refusal, "the pod could write"
    assert files(stack) == {}, "the server has what the pod was refused"
