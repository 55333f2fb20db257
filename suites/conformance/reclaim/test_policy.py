"""Policies that change during a volume's life, and volumes that an administrator returns."""

import pytest

from fixtures.provisioner import Bench
from landfast import timeouts
from landfast.provisioning.contract import ClassSettings, Fate, Reclaimed
from landfast.provisioning.objects import pvc_object
from landfast.provisioning.observed import GONE
from landfast.provisioning.volumes import STAYS_SECONDS, BoundVolume, prepared
from landfast.steps import Steps
from landfast.waiting import stays_true

_DELETE, _RETAIN = ClassSettings(reclaim_policy="Delete"), ClassSettings(reclaim_policy="Retain")


@pytest.mark.claim("reclaim.policy-changed-to-retain-is-obeyed")
def test_bound_volume_made_retain_is_kept(bench: Bench, test: Steps) -> None:
    with bench.volume("made-retain", _DELETE) as volume:
        with test.step("change the policy of the bound volume to Retain"):
            volume.set_policy("Retain")
        bench.reclaim(volume, Fate(Reclaimed.KEPT, volume.directory, "Released"))


@pytest.mark.claim("reclaim.policy-changed-back-is-obeyed")
def test_bound_volume_made_retain_and_delete_again_is_reclaimed(bench: Bench, test: Steps) -> None:
    with bench.volume("made-delete-again", _DELETE) as volume:
        with test.step("change the policy of the bound volume to Retain, then back to Delete"):
            volume.set_policy("Retain")
            volume.set_policy("Delete")
        bench.reclaim(volume, volume.fate(bench.line, _DELETE))


@pytest.mark.claim("reclaim.policy-changed-after-release-is-obeyed")
def test_released_volume_made_delete_is_reclaimed(bench: Bench, test: Steps) -> None:
    with bench.volume("made-delete", _RETAIN) as volume:
        with test.step("delete the PVC of the Retain volume"):
            volume.release("Released")
        test.observe(f"before the policy changes: {volume.look()}")
        with test.step("change the policy to Delete"):
            volume.set_policy("Delete")
        with test.verify("the volume is reclaimed"):
            volume.wait_for(GONE)
        bench.judge(volume, volume.fate(bench.line, _DELETE))


@pytest.mark.claim("reclaim.released-volume-is-not-bound-again")
def test_new_pvc_of_the_old_name_is_not_bound_to_a_released_volume(
    bench: Bench, test: Steps
) -> None:
    with bench.volume("released", _RETAIN, make=prepared) as volume:
        with test.step("delete the PVC, create it again under the same name"):
            volume.release("Released")
            recreate_pvc(volume)
        new = ("PersistentVolumeClaim", volume.pvc.name, volume.pvc.namespace)
        stays_true(
            "that the volume is Released and the new PVC Pending",
            lambda: (volume.phase(), bench.stack.kube.get(*new)["status"]["phase"]),
            holds=lambda phases: phases == ("Released", "Pending"),
            seconds=STAYS_SECONDS,
        )
        test.observe(f"for {STAYS_SECONDS} s the volume stays Released, the new PVC Pending")


@pytest.mark.claim("reclaim.cleared-claimref-gives-the-data-back")
def test_released_volume_without_claimref_is_bound_again_with_its_data(
    bench: Bench, test: Steps
) -> None:
    with bench.volume("cleared", _RETAIN, make=prepared) as volume:
        with test.step("delete the PVC, remove the volume's claimRef"):
            volume.release("Released")
            cleared = {"spec": {"claimRef": None}}
            volume.stack.kube.patch("PersistentVolume", volume.name, cleared)
        with test.verify("the volume becomes Available"):
            volume.wait_for("Available")
        with test.step("create the PVC again"):
            recreate_pvc(volume)
        with test.verify("the new PVC is bound"):
            bound = volume.stack.wait_for_pvc(volume.pvc.name, timeout=timeouts.BIND)
        test.observe(f"the new PVC is bound to {bound['spec']['volumeName']}")
        assert bound["spec"]["volumeName"] == volume.name, "the PVC is bound to another volume"
        bench.judge(volume, Fate(Reclaimed.KEPT, volume.directory, "Bound"))


def recreate_pvc(volume: BoundVolume) -> None:
    """Create a volume's PVC again, for that volume."""
    again = pvc_object(volume.pvc, volume.pvc.name)
    again["spec"]["volumeName"] = volume.name
    volume.stack.make(again)
