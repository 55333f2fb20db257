"""Steps 15 and 16: class names decide what binds, whether such a class exists or not."""

import pytest

from landfast.kube.client import Kube
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.waiting import stays_true, wait_until
from suites.conformance.walkthrough.objects import pv, pvc
from suites.conformance.walkthrough.volumes import prepare

_BIND_SECONDS = 20
_EVENT_SECONDS = 30
_STAYS_SECONDS = 3
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


@pytest.mark.xdist_group("default-class")
@pytest.mark.claim("walkthrough.no-class-binds")
def test_volume_and_claim_without_a_class_bind(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    # where a default class is, a claim that names none would get it; "" is none, too
    default = default_classes(stack.kube)
    none = "" if default else None
    # volumes of no class are everybody's: the label keeps other tests' claims apart
    ours = {"landfast/stack": stack.overlay.labels["landfast/stack"]}
    with step("create a volume and a claim that name no class"):
        volume = prepare(stack, pv("volume", "/data/share/volume", storage_class=None))
        stack.make(pvc("data", storage_class=none, selector={"matchLabels": ours}))
        bound = stack.wait_for_pvc("data", timeout=_BIND_SECONDS)
    observe(f"default classes: {default or 'none'}; the claim says storageClassName {none!r}")
    observe(f"it is {bound['status']['phase']} to {bound['spec']['volumeName']}")
    assert bound["spec"]["volumeName"] == volume, "the claim is bound to another volume"


def default_classes(kube: Kube) -> list[str]:
    """Give the names of the cluster's default classes."""
    classes = [obj["metadata"] for obj in kube.list("StorageClass")]
    return [c["name"] for c in classes if (c.get("annotations") or {}).get(_DEFAULT) == "true"]


@pytest.mark.claim("walkthrough.missing-class-binds")
def test_volume_and_claim_of_a_class_that_does_not_exist_bind(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("create a volume and a claim of a class that does not exist"):
        volume = prepare(stack, pv("volume", "/data/share/volume", storage_class="no-such-class"))
        stack.make(pvc("data", storage_class="no-such-class"))
        bound = stack.wait_for_pvc("data", timeout=_BIND_SECONDS)
    name = bound["spec"]["storageClassName"]
    observe(f"the claim of class {name} is Bound to {bound['spec']['volumeName']}")
    assert stack.kube.find("StorageClass", name) is None, f"there is a StorageClass {name}"
    assert bound["spec"]["volumeName"] == volume, "the claim is bound to another volume"


@pytest.mark.claim("walkthrough.class-mismatch-stays-pending")
def test_claim_of_another_class_than_the_volume_stays_pending(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("create a volume of class fast, a claim of class slow"):
        volume = prepare(stack, pv("volume", "/data/share/volume", storage_class="fast"))
        stack.make(pvc("slow", storage_class="slow"))
    with step("wait for the controller's refusal"):
        event = wait_until(
            "an event that says why the claim does not bind",
            lambda: [e for e in stack.kube.events(stack.namespace, name="slow") if e["message"]],
            timeout=_EVENT_SECONDS,
        )[-1]
    observe(f"event of the claim: {event['reason']}: {event['message']}")
    with step(f"watch the claim for {_STAYS_SECONDS} s"):
        stays_true(
            "that the claim is Pending",
            lambda: stack.kube.get("PersistentVolumeClaim", "slow", stack.namespace)["status"],
            holds=lambda status: status["phase"] == "Pending",
            seconds=_STAYS_SECONDS,
        )
    with step("create a claim of class fast"):
        stack.make(pvc("fast", storage_class="fast"))
        bound = stack.wait_for_pvc("fast", timeout=_BIND_SECONDS)
    observe(
        f"claim slow stays Pending; claim fast, else the same, binds {bound['spec']['volumeName']}"
    )
    assert bound["spec"]["volumeName"] == volume, "the claim is bound to another volume"
