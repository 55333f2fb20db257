"""What a class's pathPattern lets one PVC do to the data of others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pytest

from fixtures.provisioner import Bench
from landfast.provisioning.contract import ClassSettings, Fate, Reclaimed
from landfast.provisioning.observed import GONE
from landfast.steps import Steps
from suites.conformance.hazards.objects import BY_ANNOTATION, PATH
from suites.files import observed_files, put

_SHARED = {PATH: "shared"}


@dataclass(frozen=True)
class PatternHazard:
    """A pathPattern under onDelete delete, and a directory beside the one that it leads to."""

    name: str
    pattern: str = BY_ANNOTATION
    annotations: Mapping[str, str] = field(default_factory=dict)
    neighbour: str = "neighbour"
    may_empty: bool = False
    """whether a line empties the whole export"""


_HAZARDS = {
    "hazards.nested-directory-is-leaked": PatternHazard("nested", "team/${.PVC.name}"),
    "hazards.last-name-hits-a-neighbour": PatternHazard(
        "named-alike", "team/mysql", neighbour="mysql"
    ),
    "hazards.missing-annotation-gives-the-root": PatternHazard("forgotten"),
    "hazards.dot-empties-the-export": PatternHazard("dot", annotations={PATH: "."}, may_empty=True),
}


@pytest.mark.parametrize(
    "hazard", [pytest.param(h, id=h.name, marks=pytest.mark.claim(c)) for c, h in _HAZARDS.items()]
)
def test_volume_and_its_neighbour_end_as_the_release_line_says(
    hazard: PatternHazard, bench: Bench
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=hazard.pattern)
    put(bench.stack, hazard.neighbour)
    with bench.volume(
        hazard.name, settings, annotations=hazard.annotations, spares=not hazard.may_empty
    ) as volume:
        assert not (misplaced := volume.misplaced(bench.line, settings)), misplaced
        expected = volume.fate(bench.line, settings, others=[hazard.neighbour])
        bench.reclaim(volume, expected)
        left = observed_files(bench)
        spared = f"{hazard.neighbour}/{hazard.neighbour}.txt" in left
        assert spared is (expected.victim is None), f"the neighbour's data: {left}"


@pytest.mark.claim("hazards.nested-archives-collide")
def test_archives_of_nested_directories_with_one_last_name_collide(bench: Bench) -> None:
    settings = ClassSettings(path_pattern=f"{BY_ANNOTATION}/data")
    taken: list[str] = []
    for tenant in ("red", "blue"):
        with bench.volume(f"tenant-{tenant}", settings, annotations={PATH: tenant}) as volume:
            assert not (misplaced := volume.misplaced(bench.line, settings)), misplaced
            expected = volume.fate(bench.line, settings, others=taken)
            taken += bench.reclaim(volume, expected).data


@pytest.mark.claim("hazards.shared-directory-is-removed")
def test_deleting_one_of_two_pvcs_of_a_directory_removes_the_others_data(bench: Bench) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=BY_ANNOTATION)
    with (
        bench.volume("removed-mine", settings, annotations=_SHARED) as mine,
        bench.volume("removed-theirs", settings, annotations=_SHARED) as theirs,
    ):
        bench.reclaim(mine, Fate(Reclaimed.REMOVED, None))
        bench.judge(theirs, Fate(Reclaimed.REMOVED, None, "Bound"))


@pytest.mark.claim("hazards.shared-directory-is-archived")
def test_deleting_one_of_two_pvcs_of_a_directory_archives_the_others_data(bench: Bench) -> None:
    settings = ClassSettings(path_pattern=BY_ANNOTATION)
    with (
        bench.volume("archived-mine", settings, annotations=_SHARED) as mine,
        bench.volume("archived-theirs", settings, annotations=_SHARED) as theirs,
    ):
        bench.reclaim(mine, Fate(Reclaimed.ARCHIVED, "archived-shared"))
        bench.judge(theirs, Fate(Reclaimed.ARCHIVED, "archived-shared", "Bound"))


@pytest.mark.claim("hazards.kept-directory-is-handed-on")
def test_next_pvc_of_a_path_gets_the_data_of_the_last_one(bench: Bench, test: Steps) -> None:
    settings = ClassSettings(on_delete="retain", path_pattern=BY_ANNOTATION)
    with (
        bench.volume("last", settings, annotations=_SHARED) as last,
        test.step("delete the PVC; onDelete is retain"),
    ):
        last.release()
    with bench.volume("next", settings, annotations=_SHARED, write=False) as following:
        left = observed_files(bench)
        assert following.directory == "shared"
        assert left == ["shared/last.txt"], "the next PVC does not get the data of the last one"


@pytest.mark.claim("hazards.dot-dot-leaves-the-export")
def test_annotation_value_dot_dot_gives_the_folder_above_the_export(
    bench: Bench, test: Steps
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=BY_ANNOTATION)
    put(bench.stack, "neighbour")
    with bench.volume("dot-dot", settings, annotations={PATH: ".."}) as volume:
        above = str(PurePosixPath(bench.stack.overlay.root).parent)
        assert volume.path == above, f"the volume's path is {volume.path}, not {above}"
        with test.step("delete the PVC; onDelete is delete"):
            volume.delete_pvc()
        with test.verify("the volume is deleted"):
            volume.wait_for(GONE)
        left = observed_files(bench)
        assert left == ["neighbour/neighbour.txt"], "the neighbour's data was hit"


@pytest.mark.claim("hazards.path-outside-hits-a-namesake")
def test_deletion_of_a_path_outside_nfs_path_removes_its_namesake_or_nothing(
    bench: Bench, test: Steps
) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=BY_ANNOTATION)
    outside = f"outside{bench.stack.overlay.suffix}"  # beside the stack's part of the export
    put(bench.stack, outside)
    try:
        with bench.volume("outside", settings, annotations={PATH: f"../{outside}"}) as volume:
            assert not (misplaced := volume.misplaced(bench.line, settings)), misplaced
            expected = volume.fate(bench.line, settings, others=[outside])
            test.narrate(f"expected: {expected}")
            with test.step("delete the PVC; onDelete is delete"):
                volume.delete_pvc()
            with test.verify("the volume is deleted"):
                volume.wait_for(GONE)
            spared = observed_files(bench) == [f"{outside}/{outside}.txt"]
            hit = "spared" if spared else "hit"
            assert spared is (expected.victim is None), f"the namesake's data was {hit}"
    finally:
        env = bench.stack.env
        env.inspector.remove(str(PurePosixPath(env.subtree, outside)))


@pytest.mark.claim("hazards.placeholder-in-another-case-is-text")
def test_placeholder_in_lower_case_gives_every_pvc_one_directory(bench: Bench) -> None:
    settings = ClassSettings(on_delete="retain", path_pattern="all-${.pvc.name}")
    for name in ("one", "another"):
        with bench.volume(name, settings) as volume:
            assert volume.directory == "all-${.pvc.name}", f"it is {volume.directory}"
    assert observed_files(bench) == [f"all-${{.pvc.name}}/{n}.txt" for n in ("another", "one")]


@pytest.mark.claim("hazards.placeholder-in-a-value-is-expanded")
def test_placeholder_in_an_annotation_is_expanded_if_the_pattern_has_it_later(
    bench: Bench, test: Steps
) -> None:
    settings = ClassSettings(path_pattern=f"{BY_ANNOTATION}-${{.PVC.name}}")
    with bench.volume("tenant", settings, annotations={PATH: "of-${.PVC.name}"}) as volume:
        test.observe(f"the annotation is of-${{.PVC.name}}, the directory {volume.directory}")
        assert volume.directory == "of-tenant-tenant", "the value's placeholder is not expanded"


@pytest.mark.claim("hazards.annotation-climbs-to-a-neighbour")
def test_annotation_with_dot_dot_reaches_and_removes_a_neighbours_directory(bench: Bench) -> None:
    settings = ClassSettings(on_delete="delete", path_pattern=f"mine-{BY_ANNOTATION}")
    put(bench.stack, "neighbour")
    climbing = {PATH: "x/../neighbour"}
    with bench.volume("climber", settings, annotations=climbing, write=False) as volume:
        assert volume.directory == "neighbour", f"the volume's directory is {volume.directory}"
        bench.reclaim(volume, Fate(Reclaimed.REMOVED, None))
        assert observed_files(bench) == [], "the neighbour's data was spared"
