"""What a class's subDir lets one PVC do to the data of others."""

import pytest

from fixtures.csi import CsiBench
from landfast.provisioning.contract import Fate, Reclaimed
from landfast.provisioning.csi import ClassSettings
from landfast.steps import Steps
from suites.files import observed_files, put

pytestmark = pytest.mark.xdist_group("csi")


def _of(sub_dir: str, on_delete: str = "delete") -> ClassSettings:
    return ClassSettings("", "", sub_dir=sub_dir, on_delete=on_delete)


@pytest.mark.claim("csi.shared-subdir-is-removed")
def test_deleting_one_of_two_pvcs_of_a_subdir_removes_the_others_data(csi: CsiBench) -> None:
    settings = csi.placed(_of("shared"))
    with csi.volume("removed-mine", settings) as mine, csi.volume("theirs", settings) as theirs:
        csi.reclaim(mine, csi.fate(mine, settings, others=[theirs.directory]))
        csi.judge(theirs, Fate(Reclaimed.REMOVED, None, "Bound"))
        csi.reclaim(theirs, csi.second_fate(theirs, settings))


@pytest.mark.claim("csi.nested-shared-subdir-blocks-deletion")
def test_second_volume_of_a_nested_subdir_cannot_be_deleted(csi: CsiBench) -> None:
    settings = csi.placed(_of("team/shared"))
    with (
        csi.volume("nested-mine", settings, spares=False) as mine,
        csi.volume("nested-theirs", settings, spares=False) as theirs,
    ):
        csi.reclaim(mine, csi.fate(mine, settings, others=[theirs.directory]))
        csi.reclaim(theirs, csi.second_fate(theirs, settings))


@pytest.mark.claim("csi.shared-subdir-is-archived")
def test_deleting_one_of_two_pvcs_of_a_subdir_archives_the_others_data(csi: CsiBench) -> None:
    settings = csi.placed(_of("shared", "archive"))
    with csi.volume("archived-mine", settings) as mine, csi.volume("theirs", settings) as theirs:
        csi.reclaim(mine, csi.fate(mine, settings, others=[theirs.directory]))
        csi.judge(theirs, Fate(Reclaimed.ARCHIVED, "archived-shared", "Bound"))


@pytest.mark.claim("csi.kept-directory-is-handed-on")
def test_next_pvc_of_a_subdir_gets_the_data_of_the_last_one(csi: CsiBench, test: Steps) -> None:
    settings = csi.placed(_of("shared", "retain"))
    with (
        csi.volume("last", settings) as last,
        test.step("delete the PVC; onDelete is retain"),
    ):
        last.release()
    with csi.volume("next", settings, write=False):
        left = observed_files(csi)
        assert left == ["shared/last.txt"], "the next PVC does not get the data of the last one"


@pytest.mark.claim("csi.deletion-takes-emptied-parents")
def test_deletion_of_a_nested_directory_removes_emptied_parents_alone(csi: CsiBench) -> None:
    settings = csi.placed(_of("team/a/b"))
    put(csi.stack, "team/neighbour")
    with csi.volume("nested", settings, spares=False) as volume:
        csi.reclaim(volume, csi.fate(volume, settings, others=["team/neighbour"]))
    left = [*csi.stack.export.list()]
    csi.steps.observe(f"the server has {left}")
    assert left == ["team", "team/neighbour", "team/neighbour/neighbour.txt"]


@pytest.mark.claim("csi.hash-in-subdir-hits-a-neighbour")
def test_subdir_with_a_hash_leaks_its_directory_and_removes_a_neighbours(csi: CsiBench) -> None:
    settings = csi.placed(_of("neighbour#2", "retain"))
    put(csi.stack, "neighbour")
    with csi.volume("hash", settings) as volume:
        csi.reclaim(volume, csi.fate(volume, settings, others=["neighbour"]))
        left = observed_files(csi)
        assert left == ["neighbour#2/hash.txt"], "the neighbour's data was spared"


@pytest.mark.claim("csi.dot-empties-the-share")
def test_subdir_dot_empties_the_share(csi: CsiBench) -> None:
    settings = csi.placed(_of("."))
    put(csi.stack, "neighbour")
    with csi.volume("dot", settings, spares=False) as volume:
        csi.reclaim(volume, csi.fate(volume, settings, others=["neighbour"]))
        assert observed_files(csi) == [], "the neighbour's data was spared"
