"""The finalizer kubernetes.io/pv-protection: a PV that is bound does not go."""

import pytest

from landfast import timeouts
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import stays_true
from suites.conformance.protection.objects import bound_pvc, run_pod, volume
from suites.objects import files, finalizers, is_terminating, write

FINALIZER = "kubernetes.io/pv-protection"
_STAYS_SECONDS = 2


@pytest.mark.claim("protection.bound-pv-stays")
def test_deleted_pv_serves_its_pvc_and_goes_after_it(stack: Stack, test: Steps) -> None:
    with test.step("bind a PVC to a PV and delete the PV"):
        name = bound_pvc(stack)["spec"]["volumeName"]
        stack.kube.delete("PersistentVolume", name)
    with test.verify(f"the PV stays for {_STAYS_SECONDS} s, and a new pod writes on it"):
        stays_true(
            "that the PV exists, Terminating and Bound, with its finalizer",
            lambda: stack.kube.find("PersistentVolume", name) or {},
            holds=lambda pv: (
                FINALIZER in finalizers(pv)
                and is_terminating(pv)
                and pv["status"]["phase"] == "Bound"
            ),
            seconds=_STAYS_SECONDS,
        )
        run_pod(stack, "user")
        refusal = write(stack, "user", "late.txt")
    test.observe(
        f"{name} is Terminating and Bound; a new pod writes on it: {refusal or 'no error'}"
    )
    assert files(stack) == {"volume/late.txt": "user\n"}, "what the pod wrote is not on the server"
    with test.step("delete the pod and the PVC"):
        stack.kube.delete("Pod", "user", stack.namespace)
        stack.delete("PersistentVolumeClaim", "data")
    with test.verify("the PV is gone after its PVC"):
        stack.wait_gone("PersistentVolume", name, timeout=timeouts.REFUSAL)
    test.observe(f"after the PVC {name} is gone; the server has {files(stack)}")


@pytest.mark.claim("protection.unbound-pv-goes")
def test_deleted_pv_that_is_available_goes_at_once(stack: Stack, test: Steps) -> None:
    with test.step("create a PV and delete it"):
        name = volume(stack)
        held = finalizers(stack.kube.get("PersistentVolume", name))
        stack.kube.delete("PersistentVolume", name)
    with test.verify("it is gone"):
        stack.wait_gone("PersistentVolume", name, timeout=timeouts.REFUSAL)
    test.observe(f"{name} was Available with the finalizers {held}, and is gone")
    assert FINALIZER in held, "the PV was not protected"
