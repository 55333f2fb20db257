"""What becomes of data when a PVC is not deleted in the way that its class was meant for."""

import shlex

import pytest

from fixtures.provisioner import Bench
from landfast import timeouts
from landfast.nfs.server import EXPORT_PATH
from landfast.provisioning.contract import ClassSettings, Fate, Reclaimed
from landfast.provisioning.objects import storage_class
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import wait_until
from suites.conformance.hazards.objects import BY_ANNOTATION, PATH, folders
from suites.files import observed_files
from suites.objects import on_node, pod, run_to_its_end, shell

_FAILED = "VolumeFailedDelete"


@pytest.mark.claim("hazards.archive-is-not-overwritten")
def test_second_archive_of_one_name_fails_and_both_stay(bench: Bench, test: Steps) -> None:
    settings = ClassSettings(path_pattern=BY_ANNOTATION)
    with (
        bench.volume("first", settings, annotations={PATH: "again"}) as first,
        test.step("delete the first PVC"),
    ):
        first.release()
    with bench.volume("second", settings, annotations={PATH: "again"}) as second:
        seen = bench.reclaim(second, Fate(Reclaimed.FAILED, "again", "Released"))
        assert observed_files(bench) == ["again/second.txt", "archived-again/first.txt"]
        assert any(text.startswith(_FAILED) for text in seen.events), f"no event {_FAILED}"


@pytest.mark.claim("hazards.empty-archive-is-not-overwritten")
def test_archive_of_the_name_of_an_empty_directory_fails(bench: Bench, test: Steps) -> None:
    settings = ClassSettings(path_pattern=BY_ANNOTATION)
    with test.step("make an empty directory archived-again on the server"):
        bench.stack.export.make_folder("archived-again")
    with bench.volume("again", settings, annotations={PATH: "again"}) as volume:
        seen = bench.reclaim(volume, Fate(Reclaimed.FAILED, "again", "Released"))
        assert any(text.startswith(_FAILED) for text in seen.events), f"no event {_FAILED}"


@pytest.mark.claim("hazards.class-deleted-first-blocks-deletion")
def test_volume_without_its_class_is_kept_until_the_class_is_back(
    bench: Bench, test: Steps
) -> None:
    settings = ClassSettings(on_delete="delete")
    with bench.volume("classless", settings) as volume:
        with test.step("delete the class"):
            bench.stack.kube.delete("StorageClass", f"classless{bench.stack.overlay.suffix}")
        bench.reclaim(volume, Fate(Reclaimed.FAILED, volume.directory, "Released"))
        with test.verify(f"an event {_FAILED} reports it"):
            events = wait_until(
                f"an event {_FAILED}",
                volume.events,
                until=lambda said: any(text.startswith(_FAILED) for text in said),
                timeout=timeouts.REFUSAL,
            )
        test.observe(f"events: {events}")
        with test.step("create the class again"):
            bench.stack.make(storage_class("classless", settings))
        with test.verify("the provisioner's next attempt, after 15 s, deletes the volume"):
            bench.stack.wait_gone("PersistentVolume", volume.name, timeout=timeouts.RECLAIM)
        assert observed_files(bench) == []


@pytest.mark.claim("hazards.class-counts-at-deletion")
def test_class_created_anew_decides_over_volumes_made_before(bench: Bench, test: Steps) -> None:
    with bench.volume("remade", ClassSettings(archive_on_delete="true")) as volume:
        with test.step('delete the class, create it again with archiveOnDelete "false"'):
            bench.stack.kube.delete("StorageClass", f"remade{bench.stack.overlay.suffix}")
            bench.stack.make(storage_class("remade", ClassSettings(archive_on_delete="false")))
        bench.reclaim(volume, Fate(Reclaimed.REMOVED, None))


@pytest.mark.claim("hazards.volume-deleted-first-leaks")
def test_directory_of_a_volume_that_is_deleted_before_its_pvc_is_leaked(
    bench: Bench, test: Steps
) -> None:
    with bench.volume("backwards", ClassSettings(on_delete="delete")) as volume:
        with test.step("delete the volume"):
            bench.stack.kube.delete("PersistentVolume", volume.name)
        bench.reclaim(volume, Fate(Reclaimed.LEAKED, volume.directory))


def _wait_until_forgotten(stack: Stack, directory: str) -> None:
    """Wait until the provisioner's NFS client, too, knows that a directory is gone.

    The kernel's remembers it for up to a minute (nfs(5), acdirmin and acdirmax): until then the
    provisioner finds the directory, and fails to rename it.
    """
    (provisioner,) = stack.provisioner_pods()
    root = {"server": "of the stack", "path": EXPORT_PATH}
    looks = shell(f"while [ -e /nfs/{shlex.quote(directory)} ]; do sleep 1; done")
    node = on_node(provisioner["spec"]["nodeName"])
    run_to_its_end(stack, pod("looks", looks, volume={"nfs": root}, **node))


@pytest.mark.claim("hazards.vanished-directory-goes-unnoticed")
def test_deletion_of_a_volume_whose_directory_has_vanished_succeeds_silently(
    bench: Bench, test: Steps
) -> None:
    with bench.volume("vanished", ClassSettings(archive_on_delete="true")) as volume:
        with test.step("remove the volume's directory on the server"):
            bench.stack.export.remove(volume.directory)
            _wait_until_forgotten(bench.stack, volume.directory)
        phase = volume.phase()
        test.observe(f"without its directory the volume is {phase}")
        seen = bench.reclaim(volume, Fate(Reclaimed.NOTHING_THERE, None))
        left = folders(bench.stack)
        test.observe(f"the server has {left or 'no directory'}")
        assert phase == "Bound", "the volume's phase reported the loss"
        assert left == [], "something was archived"
        assert not any("Failed" in text for text in seen.events), "an event reported the loss"


@pytest.mark.claim("hazards.misspelt-on-delete-archives")
def test_misspelt_on_delete_archives_what_was_to_be_deleted(bench: Bench) -> None:
    with bench.volume("misspelt", ClassSettings(on_delete="Delete")) as volume:
        bench.reclaim(volume, Fate(Reclaimed.ARCHIVED, f"archived-{volume.directory}"))
