"""Step 14: what becomes of a volume and its data when its claim is deleted, by reclaim policy."""

import pytest

from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.waiting import stays_true
from suites.conformance.walkthrough.objects import pv, pvc
from suites.conformance.walkthrough.volumes import TEXT, files, prepare

_BIND_SECONDS = 20
_FAILED_SECONDS = 20
_RECYCLE_SECONDS = 60
_STAYS_SECONDS = 3


def volume_whose_claim_is_deleted(stack: Stack, policy: str) -> str:
    """Bind a claim to a volume of `policy` with a file in it, delete the claim, name the volume."""
    stack.env.inspector.make_folder(stack.folder("volume"))
    stack.env.inspector.write(stack.folder("volume/data.txt"), TEXT)
    name = prepare(stack, pv("volume", "/data/share/volume", policy=policy))
    stack.make(pvc("data"))
    stack.wait_for_pvc("data", timeout=_BIND_SECONDS)
    stack.kube.delete("PersistentVolumeClaim", "data", stack.namespace)
    stack.wait_gone("PersistentVolumeClaim", "data", stack.namespace)
    return name


@pytest.mark.claim("walkthrough.retain-keeps-volume-and-data")
def test_retain_keeps_volume_and_data(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("bind a claim to a Retain volume and delete the claim"):
        name = volume_whose_claim_is_deleted(stack, "Retain")
        stack.wait_for_pv(name, "Released", timeout=_BIND_SECONDS)
    with step(f"watch the volume for {_STAYS_SECONDS} s"):
        stays_true(
            "that the volume is Released",
            lambda: stack.kube.get("PersistentVolume", name)["status"]["phase"],
            holds=lambda phase: phase == "Released",
            seconds=_STAYS_SECONDS,
        )
    left = files(stack)
    observe(f"{name} stays Released; the server has {left}")
    assert left == {"volume/data.txt": TEXT}, "the volume was kept, its data was not"


@pytest.mark.claim("walkthrough.delete-fails-on-a-static-nfs-volume")
def test_delete_fails_on_a_volume_that_nobody_provisioned(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("bind a claim to a static Delete volume and delete the claim"):
        name = volume_whose_claim_is_deleted(stack, "Delete")
        volume = stack.wait_for_pv(name, "Failed", timeout=_FAILED_SECONDS)
    left = files(stack)
    said = [
        f"{e['reason']}: {e['message']}"
        for e in stack.kube.events("default", name=name)
        if e["type"] == "Warning"
    ]
    observe(f"{name} is Failed: {volume['status'].get('message')}; events: {said}")
    observe(f"the server has {left}")
    assert left == {"volume/data.txt": TEXT}, "the volume is Failed, but its data did not stay"


@pytest.mark.claim("walkthrough.recycle-scrubs-and-is-deprecated")
def test_recycle_empties_the_volume_and_is_deprecated(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    warnings = stack.kube.warnings(stack.fit(pv("volume", "/data/share/volume", policy="Recycle")))
    observe(f"the API server warns: {warnings}")
    with step("bind a claim to a Recycle volume and delete the claim"):
        name = volume_whose_claim_is_deleted(stack, "Recycle")
        stack.wait_for_pv(name, "Available", timeout=_RECYCLE_SECONDS)
    left = files(stack)
    said = [e["message"] for e in stack.kube.events("default", name=name)]
    observe(f"{name} is Available again; the server has {left or 'nothing'}; events: {said}")
    assert left == {}, "the volume is Available again, but its data is still there"
    assert any("Recycle" in w and "deprecated" in w for w in warnings), "no word of deprecation"
