"""What Recycle scrubs, what it spares, and what keeps it from scrubbing."""

import pytest

from landfast.provisioning.volumes import prepared
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.waiting import stays_true
from suites.conformance.reclaim.recycling import (
    CONTENTS,
    RECYCLE,
    Content,
    contents,
    delete_in_use,
    keep,
    recycler,
    remove_pod,
    user,
)

_PRECIOUS = "somebody else's"
_STAYS_SECONDS = 2.5  # a recycler pod is there within one


@pytest.mark.parametrize(
    "content",
    [pytest.param(c, id=c.name, marks=pytest.mark.claim(c.claim)) for c in CONTENTS],
)
def test_recycle_empties_the_volume_and_nothing_else(
    content: Content, provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    inspector, outside = provisioner.env.inspector, provisioner.folder("outside")
    inspector.make_folder(outside)
    inspector.write(f"{outside}/precious.txt", _PRECIOUS)
    with prepared(provisioner, content.name, RECYCLE) as volume:
        script = content.script.replace("{root}", provisioner.overlay.root)
        with step(f"a pod of user {content.uid} runs: {script}"):
            provisioner.make(user(volume, script, uid=content.uid))
            provisioner.wait_for_pod(volume.pvc.name, "Succeeded")
            remove_pod(volume)
        before = contents(volume)
        observe(f"before, the volume has {len(before)} entries: {before[:8]}")
        assert before, "the pod left nothing in the volume"
        with step("delete the claim, wait until the volume is recycled"):
            volume.delete_claim()
            volume.wait_for("Available")
        left, beside = contents(volume), inspector.list(outside)
        observe(f"after, it has {left or 'nothing'}; beside it the server has {list(beside)}")
    assert left == [], "something is left in the volume"
    assert list(beside) == [f"{outside}/precious.txt"], "what lies beside the volume was removed"
    assert inspector.read(f"{outside}/precious.txt") == _PRECIOUS, "its content was changed"


@pytest.mark.claim("reclaim.recycle-waits-for-pods")
def test_volume_in_use_is_not_recycled(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with prepared(provisioner, "in-use", RECYCLE) as volume:
        volume.write()
        try:
            with step("a pod uses the volume; delete the claim, remove its finalizer by hand"):
                provisioner.make(user(volume, "sleep 600"))
                provisioner.wait_for_pod(volume.pvc.name, "Running")
                delete_in_use(volume)
                volume.wait_for("Released")
            stays_true(
                "that the volume is Released and nobody recycles it",
                lambda: (volume.phase(), recycler(volume) is not None),
                holds=lambda seen: seen == ("Released", False),
                seconds=_STAYS_SECONDS,
                describe=lambda seen: f"{seen[0]}, a recycler pod is there: {seen[1]}",
            )
            seen = volume.look()
            observe(f"while the pod runs: {seen}; events: {list(seen.events)}")
        finally:
            keep(volume)
            remove_pod(volume)
    assert seen.data == (volume.directory,), "the data was scrubbed under the pod"
    assert seen.intact, "the data was changed"
