"""Policies that are changed on the way, and volumes that are given back by hand."""

import pytest

from landfast.provisioning.contract import ClassSettings, Outcome
from landfast.provisioning.volumes import Volume, claim, prepared, provisioned
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.waiting import stays_true

_BIND_SECONDS = 40
_STAYS_SECONDS = 2.5
_DELETE, _RETAIN = ClassSettings(reclaim_policy="Delete"), ClassSettings(reclaim_policy="Retain")


def set_policy(volume: Volume, policy: str) -> None:
    """Change a volume's reclaim policy."""
    changed = {"spec": {"persistentVolumeReclaimPolicy": policy}}
    volume.stack.kube.patch("PersistentVolume", volume.name, changed)


@pytest.mark.claim("reclaim.policy-changed-to-retain-is-obeyed")
def test_bound_volume_made_retain_is_kept(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with provisioned(provisioner, "made-retain", _DELETE) as volume:
        volume.write()
        with step("make the bound volume Retain, delete its claim"):
            set_policy(volume, "Retain")
            volume.delete_claim()
            volume.wait_for("Released")
        seen = volume.look()
    observe(f"after Delete was changed to Retain: {seen}")
    assert seen.data == (volume.directory,), "the data was not kept where it was"
    assert seen.intact, "the data was changed"


@pytest.mark.claim("reclaim.policy-changed-back-is-obeyed")
def test_bound_volume_made_retain_and_delete_again_is_reclaimed(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with provisioned(provisioner, "made-delete-again", _DELETE) as volume:
        volume.write()
        with step("make the bound volume Retain, then Delete again, delete its claim"):
            set_policy(volume, "Retain")
            set_policy(volume, "Delete")
            volume.delete_claim()
            volume.wait_for("gone")
        seen = volume.look()
    end = volume.end(_DELETE, seen)
    observe(f"after Delete, Retain and Delete: {end}; {seen}")
    assert end.outcome is Outcome.ARCHIVED, f"the data is not archived, but {end}"


@pytest.mark.claim("reclaim.policy-changed-after-release-is-obeyed")
def test_released_volume_made_delete_is_reclaimed(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with provisioned(provisioner, "made-delete", _RETAIN) as volume:
        volume.write()
        with step("delete the claim of a Retain volume"):
            volume.delete_claim()
            volume.wait_for("Released")
        observe(f"before its policy is changed: {volume.look()}")
        with step("make it Delete"):
            set_policy(volume, "Delete")
            volume.wait_for("gone")
        seen = volume.look()
    end = volume.end(_DELETE, seen)
    observe(f"after it was made Delete: {end}; {seen}")
    assert end.outcome is Outcome.ARCHIVED, f"the data is not archived, but {end}"


@pytest.mark.claim("reclaim.released-volume-is-not-bound-again")
def test_new_claim_of_the_old_name_is_not_bound_to_a_released_volume(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with prepared(provisioner, "released", _RETAIN) as volume:
        with step("delete the claim, create it again under the same name"):
            volume.delete_claim()
            volume.wait_for("Released")
            recreate_claim(volume)
        stays_true(
            "that the volume is Released and the new claim Pending",
            lambda: (volume.phase(), claim_phase(volume)),
            holds=lambda phases: phases == ("Released", "Pending"),
            seconds=_STAYS_SECONDS,
        )
    observe(f"for {_STAYS_SECONDS} s the volume stays Released, the new claim Pending")


@pytest.mark.claim("reclaim.cleared-claimref-gives-the-data-back")
def test_released_volume_without_claimref_is_bound_again_with_its_data(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with prepared(provisioner, "cleared", _RETAIN) as volume:
        volume.write()
        with step("delete the claim, remove the volume's claimRef by hand"):
            volume.delete_claim()
            volume.wait_for("Released")
            provisioner.kube.patch("PersistentVolume", volume.name, {"spec": {"claimRef": None}})
            volume.wait_for("Available")
        with step("create the claim again"):
            recreate_claim(volume)
            bound = provisioner.wait_for_pvc(volume.pvc.name, timeout=_BIND_SECONDS)
        seen = volume.look()
    observe(f"the new claim is bound to {bound['spec']['volumeName']}: {seen}")
    assert bound["spec"]["volumeName"] == volume.name, "the claim is bound to another volume"
    assert seen.data == (volume.directory,), "the old data is not there"
    assert seen.intact, "the old data was changed"


def recreate_claim(volume: Volume) -> None:
    """Create a volume's claim again, for that volume."""
    again = claim(volume.pvc.name, volume.pvc.name, volume.pvc)
    again["spec"]["volumeName"] = volume.name
    volume.stack.make(again)


def claim_phase(volume: Volume) -> str:
    """Give the phase of a volume's claim."""
    found = volume.stack.kube.get("PersistentVolumeClaim", volume.pvc.name, volume.pvc.namespace)
    return str(found["status"]["phase"])
