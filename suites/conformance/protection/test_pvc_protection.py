"""The finalizer kubernetes.io/pvc-protection: a PVC that a pod uses does not go."""

import pytest

from landfast import timeouts
from landfast.kube.client import Object
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import stays_true, wait_until
from suites.conformance.protection.objects import bound_pvc, pod, run_pod, wait_until_unschedulable
from suites.objects import files, finalizers, is_terminating, pvc, write

FINALIZER = "kubernetes.io/pvc-protection"
_FOREIGN = "landfast.example/hold"
_STAYS_SECONDS = 2


def delete_pvc(stack: Stack) -> None:
    stack.kube.delete("PersistentVolumeClaim", "data", stack.namespace)


def stays_terminating(stack: Stack) -> Object:
    """Watch PVC `data`, which is being deleted and held by its protection; return it."""
    return stays_true(
        "that the PVC exists, Terminating, with its finalizer",
        lambda: stack.kube.find("PersistentVolumeClaim", "data", stack.namespace) or {},
        holds=lambda found: FINALIZER in finalizers(found) and is_terminating(found),
        seconds=_STAYS_SECONDS,
    )


def verify_that_it_goes(stack: Stack, test: Steps) -> None:
    with test.verify("the PVC goes"):
        stack.wait_gone("PersistentVolumeClaim", "data", stack.namespace, timeout=timeouts.REFUSAL)


@pytest.mark.claim("protection.pvc-in-use-stays")
def test_deleted_pvc_serves_its_pod_and_goes_with_it(stack: Stack, test: Steps) -> None:
    with test.step("let a pod use a PVC and delete the PVC"):
        bound_pvc(stack)
        run_pod(stack, "user")
        delete_pvc(stack)
    with test.verify(f"the PVC stays for {_STAYS_SECONDS} s, and the pod writes and reads"):
        found = stays_terminating(stack)
        refusal = write(stack, "user", "late.txt")
        read = stack.kube.execute(stack.namespace, "user", ["cat", "/nfs/late.txt"]).strip()
    test.observe(f"the PVC is Terminating, {found['status']['phase']}: {finalizers(found)}")
    test.observe(
        f"the pod writes ({refusal or 'no error'}) and reads {read!r}; server: {files(stack)}"
    )
    assert files(stack) == {"volume/late.txt": "user\n"}, "what the pod wrote is not on the server"
    with test.step("delete the pod"):
        stack.delete("Pod", "user")
    verify_that_it_goes(stack, test)
    test.observe("the PVC is gone with the pod")


@pytest.mark.claim("protection.deleted-pvc-takes-no-new-pod")
def test_new_pod_with_a_deleted_pvc_is_not_scheduled(stack: Stack, test: Steps) -> None:
    with test.step("let a pod use a PVC, delete the PVC, create another pod with it"):
        bound_pvc(stack)
        run_pod(stack, "user")
        delete_pvc(stack)
        stack.make(pod("late"))
    with test.verify("the scheduler refuses the new pod"):
        reason = wait_until_unschedulable(stack, "late")
    test.observe(f"the scheduler refuses the new pod: {reason}")
    assert 'persistentvolumeclaim "data" is being deleted' in reason, "for another reason"


@pytest.mark.claim("protection.unused-pvc-goes")
def test_deleted_pvc_that_nobody_uses_goes_at_once(stack: Stack, test: Steps) -> None:
    with test.step("bind a PVC and delete it"):
        held = finalizers(bound_pvc(stack))
        delete_pvc(stack)
    verify_that_it_goes(stack, test)
    test.observe(f"the Bound PVC had the finalizers {held}, and is gone")
    assert FINALIZER in held, "the PVC was not protected"


@pytest.mark.claim("protection.pvc-of-unscheduled-pod-goes")
def test_deleted_pvc_that_only_an_unscheduled_pod_names_goes(stack: Stack, test: Steps) -> None:
    with test.step("bind a PVC, create a pod with it that fits no node, delete the PVC"):
        bound_pvc(stack)
        stack.make(pod("user", nodeSelector={"landfast.example/node": "none"}))
        reason = wait_until_unschedulable(stack, "user")
        delete_pvc(stack)
    verify_that_it_goes(stack, test)
    test.observe(f"the pod waits ({reason}); the PVC that it names is gone")


@pytest.mark.claim("protection.completed-pod-holds-its-pvc")
def test_deleted_pvc_stays_until_its_completed_pod_is_deleted(stack: Stack, test: Steps) -> None:
    with test.step("let a pod with a PVC run to its end, and delete the PVC"):
        bound_pvc(stack)
        stack.make(pod("user", ("true",)))
        phase = stack.wait_for_pod("user", "Succeeded")["status"]["phase"]
        delete_pvc(stack)
    with test.verify(f"the PVC stays for {_STAYS_SECONDS} s"):
        found = stays_terminating(stack)
    test.observe(f"the pod is {phase}; the PVC is Terminating: {finalizers(found)}")
    with test.step("delete the pod"):
        stack.kube.delete("Pod", "user", stack.namespace)
    verify_that_it_goes(stack, test)
    test.observe("the PVC is gone with the pod")


@pytest.mark.claim("protection.foreign-finalizer-holds")
def test_pvc_with_another_finalizer_stays_until_that_is_removed(stack: Stack, test: Steps) -> None:
    held = pvc("data")
    held["metadata"]["finalizers"] = [_FOREIGN]
    try:
        with test.step("create a PVC with another finalizer, and delete it"):
            stack.make(held)
            delete_pvc(stack)
        with test.verify("the other finalizer alone holds it"):
            left = wait_until(
                "the other finalizer to be the only one",
                lambda: stack.kube.find("PersistentVolumeClaim", "data", stack.namespace) or {},
                until=lambda found: finalizers(found) == [_FOREIGN],
                give_up=lambda found: None if found else "the PVC is gone",
                timeout=timeouts.REFUSAL,
            )
        test.observe(f"unused, the PVC is Terminating, held by {finalizers(left)}")
    finally:
        if stack.kube.find("PersistentVolumeClaim", "data", stack.namespace) is not None:
            free = {"metadata": {"finalizers": None}}
            stack.kube.patch("PersistentVolumeClaim", "data", free, stack.namespace)
    verify_that_it_goes(stack, test)
    test.observe("without it the PVC is gone")
