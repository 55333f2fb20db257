"""What a class's pathPattern lets one claim do to the data of others."""

from pathlib import PurePosixPath

import pytest

from landfast.provisioning.contract import ClassSettings, Line, fate
from landfast.provisioning.volumes import GONE, provisioned
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from suites.conformance.hazards.exports import files, put
from suites.conformance.hazards.objects import BY_ANNOTATION, PATH

SHARED = {PATH: "shared"}


@pytest.mark.claim("hazards.shared-directory-is-removed")
def test_deleting_one_of_two_claims_on_a_directory_removes_the_others_data(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=BY_ANNOTATION)
    with (
        provisioned(provisioner, "removed-mine", settings, annotations=SHARED) as mine,
        provisioned(provisioner, "removed-theirs", settings, annotations=SHARED) as theirs,
    ):
        mine.write()
        theirs.write()
        before = files(provisioner)
        observe(f"paths {mine.path} and {theirs.path}; the server has {before}")
        with step("delete the first claim"):
            mine.delete_claim()
            mine.wait_for(GONE)
        left = files(provisioner)
        observe(
            f"the second claim's volume is {theirs.phase()}; the server has {left or 'nothing'}"
        )
        assert before == ["shared/removed-mine.txt", "shared/removed-theirs.txt"]
        assert left == [], "data was spared"
        assert theirs.phase() == "Bound", "the other claim lost its volume, too"


