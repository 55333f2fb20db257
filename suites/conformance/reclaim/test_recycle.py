"""What Recycle removes, what it spares, and what prevents it."""

import pytest

from fixtures.provisioner import Bench
from fixtures.schedule import Alone
from landfast import timeouts
from landfast.kube.pods import obstacle
from landfast.provisioning.contract import Fate, Reclaimed, static_fate
from landfast.provisioning.volumes import STAYS_SECONDS, prepared
from landfast.steps import Steps
from landfast.verdict import Unknown
from landfast.waiting import stays_true, wait_until
from suites.conformance.reclaim.recycling import (
    CONTENTS,
    RECYCLE,
    Content,
    contents,
    delete_in_use,
    image_away,
    recycler,
    remove_recycler,
)
from suites.objects import of_pvc, pod, run_to_its_end, shell
from suites.tables import each

_OUTSIDE, _PRECIOUS = "outside/precious.txt", "outside the volume"
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff")


@each("content", CONTENTS)
def test_recycle_empties_the_volume_and_nothing_else(
    content: Content, bench: Bench, test: Steps
) -> None:
    export = bench.stack.export
    export.make_folder("outside")
    export.write(_OUTSIDE, _PRECIOUS)
    with bench.volume(content.name, RECYCLE, make=prepared, write=False) as volume:
        script = content.script.replace("{root}", bench.stack.overlay.root)
        with test.step(f"a pod of user {content.uid} runs: {script}"):
            argv, mounted = shell(f"cd /nfs && {script}"), of_pvc(content.name)
            run_to_its_end(bench.stack, pod(content.name, argv, volume=mounted, uid=content.uid))
            bench.stack.wait_gone("Pod", content.name, bench.stack.namespace)
        before = contents(volume)
        test.observe(f"before, the volume has {len(before)} entries: {before[:8]}")
        if not before:
            raise Unknown("the pod left nothing in the volume")
        bench.reclaim(volume, static_fate("Recycle", volume.directory))
        left, beside = contents(volume), [*export.list("outside")]
        test.observe(f"after, it has {left or 'nothing'}; beside it the server has {beside}")
    assert left == [], "something is left in the volume"
    assert beside == [_OUTSIDE], "a file outside the volume was removed"
    assert export.read(_OUTSIDE) == _PRECIOUS, "a file outside was changed"


@pytest.mark.claim("reclaim.recycle-waits-for-pods")
def test_volume_in_use_is_not_recycled(bench: Bench, test: Steps) -> None:
    with bench.volume("in-use", RECYCLE, make=prepared) as volume:
        try:
            with test.step("a pod uses the volume; delete the PVC, remove its finalizer"):
                bench.stack.make(pod("in-use", volume=of_pvc("in-use")))
                bench.stack.wait_for_pod("in-use", "Running")
                delete_in_use(volume)
            with test.verify("the volume becomes Released and stays so"):
                volume.wait_for("Released")
            stays_true(
                "that no recycler pod exists",
                lambda: recycler(volume),
                holds=lambda found: found is None,
                seconds=STAYS_SECONDS,
            )
            bench.judge(volume, Fate(Reclaimed.KEPT, volume.directory, "Released"))
        finally:
            volume.set_policy("Retain")
            bench.stack.delete("Pod", "in-use", grace_seconds=0)


@pytest.mark.claim("reclaim.recycle-without-its-image-keeps-the-data")
def test_recycle_without_its_image_keeps_the_data(bench: Bench, test: Steps, alone: Alone) -> None:
    new_volume = bench.volume("no-image", RECYCLE, make=prepared)
    with alone(), image_away(bench.stack.env), new_volume as volume:
        try:
            with test.step("delete the PVC while no node has the recycler's image"):
                volume.delete_pvc()
            with test.verify(
                "the recycler pod reports the missing image, the volume stays Released"
            ):
                found = wait_until(
                    "the recycler pod to report the missing image",
                    lambda: obstacle(found) if (found := recycler(volume)) else None,
                    until=lambda found: found is not None and found.reason in _NO_IMAGE,
                    give_up=lambda _: (
                        "the volume was recycled" if volume.phase() == "Available" else None
                    ),
                    timeout=timeouts.EVENT,
                )
                volume.wait_for("Released")
            test.observe(str(found))
            bench.judge(volume, Fate(Reclaimed.KEPT, volume.directory, "Released"))
        finally:
            remove_recycler(volume)
