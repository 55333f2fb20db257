"""What becomes of data when a PVC is not deleted in the way that its class was meant for."""

import pytest

from fixtures.csi import CsiBench
from landfast.provisioning import csi_deletion
from landfast.provisioning.contract import PvcMeta, Reclaimed
from landfast.provisioning.csi import ClassSettings
from landfast.provisioning.objects import pvc_object, storage_class
from landfast.provisioning.volumes import bound_volume, removed, temporary_class
from landfast.steps import Steps
from suites.conformance.csi.matrix import AGAIN
from suites.conformance.csi.objects import UNREADABLE, prepared_volume
from suites.files import observed_files
from suites.objects import with_spec

pytestmark = pytest.mark.xdist_group("csi")
_DELETE = ClassSettings("", "", on_delete="delete")
_ARCHIVE = ClassSettings("", "", on_delete="archive")
_FAILED = "VolumeFailedDelete"


@pytest.mark.claim("csi.archive-is-not-overwritten")
def test_second_archive_of_one_name_fails_and_both_stay(csi: CsiBench, test: Steps) -> None:
    settings = csi.placed(AGAIN)
    with csi.volume("first", settings) as first, test.step("delete the first PVC"):
        first.release()
    with csi.volume("second", settings) as second:
        expected = csi.fate(second, settings, others=["archived-again"])
        seen = csi.reclaim(second, expected)
        fails = expected.reclaimed is Reclaimed.FAILED
        both, new = ["again/second.txt", "archived-again/first.txt"], ["archived-again/second.txt"]
        assert observed_files(csi) == (both if fails else new)
        failed = any(text.startswith(_FAILED) for text in seen.events)
        assert failed is fails, f"events: {seen.events}"


@pytest.mark.claim("csi.class-deleted-first-is-no-hindrance")
def test_volume_without_its_class_is_archived_all_the_same(csi: CsiBench, test: Steps) -> None:
    settings = csi.placed(_ARCHIVE)
    with csi.volume("classless", settings) as volume:
        with test.step("delete the class"):
            csi.stack.kube.delete("StorageClass", f"classless{csi.stack.overlay.suffix}")
        csi.reclaim(volume, csi.fate(volume, settings))


@pytest.mark.claim("csi.class-counts-at-creation")
def test_class_created_anew_decides_nothing_over_volumes_made_before(
    csi: CsiBench, test: Steps
) -> None:
    settings = csi.placed(_ARCHIVE)
    with csi.volume("remade", settings) as volume:
        with test.step('delete the class, create it again with onDelete "delete"'):
            csi.stack.kube.delete("StorageClass", f"remade{csi.stack.overlay.suffix}")
            csi.stack.make(storage_class("remade", csi.placed(_DELETE)))
        csi.reclaim(volume, csi.fate(volume, settings))


@pytest.mark.claim("csi.volume-deleted-first-is-reclaimed")
def test_volume_that_is_deleted_before_its_pvc_is_reclaimed(csi: CsiBench, test: Steps) -> None:
    settings = csi.placed(_DELETE)
    with csi.volume("backwards", settings) as volume:
        with test.step("delete the volume"):
            csi.stack.kube.delete("PersistentVolume", volume.name)
        csi.reclaim(volume, csi.fate(volume, settings))


@pytest.mark.claim("csi.vanished-directory-goes-unnoticed")
def test_deletion_of_a_volume_whose_directory_has_vanished_succeeds_silently(
    csi: CsiBench, test: Steps
) -> None:
    settings = csi.placed(_DELETE)
    with csi.volume("vanished", settings) as volume:
        with test.step("remove the volume's directory on the server"):
            csi.stack.export.remove(volume.directory)
        phase = volume.phase()
        test.observe(f"without its directory the volume is {phase}")
        seen = csi.reclaim(volume, csi.second_fate(volume, settings))
        assert phase == "Bound", "the volume's phase reported the loss"
        assert not any("Failed" in text for text in seen.events), "an event reported the loss"


@pytest.mark.claim("csi.vanished-directory-blocks-its-archive")
def test_volume_whose_directory_has_vanished_cannot_be_archived(csi: CsiBench, test: Steps) -> None:
    settings = csi.placed(_ARCHIVE)
    with csi.volume("unarchived", settings) as volume:
        with test.step("remove the volume's directory on the server"):
            csi.stack.export.remove(volume.directory)
        seen = csi.reclaim(volume, csi.second_fate(volume, settings))
        assert any(text.startswith(_FAILED) for text in seen.events), f"no event {_FAILED}"


@pytest.mark.claim("csi.unreadable-handle-leaks")
def test_volume_with_a_handle_that_cannot_be_read_is_leaked(csi: CsiBench, test: Steps) -> None:
    stack, settings = csi.stack, csi.placed(_DELETE)
    pvc = PvcMeta(stack.namespace, "unreadable")
    with temporary_class(stack, pvc.name, settings), removed(stack, pvc):
        with test.step(f"bind a PV with the handle {UNREADABLE} and policy Delete"):
            stack.export.make_folder(pvc.name)
            name = prepared_volume(stack, pvc.name, settings)
            stack.make(with_spec(pvc_object(pvc, pvc.name), volumeName=name))
            volume = bound_volume(stack, pvc)
            volume.write()
        csi.reclaim(volume, csi_deletion.deletion(UNREADABLE, volume.directory))