@pytest.mark.claim("hazards.shared-directory-is-archived")
def test_deleting_one_of_two_claims_on_a_directory_archives_the_others_data(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(path_pattern=BY_ANNOTATION)
    with (
        provisioned(provisioner, "archived-mine", settings, annotations=SHARED) as mine,
        provisioned(provisioner, "archived-theirs", settings, annotations=SHARED) as theirs,
    ):
        mine.write()
        theirs.write()
        with step("delete the first claim"):
            mine.delete_claim()
            mine.wait_for(GONE)
        seen, left = theirs.look(), files(provisioner)
        observe(f"of the second claim: {seen}")
        observe(f"both had path {theirs.path}; the server has {left}")
        assert seen.phase == "Bound", "the other claim lost its volume, too"
        assert seen.data == ("archived-shared",), "the other claim's data is not in the archive"
        assert not seen.directory, "the other claim's directory is still there"
        assert seen.intact, "the other claim's data was changed"


@pytest.mark.claim("hazards.kept-directory-is-handed-on")
def test_next_claim_of_a_path_gets_what_the_last_one_left(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(on_delete="retain", path_pattern=BY_ANNOTATION)
    with provisioned(provisioner, "handed-last", settings, annotations=SHARED) as last:
        last.write()
        with step("delete the claim; onDelete is retain"):
            last.delete_claim()
            last.wait_for(GONE)
    with provisioned(provisioner, "handed-next", settings, annotations=SHARED) as following:
        left = files(provisioner)
        mode = provisioner.env.inspector.stat(provisioner.folder("shared"))
        observe(f"the next claim's volume has path {following.path}; the server has {left}; {mode}")
        assert following.directory == "shared"
        assert left == ["shared/handed-last.txt"], "the next claim does not see the last one's data"


@pytest.mark.claim("hazards.nested-directory-is-leaked")
def test_nested_directory_is_found_again_by_its_path_or_not_at_all(
    provisioner: Stack, contract_line: Line, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern="team/${.PVC.name}")
    with provisioned(provisioner, "nested", settings) as volume:
        expected = fate(contract_line, settings, volume.pvc, volume.name, provisioner.overlay.root)
        assert not (wrong := volume.misplaced(contract_line, settings)), wrong
        volume.write()
        with step("delete the claim; onDelete is delete"):
            volume.delete_claim()
            volume.wait_for(expected.phase)
        seen = volume.look()
        observe(f"{contract_line}: expected {expected}")
        observe(f"seen: {seen}; the server has {files(provisioner) or 'no file'}")
        assert not (difference := seen.difference(expected)), difference


@pytest.mark.claim("hazards.nested-archives-collide")
def test_archives_of_nested_directories_with_one_last_name_collide(
    provisioner: Stack, contract_line: Line, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(path_pattern=f"{BY_ANNOTATION}/data")
    taken: list[str] = []
    for tenant in ("red", "blue"):
        with provisioned(
            provisioner, f"tenant-{tenant}", settings, annotations={PATH: tenant}
        ) as volume:
            expected = fate(
                contract_line,
                settings,
                volume.pvc,
                volume.name,
                provisioner.overlay.root,
                others=taken,
            )
            assert not (wrong := volume.misplaced(contract_line, settings)), wrong
            volume.write()
            with step(f"delete the claim whose directory is {tenant}/data"):
                volume.delete_claim()
                volume.wait_for(expected.phase)
            seen = volume.look()
            observe(f"{tenant}: {contract_line}: expected {expected}; seen: {seen}")
            observe(f"{tenant}: events: {list(seen.events)}")
            assert not (difference := seen.difference(expected)), f"{tenant}: {difference}"
        taken += seen.data
    observe(f"the server has {files(provisioner)}")


@pytest.mark.claim("hazards.last-name-hits-a-neighbour")
def test_nested_directory_named_like_a_neighbours_hits_the_neighbour_or_not(
    provisioner: Stack, contract_line: Line, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern="team/mysql")
    put(provisioner, "mysql", "neighbour")
    with provisioned(provisioner, "named-alike", settings) as volume:
        expected = fate(
            contract_line,
            settings,
            volume.pvc,
            volume.name,
            provisioner.overlay.root,
            others=["mysql"],
        )
        volume.write()
        observe(f"path {volume.path}; before, the server has {files(provisioner)}")
        with step("delete the claim; onDelete is delete"):
            volume.delete_claim()
            volume.wait_for(expected.phase)
        seen, left = volume.look(), files(provisioner)
        observe(f"{contract_line}: expected {expected}")
        observe(f"seen: {seen}; the server has {left}")
        assert not (difference := seen.difference(expected)), difference
        spared = expected.victim is None
        assert ("mysql/neighbour.txt" in left) is spared, f"the neighbour's data: {left}"


@pytest.mark.claim("hazards.missing-annotation-gives-the-root")
def test_claim_without_the_patterns_annotation_gets_the_exports_root_or_not(
    provisioner: Stack, contract_line: Line, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=BY_ANNOTATION)
    put(provisioner, "neighbour", "neighbour")
    with provisioned(provisioner, "forgotten", settings) as volume:
        expected = fate(contract_line, settings, volume.pvc, volume.name, provisioner.overlay.root)
        volume.write()
        root = provisioner.overlay.root
        observe(f"{contract_line}: path {volume.path}, NFS_PATH {root}; {files(provisioner)}")
        assert not (wrong := volume.misplaced(contract_line, settings)), wrong
        with step("delete the claim; onDelete is delete"):
            volume.delete_claim()
            volume.wait_for(expected.phase)
        seen, left = volume.look(), files(provisioner)
        observe(f"expected {expected}; seen: {seen}; the server has {left}")
        assert not (difference := seen.difference(expected)), difference
        assert "neighbour/neighbour.txt" in left, "the neighbour's data was hit"


@pytest.mark.claim("hazards.dot-empties-the-export")
def test_annotation_value_dot_gives_the_root_and_deleting_it_empties_the_export_or_not(
    provisioner: Stack, contract_line: Line, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=BY_ANNOTATION)
    put(provisioner, "neighbour", "neighbour")
    with provisioned(provisioner, "dot", settings, annotations={PATH: "."}) as volume:
        expected = fate(contract_line, settings, volume.pvc, volume.name, provisioner.overlay.root)
        volume.write()
        observe(f"{contract_line}: path {volume.path}; before, the server has {files(provisioner)}")
        assert not (wrong := volume.misplaced(contract_line, settings)), wrong
        with step("delete the claim; onDelete is delete"):
            volume.delete_claim()
            volume.wait_for(expected.phase)
        seen, left = volume.look(), files(provisioner)
        observe(f"expected {expected}; seen: {seen}; the server has {left or 'nothing'}")
        observe(f"events: {list(seen.events)}")
        assert not (difference := seen.difference(expected)), difference
        spared = expected.victim is None
        assert ("neighbour/neighbour.txt" in left) is spared, f"the neighbour's data: {left}"


@pytest.mark.claim("hazards.dot-dot-leaves-the-export")
def test_annotation_value_dot_dot_gives_what_is_above_the_export(
    provisioner: Stack, contract_line: Line, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=BY_ANNOTATION)
    put(provisioner, "neighbour", "neighbour")
    with provisioned(provisioner, "dot-dot", settings, annotations={PATH: ".."}) as volume:
        root = PurePosixPath(provisioner.overlay.root)
        observe(f"{contract_line}: path {volume.path}, NFS_PATH {root}")
        assert volume.path == str(root.parent), f"the volume is {volume.path}"
        with step("delete the claim; onDelete is delete"):
            volume.delete_claim()
            volume.wait_for(GONE)
        left = files(provisioner)
        observe(f"the volume is gone, the server has {left}")
        assert left == ["neighbour/neighbour.txt"], "the neighbour's data was hit"


@pytest.mark.claim("hazards.annotation-climbs-to-a-neighbour")
def test_annotation_with_dot_dot_reaches_and_removes_a_neighbours_directory(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=f"mine-{BY_ANNOTATION}")
    put(provisioner, "neighbour", "neighbour")
    value = {PATH: "x/../neighbour"}
    with provisioned(provisioner, "climber", settings, annotations=value) as volume:
        before = files(provisioner)
        observe(f"pattern {settings.path_pattern} gave {volume.path}; the server has {before}")
        assert volume.directory == "neighbour", f"the volume's directory is {volume.directory}"
        with step("delete the claim; onDelete is delete"):
            volume.delete_claim()
            volume.wait_for(GONE)
        left = files(provisioner)
        observe(f"the volume is gone, the server has {left or 'nothing'}")
        assert left == [], "the neighbour's data was spared"
