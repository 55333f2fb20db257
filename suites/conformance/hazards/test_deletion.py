"""What becomes of data when a claim is not deleted the way that its class was thought for."""

import pytest

from landfast.provisioning.contract import ClassSettings
from landfast.provisioning.volumes import GONE, provisioned, storage_class
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.waiting import wait_until
from suites.conformance.hazards.exports import files, folders
from suites.conformance.hazards.objects import BY_ANNOTATION, PATH

_EVENT_SECONDS = 10
_RETRY_SECONDS = 30  # the first retry is after 15
_KEPT_SECONDS = 10


@pytest.mark.claim("hazards.archive-is-not-overwritten")
def test_second_archive_of_one_name_fails_and_both_stay(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(path_pattern=BY_ANNOTATION)
    again = {PATH: "again"}
    with provisioned(provisioner, "archive-first", settings, annotations=again) as first:
        first.write()
        with step("delete the first claim, make one more of the same path"):
            first.delete_claim()
            first.wait_for(GONE)
    with provisioned(provisioner, "archive-second", settings, annotations=again) as second:
        second.write()
        with step("delete the second claim"):
            second.delete_claim()
            second.wait_for("Released", timeout=_KEPT_SECONDS)
        seen, left = second.look(), files(provisioner)
        observe(f"the second volume: {seen}; events: {list(seen.events)}")
        observe(f"the server has {left}")
        assert left == ["again/archive-second.txt", "archived-again/archive-first.txt"]
        assert any(text.startswith("VolumeFailedDelete") for text in seen.events), "no event"


@pytest.mark.claim("hazards.class-deleted-first-blocks-deletion")
def test_volume_without_its_class_is_kept_until_the_class_is_back(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(on_delete="delete")
    with provisioned(provisioner, "classless", settings) as volume:
        volume.write()
        with step("delete the class, then the claim"):
            provisioner.kube.delete("StorageClass", f"classless{provisioner.overlay.suffix}")
            volume.delete_claim()
        with step("wait for the event that says so"):
            wait_until(
                "an event VolumeFailedDelete",
                volume.events,
                until=lambda said: any(t.startswith("VolumeFailedDelete") for t in said),
                timeout=_EVENT_SECONDS,
            )
        seen = volume.look()
        observe(f"{seen}; events: {list(seen.events)}")
        assert (seen.phase, seen.data, seen.intact) == ("Released", (volume.directory,), True)
        with step("create the class again, wait for the provisioner's next try"):
            provisioner.make(storage_class("classless", settings))
            provisioner.wait_gone("PersistentVolume", volume.name, timeout=_RETRY_SECONDS)
        left = files(provisioner)
        observe(f"with the class back the volume is gone, the server has {left or 'nothing'}")
        assert left == []


@pytest.mark.claim("hazards.class-counts-at-deletion")
def test_class_made_anew_decides_over_volumes_made_before(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with provisioned(provisioner, "remade", ClassSettings(archive_on_delete="true")) as volume:
        volume.write()
        with step('replace archiveOnDelete "true" by "false": delete the class, create it anew'):
            provisioner.kube.delete("StorageClass", f"remade{provisioner.overlay.suffix}")
            provisioner.make(storage_class("remade", ClassSettings(archive_on_delete="false")))
        with step("delete the claim of the volume that was made before"):
            volume.delete_claim()
            volume.wait_for(GONE)
        seen = volume.look()
        observe(f"{seen}; the server has {files(provisioner) or 'nothing'}")
        assert seen.data == (), "the data outlived the class that promised to archive it"


@pytest.mark.claim("hazards.volume-deleted-first-leaks")
def test_directory_of_a_volume_that_is_deleted_before_its_claim_is_leaked(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with provisioned(provisioner, "backwards", ClassSettings(on_delete="delete")) as volume:
        volume.write()
        with step("delete the volume, then the claim"):
            provisioner.kube.delete("PersistentVolume", volume.name)
            volume.delete_claim()
            volume.wait_for(GONE)
        seen = volume.look()
        observe(f"onDelete is delete; {seen}; no object names {volume.path} any more")
        assert seen.data == (volume.directory,), "the directory was not leaked"
        assert seen.intact


@pytest.mark.claim("hazards.vanished-directory-goes-unnoticed")
def test_deletion_of_a_volume_whose_directory_has_vanished_succeeds_in_silence(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with provisioned(provisioner, "vanished", ClassSettings(archive_on_delete="true")) as volume:
        volume.write()
        with step("remove the volume's directory on the server"):
            provisioner.env.inspector.remove(provisioner.folder(volume.directory))
        phase = volume.phase()
        with step("delete the claim, which is to be archived"):
            volume.delete_claim()
            volume.wait_for(GONE)
        said, left = volume.events(), folders(provisioner)
        observe(f"without its directory the volume was {phase}, after the deletion it is gone")
        observe(f"events: {said or 'none'}; the server has {left or 'nothing'}")
        assert phase == "Bound", "the volume's phase told of it"
        assert left == [], "something was archived"
        assert not any("Failed" in text for text in said), "an event told of it"


@pytest.mark.claim("hazards.misspelt-on-delete-archives")
def test_misspelt_on_delete_archives_what_was_to_be_deleted(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with provisioned(provisioner, "misspelt", ClassSettings(on_delete="Delete")) as volume:
        volume.write()
        with step('delete the claim; onDelete is "Delete", not "delete"'):
            volume.delete_claim()
            volume.wait_for(GONE)
        seen = volume.look()
        observe(f"{seen}; events: {list(seen.events) or 'none'}")
        assert seen.data == (f"archived-{volume.directory}",), "the data was not archived"
        assert seen.intact
