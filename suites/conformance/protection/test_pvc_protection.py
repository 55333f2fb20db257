"""The finalizer kubernetes.io/pvc-protection: a pvc that a pod uses does not go."""

import pytest

from landfast.kube.client import Object
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.waiting import stays_true, wait_until
from suites.conformance.protection.objects import bound_pvc, pod, run_pod, wait_until_unschedulable
from suites.objects import files, finalizers, is_terminating, pvc, write

FINALIZER = "kubernetes.io/pvc-protection"
_FOREIGN = "landfast.example/hold"
_STAYS_SECONDS = 2
_GONE_SECONDS = 20


def delete_pvc(stack: Stack) -> None:
    """Ask for the pvc `data` to be deleted."""
    stack.kube.delete("PersistentVolumeClaim", "data", stack.namespace)


def stays_terminating(stack: Stack) -> Object:
    """Watch the pvc `data`, which is being deleted and held by its protection; give it."""
    return stays_true(
        "that the pvc is there, Terminating, with its finalizer",
        lambda: stack.kube.find("PersistentVolumeClaim", "data", stack.namespace) or {},
        holds=lambda found: FINALIZER in finalizers(found) and is_terminating(found),
        seconds=_STAYS_SECONDS,
    )


def wait_until_pvc_is_gone(stack: Stack) -> None:
    """Wait, briefly, until the pvc `data` is no more."""
    stack.wait_gone("PersistentVolumeClaim", "data", stack.namespace, timeout=_GONE_SECONDS)


@pytest.mark.claim("protection.pvc-in-use-stays")
def test_deleted_pvc_serves_its_pod_and_goes_with_it(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("let a pod use a pvc and delete the pvc"):
        bound_pvc(stack)
        run_pod(stack, "user")
        delete_pvc(stack)
    with step(f"watch the pvc for {_STAYS_SECONDS} s"):
        found = stays_terminating(stack)
    observe(f"the pvc is Terminating, {found['status']['phase']}: {finalizers(found)}")
    refusal = write(stack, "user", "late.txt")
    read = stack.kube.execute(stack.namespace, "user", ["cat", "/nfs/late.txt"]).strip()
    observe(f"the pod writes ({refusal or 'no error'}) and reads {read!r}; server: {files(stack)}")
    assert files(stack) == {"volume/late.txt": "user\n"}, "what the pod wrote is not on the server"
    with step("delete the pod"):
        stack.kube.delete("Pod", "user", stack.namespace)
        stack.wait_gone("Pod", "user", stack.namespace)
        wait_until_pvc_is_gone(stack)
    observe("with the pod the pvc is gone")


@pytest.mark.claim("protection.deleted-pvc-takes-no-new-pod")
def test_new_pod_with_a_deleted_pvc_is_not_scheduled(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("let a pod use a pvc, delete the pvc, create another pod with it"):
        bound_pvc(stack)
        run_pod(stack, "user")
        delete_pvc(stack)
        stack.make(pod("late"))
    reason = wait_until_unschedulable(stack, "late")
    observe(f"the scheduler refuses the new pod: {reason}")
    assert 'persistentvolumeclaim "data" is being deleted' in reason, "for another reason"


@pytest.mark.claim("protection.unused-pvc-goes")
def test_deleted_pvc_that_nobody_uses_goes_at_once(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("bind a pvc and delete it"):
        held = finalizers(bound_pvc(stack))
        delete_pvc(stack)
        wait_until_pvc_is_gone(stack)
    observe(f"the Bound pvc had the finalizers {held}, and is gone")
    assert FINALIZER in held, "the pvc was not protected"


@pytest.mark.claim("protection.pvc-of-unscheduled-pod-goes")
def test_deleted_pvc_that_only_an_unscheduled_pod_names_goes(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("bind a pvc, create a pod with it that fits no node, delete the pvc"):
        bound_pvc(stack)
        stack.make(pod("user", nodeSelector={"landfast.example/node": "none"}))
        reason = wait_until_unschedulable(stack, "user")
        delete_pvc(stack)
        wait_until_pvc_is_gone(stack)
    observe(f"the pod waits ({reason}); the pvc that it names is gone")


@pytest.mark.claim("protection.completed-pod-holds-its-pvc")
def test_deleted_pvc_stays_until_its_completed_pod_is_deleted(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("let a pod with a pvc run to its end, and delete the pvc"):
        bound_pvc(stack)
        stack.make(pod("user", ("true",)))
        phase = stack.wait_for_pod("user", "Succeeded")["status"]["phase"]
        delete_pvc(stack)
    with step(f"watch the pvc for {_STAYS_SECONDS} s"):
        found = stays_terminating(stack)
    observe(f"the pod is {phase}; the pvc is Terminating: {finalizers(found)}")
    with step("delete the pod"):
        stack.kube.delete("Pod", "user", stack.namespace)
        wait_until_pvc_is_gone(stack)
    observe("with the pod the pvc is gone")


@pytest.mark.claim("protection.foreign-finalizer-holds")
def test_pvc_with_a_finalizer_of_somebody_else_stays_until_it_is_taken_away(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    held = pvc("data")
    held["metadata"]["finalizers"] = [_FOREIGN]
    try:
        with step("create a pvc with another finalizer, and delete it"):
            stack.make(held)
            delete_pvc(stack)
        left = wait_until(
            "the other finalizer to be the only one",
            lambda: stack.kube.find("PersistentVolumeClaim", "data", stack.namespace) or {},
            until=lambda found: finalizers(found) == [_FOREIGN],
            give_up=lambda found: None if found else "the pvc is gone",
            timeout=_GONE_SECONDS,
        )
        observe(f"unused, the pvc is Terminating, held by {finalizers(left)}")
    finally:
        if stack.kube.find("PersistentVolumeClaim", "data", stack.namespace) is not None:
            free = {"metadata": {"finalizers": None}}
            stack.kube.patch("PersistentVolumeClaim", "data", free, stack.namespace)
    wait_until_pvc_is_gone(stack)
    observe("without it the pvc is gone")
