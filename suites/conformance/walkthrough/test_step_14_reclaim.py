"""Step 14: what becomes of a PV and its data when its PVC is deleted, by reclaim policy."""

import pytest

from landfast import timeouts
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import stays_true
from suites.conformance.walkthrough.volumes import TEXT
from suites.objects import files, prepare, pv, pvc

_STAYS_SECONDS = 3


def release(stack: Stack, test: Steps, policy: str) -> str:
    """Bind a PVC to a PV with a file in it, delete the PVC, and return the name of the PV."""
    with test.step(f"bind a PVC to a static {policy} PV and delete the PVC"):
        stack.export.make_folder("volume")
        stack.export.write("volume/data.txt", TEXT)
        name = prepare(stack, pv("volume", "/data/share/volume", policy=policy))
        stack.make(pvc("data"))
        stack.wait_for_pvc("data")
        stack.delete("PersistentVolumeClaim", "data")
    return name


@pytest.mark.claim("walkthrough.retain-keeps-volume-and-data")
def test_retain_keeps_pv_and_data(stack: Stack, test: Steps) -> None:
    name = release(stack, test, "Retain")
    with test.verify(f"the PV becomes Released, and is for {_STAYS_SECONDS} s"):
        stack.wait_for_pv(name, "Released", timeout=timeouts.RECLAIM)
        stays_true(
            "that the PV is Released",
            lambda: stack.kube.get("PersistentVolume", name)["status"]["phase"],
            holds=lambda phase: phase == "Released",
            seconds=_STAYS_SECONDS,
        )
    left = files(stack)
    test.observe(f"{name} stays Released; the server has {left}")
    assert left == {"volume/data.txt": TEXT}, "the PV was kept, but its data was not"


@pytest.mark.claim("walkthrough.delete-fails-on-a-static-nfs-volume")
def test_delete_fails_on_a_pv_that_nobody_provisioned(stack: Stack, test: Steps) -> None:
    name = release(stack, test, "Delete")
    with test.verify("the PV becomes Failed"):
        volume = stack.wait_for_pv(name, "Failed", timeout=timeouts.RECLAIM)
    left = files(stack)
    said = [
        f"{e['reason']}: {e['message']}"
        for e in stack.kube.events("default", name=name)
        if e["type"] == "Warning"
    ]
    test.observe(f"{name} is Failed: {volume['status'].get('message')}; events: {said}")
    test.observe(f"the server has {left}")
    assert left == {"volume/data.txt": TEXT}, "the PV is Failed, but its data did not stay"


@pytest.mark.claim("walkthrough.recycle-scrubs-and-is-deprecated")
def test_recycle_empties_the_pv_and_is_deprecated(stack: Stack, test: Steps) -> None:
    stack.env.cluster.require("cluster.recycler")
    warnings = stack.kube.warnings(stack.fit(pv("volume", "/data/share/volume", policy="Recycle")))
    test.observe(f"the API server warns: {warnings}")
    name = release(stack, test, "Recycle")
    with test.verify("the PV becomes Available again"):
        stack.wait_for_pv(name, "Available", timeout=timeouts.RECYCLE)
    left = files(stack)
    said = [e["message"] for e in stack.kube.events("default", name=name)]
    test.observe(f"{name} is Available again; the server has {left or 'nothing'}; events: {said}")
    assert left == {}, "the PV is Available again, but its data is still there"
    assert any("Recycle" in w and "deprecated" in w for w in warnings), "no deprecation warning"
