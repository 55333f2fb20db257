"""Steps 15 and 16: class names decide what binds, whether such a class exists or not."""

import pytest

from landfast import timeouts
from landfast.kube.default_classes import default_classes
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import wait_until
from suites.objects import prepare, pv, pvc, stays_pending

_STAYS_SECONDS = 3


@pytest.mark.xdist_group("default-class")
@pytest.mark.claim("walkthrough.no-class-binds")
def test_pv_and_pvc_without_a_class_bind(stack: Stack, test: Steps) -> None:
    # where a default class exists, a PVC that names none would get it; "" is no class, too
    default = [obj["metadata"]["name"] for obj in default_classes(stack.kube)]
    none = "" if default else None
    # every PVC without a class can bind a PV without one: the label keeps other tests' apart
    ours = {"landfast/stack": stack.overlay.labels["landfast/stack"]}
    with test.step("create a PV and a PVC that name no class"):
        volume = prepare(stack, pv("volume", "/data/share/volume", storage_class=None))
        stack.make(pvc("data", storage_class=none, selector={"matchLabels": ours}))
    with test.verify("the PVC becomes Bound"):
        bound = stack.wait_for_pvc("data", timeout=timeouts.REFUSAL)
    test.observe(f"default classes: {default or 'none'}; the PVC's storageClassName is {none!r}")
    test.observe(f"it is {bound['status']['phase']} to {bound['spec']['volumeName']}")
    assert bound["spec"]["volumeName"] == volume, "the PVC is bound to another PV"


@pytest.mark.claim("walkthrough.missing-class-binds")
def test_pv_and_pvc_of_a_class_that_does_not_exist_bind(stack: Stack, test: Steps) -> None:
    with test.step("create a PV and a PVC of a class that does not exist"):
        volume = prepare(stack, pv("volume", "/data/share/volume", storage_class="no-such-class"))
        stack.make(pvc("data", storage_class="no-such-class"))
    with test.verify("the PVC becomes Bound"):
        bound = stack.wait_for_pvc("data", timeout=timeouts.REFUSAL)
    name = bound["spec"]["storageClassName"]
    test.observe(f"the PVC of class {name} is Bound to {bound['spec']['volumeName']}")
    assert stack.kube.find("StorageClass", name) is None, f"there is a StorageClass {name}"
    assert bound["spec"]["volumeName"] == volume, "the PVC is bound to another PV"


@pytest.mark.claim("walkthrough.class-mismatch-stays-pending")
def test_pvc_of_another_class_than_the_pv_stays_pending(stack: Stack, test: Steps) -> None:
    with test.step("create a PV of class fast, a PVC of class slow"):
        volume = prepare(stack, pv("volume", "/data/share/volume", storage_class="fast"))
        stack.make(pvc("slow", storage_class="slow"))
    with test.verify(f"the PVC is refused, and Pending for {_STAYS_SECONDS} s"):
        event = wait_until(
            "an event that says why the PVC does not bind",
            lambda: [e for e in stack.kube.events(stack.namespace, name="slow") if e["message"]],
            timeout=timeouts.EVENT,
        )[-1]
        stays_pending(stack, "slow", seconds=_STAYS_SECONDS)
    test.observe(f"PVC slow stays Pending; its event: {event['reason']}: {event['message']}")
    with test.step("create a PVC of class fast"):
        stack.make(pvc("fast", storage_class="fast"))
        bound = stack.wait_for_pvc("fast")
    test.observe(f"PVC fast, otherwise the same, binds {bound['spec']['volumeName']}")
    assert bound["spec"]["volumeName"] == volume, "the PVC is bound to another PV"
