"""The contract's model: the rows that were seen of the real program, and what always holds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.provisioning.contract import (
    ClassSettings,
    Fate,
    Line,
    PvcMeta,
    Reclaimed,
    archive_name,
    directory,
    expand,
    fate,
    lines_differ,
    looked_at,
    pv_path,
    static_fate,
)

PVC = PvcMeta(
    "shop",
    "data",
    labels={"app": "mysql", "example.com/tier": "gold"},
    annotations={
        "nfs.io/path": "a/b",
        "climb": "a/../b",
        "dot": ".",
        "up": "..",
        "nested": "x-${.PVC.labels.app}",
    },
)
NFS_PATH = "/exports"
DEFAULT = "shop-data-pvc-1"
NESTED = "${.PVC.namespace}/${.PVC.name}"
BOTH = pytest.mark.parametrize("line", Line)
GONE = "gone"

lines = st.sampled_from(Line)
actions = st.builds(
    ClassSettings,
    reclaim_policy=st.sampled_from(["Delete", "Retain"]),
    archive_on_delete=st.sampled_from([None, "true", "1", "false", "F", "no", ""]),
    on_delete=st.sampled_from([None, "delete", "retain", "Delete", ""]),
)
patterns = st.sampled_from(
    [None, "${.PVC.name}", NESTED, "${.PVC.annotations.none}", "${.PVC.annotations.up}", ".", "x/y"]
)
every = st.builds(lambda action, pattern: replace(action, path_pattern=pattern), actions, patterns)


def end(line: Line, settings: ClassSettings, **circumstances: object) -> Fate:
    return fate(line, settings, PVC, "pvc-1", NFS_PATH, **circumstances)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "expanded"),
    [
        (NESTED, "shop/data"),
        ("${.PVC.labels.app}", "mysql"),
        ("${.PVC.labels.none}", ""),
        ("${.PVC.labels.example.com/tier}", "gold"),
        ("${.PVC.annotations.nfs.io/path}", "a/b"),
        ("pre-${.PVC.name}-post", "pre-data-post"),
        ("fixed", "fixed"),
        ("x${.PVC.labels.nope}y", "xy"),
        ("${.PVC.annotations.nope}", ""),
        ("x${.PVC.uid}y", "xy"),
        ("x${.PV.name}y", "x${.PV.name}y"),
        ("${.pvc.name}", "${.pvc.name}"),
        ("${.PVC.annotations.nested}-${.PVC.labels.app}", "x-mysql-mysql"),
        ("${.PVC.labels.app}-${.PVC.annotations.nested}", "mysql-x-${.PVC.labels.app}"),
        ("${.PVC.annotations.climb}", "a/../b"),
        ("${PVC.name}", "${PVC.name}"),
    ],
)
def test_pattern_is_expanded(pattern: str, expanded: str) -> None:
    assert expand(pattern, PVC) == expanded


@BOTH
def test_default_directory_has_namespace_pvc_and_volume(line: Line) -> None:
    assert directory(line, ClassSettings(), PVC, "pvc-1") == DEFAULT
    assert pv_path("/exports/", DEFAULT) == f"/exports/{DEFAULT}"
    assert pv_path("/", DEFAULT) == f"/{DEFAULT}"


def test_missing_annotation_gives_the_export_or_the_default() -> None:
    settings = ClassSettings(path_pattern="${.PVC.annotations.nope}")
    assert directory(Line.V402, settings, PVC, "pvc-1") == ""
    assert pv_path(NFS_PATH, "") == NFS_PATH
    assert directory(Line.MASTER, settings, PVC, "pvc-1") == DEFAULT


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({}, Fate(Reclaimed.ARCHIVED, f"archived-{DEFAULT}")),
        ({"archive_on_delete": "true"}, Fate(Reclaimed.ARCHIVED, f"archived-{DEFAULT}")),
        ({"archive_on_delete": "false"}, Fate(Reclaimed.REMOVED, None)),
        ({"on_delete": "delete"}, Fate(Reclaimed.REMOVED, None)),
        ({"on_delete": "retain", "archive_on_delete": "false"}, Fate(Reclaimed.KEPT, DEFAULT)),
        ({"on_delete": "Delete"}, Fate(Reclaimed.ARCHIVED, f"archived-{DEFAULT}")),
        ({"archive_on_delete": "no"}, Fate(Reclaimed.FAILED, DEFAULT, "Released")),
        (
            {"reclaim_policy": "Retain", "archive_on_delete": "true"},
            Fate(Reclaimed.KEPT, DEFAULT, "Released"),
        ),
    ],
)
@BOTH
def test_class_decides(line: Line, given_: dict[str, str], expected: Fate) -> None:
    assert end(line, ClassSettings(**given_)) == expected


@BOTH
def test_an_archive_that_is_there_makes_the_deletion_fail(line: Line) -> None:
    collision = end(line, ClassSettings(), others=[f"archived-{DEFAULT}"])
    assert collision == Fate(Reclaimed.FAILED, DEFAULT, "Released")


@pytest.mark.parametrize(
    ("settings", "v402", "master"),
    [
        (
            ClassSettings(on_delete="delete", path_pattern=NESTED),
            Fate(Reclaimed.LEAKED, "shop/data"),
            Fate(Reclaimed.REMOVED, None),
        ),
        (
            ClassSettings(path_pattern=NESTED),
            Fate(Reclaimed.LEAKED, "shop/data"),
            Fate(Reclaimed.ARCHIVED, "archived-data"),
        ),
        (
            ClassSettings(path_pattern="${.PVC.annotations.nope}", on_delete="delete"),
            Fate(Reclaimed.LEAKED, ""),
            Fate(Reclaimed.REMOVED, None),
        ),
        (
            ClassSettings(path_pattern="${.PVC.annotations.climb}", on_delete="retain"),
            Fate(Reclaimed.KEPT, "b"),
            Fate(Reclaimed.KEPT, "b"),
        ),
        (
            ClassSettings(path_pattern="${.PVC.annotations.dot}", on_delete="delete"),
            Fate(Reclaimed.LEAKED, ""),
            Fate(Reclaimed.EMPTIED, None, "Released", victim="."),
        ),
        (
            ClassSettings(path_pattern="${.PVC.annotations.dot}"),
            Fate(Reclaimed.LEAKED, ""),
            Fate(Reclaimed.FAILED, "", "Released"),
        ),
        (
            ClassSettings(path_pattern="${.PVC.annotations.up}", on_delete="retain"),
            Fate(Reclaimed.KEPT, None),
            Fate(Reclaimed.KEPT, None),
        ),
        (  # the parent of the export is taken for the export
            ClassSettings(path_pattern="${.PVC.annotations.up}", on_delete="delete"),
            Fate(Reclaimed.EMPTIED, None, "Released", victim="."),
            Fate(Reclaimed.EMPTIED, None, "Released", victim="."),
        ),
    ],
)
def test_pattern_decides_by_line(settings: ClassSettings, v402: Fate, master: Fate) -> None:
    assert end(Line.V402, settings) == v402
    assert end(Line.MASTER, settings) == master


def test_last_name_of_a_nested_directory_hits_a_neighbour_in_the_released_line_only() -> None:
    removes = ClassSettings(on_delete="delete", path_pattern=NESTED)
    leaked = Fate(Reclaimed.LEAKED, "shop/data", victim="data")
    assert end(Line.V402, removes, others=["data"]) == leaked
    assert end(Line.V402, removes, others=["data/sub"]).reclaimed is Reclaimed.LEAKED
    assert end(Line.MASTER, removes, others=["data"]) == Fate(Reclaimed.REMOVED, None)
    archives = ClassSettings(path_pattern=NESTED)
    assert end(Line.V402, archives, others=["data"]) == leaked


def test_directory_inside_one_of_its_own_name_goes_with_it() -> None:
    pattern = "data/${.PVC.name}"
    removed = end(Line.V402, ClassSettings(on_delete="delete", path_pattern=pattern))
    assert removed == Fate(Reclaimed.REMOVED, None, victim="data")
    archived = end(Line.V402, ClassSettings(path_pattern=pattern))
    assert archived == Fate(Reclaimed.ARCHIVED, "archived-data/data", victim="data")


@pytest.mark.parametrize("nfs_path", ["/", "/exports/"])
def test_nfs_path_that_ends_in_a_slash_leaks_in_master(nfs_path: str) -> None:
    settings = ClassSettings(on_delete="delete")
    ends = {line: fate(line, settings, PVC, "pvc-1", nfs_path).reclaimed for line in Line}
    assert ends.pop(Line.V402) is Reclaimed.REMOVED
    assert set(ends.values()) == {Reclaimed.LEAKED}


def test_path_above_the_export_is_looked_for_under_its_last_name() -> None:
    assert looked_at(Line.V402, "/exports", "/") == ""
    assert looked_at(Line.V402, "/data/share", "/data") == "data"


def test_path_outside_the_export_is_looked_for_in_the_provisioners_container() -> None:
    assert looked_at(Line.MASTER, "/data/share", "/data") is None
    assert looked_at(Line.MASTER, "/data/share", "/data/neighbour") is None
    assert looked_at(Line.MASTER, "/data", "/") == ""
    assert looked_at(Line.MASTER, "/data", "/persistentvolumes/neighbour") == "neighbour"
    assert looked_at(Line.MASTER, "/", "/x") is None


def test_archive_of_the_servers_root_has_no_name() -> None:
    assert archive_name("/") == "archived-"
    assert archive_name("/exports/team/data") == "archived-data"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("Retain", Fate(Reclaimed.KEPT, "here", "Released")),
        ("Delete", Fate(Reclaimed.FAILED, "here", "Failed")),
        ("Recycle", Fate(Reclaimed.EMPTIED, None, "Available")),
    ],
)
def test_prepared_volume_goes_by_its_policy(policy: str, expected: Fate) -> None:
    assert static_fate(policy, "here") == expected
    assert expected.directory_stays


def test_what_is_not_found_but_to_be_kept_is_kept() -> None:
    asked = ClassSettings(path_pattern=NESTED, on_delete="retain")
    assert end(Line.V402, asked) == Fate(Reclaimed.KEPT, "shop/data")
    other = replace(asked, on_delete="delete")
    assert end(Line.V402, other) == Fate(Reclaimed.LEAKED, "shop/data")


def test_policy_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="Shred"):
        static_fate("Shred", "here")


def test_fate_reads_well() -> None:
    assert str(Fate(Reclaimed.ARCHIVED, "archived-x")) == "archived as archived-x, volume gone"
    assert str(Fate(Reclaimed.LEAKED, "")) == "LEAKED in the export's root, volume gone"
    hit = str(Fate(Reclaimed.LEAKED, "a/b", victim="b"))
    assert hit == "LEAKED, volume gone; hits b, which is not its own"


@pytest.mark.parametrize(
    ("found", "hazard"),
    [
        (Fate(Reclaimed.REMOVED, None), False),
        (Fate(Reclaimed.KEPT, "x"), False),
        (Fate(Reclaimed.KEPT, ""), True),
        (Fate(Reclaimed.LEAKED, "x"), True),
        (Fate(Reclaimed.FAILED, "x", "Released"), True),
        (Fate(Reclaimed.REMOVED, None, victim="x"), True),
    ],
)
def test_hazard_is_data_out_of_sight_or_of_others(found: Fate, hazard: bool) -> None:
    assert found.hazard is hazard


@given(lines, every)
def test_retain_leaves_the_data_where_it_is(line: Line, settings: ClassSettings) -> None:
    kept = end(line, replace(settings, reclaim_policy="Retain"))
    assert (kept.reclaimed, kept.phase, kept.victim) == (Reclaimed.KEPT, "Released", None)


@given(lines, every, st.sampled_from([None, "true", "false", "no"]))
def test_on_delete_wins_over_archive_on_delete(
    line: Line, settings: ClassSettings, archive: str | None
) -> None:
    if settings.on_delete in ("delete", "retain"):
        assert end(line, settings) == end(line, replace(settings, archive_on_delete=archive))


@given(lines, every)
def test_unrelated_directory_changes_nothing(line: Line, settings: ClassSettings) -> None:
    assert end(line, settings) == end(line, settings, others=["unrelated/deep", "other"])


@given(actions)
def test_lines_agree_on_directories_in_the_root(settings: ClassSettings) -> None:
    flat = replace(settings, path_pattern="${.PVC.name}")
    assert not lines_differ(settings, PVC, "pvc-1", NFS_PATH)
    assert not lines_differ(flat, PVC, "pvc-1", NFS_PATH)


def test_lines_differ_in_whom_a_path_outside_hits() -> None:
    outside = ClassSettings(on_delete="delete", path_pattern="../outside")
    assert lines_differ(outside, PVC, "pvc-1", NFS_PATH, others=["outside"])
    assert not lines_differ(outside, PVC, "pvc-1", NFS_PATH)


@given(actions)
def test_lines_differ_on_a_nested_directory_unless_it_is_to_be_kept(
    settings: ClassSettings,
) -> None:
    nested = replace(settings, path_pattern=NESTED)
    kept = settings.reclaim_policy == "Retain" or settings.on_delete == "retain"
    assert lines_differ(nested, PVC, "pvc-1", NFS_PATH) is not kept


@given(every)
def test_lines_that_use_different_directories_differ(settings: ClassSettings) -> None:
    made = {directory(line, settings, PVC, "pvc-1") for line in Line}
    for nfs_path in ("/", "/exports/", NFS_PATH, "/data/shop-data-pvc-1"):
        assert len(made) == 1 or lines_differ(settings, PVC, "pvc-1", nfs_path)


@given(lines, every, st.text("bXY", min_size=1, max_size=3))
def test_name_of_the_export_does_not_decide(line: Line, settings: ClassSettings, name: str) -> None:
    assert fate(line, settings, PVC, "pvc-1", f"/{name}") == end(line, settings)


@given(actions, st.text("abc", min_size=1, max_size=5), st.text("abc", min_size=1, max_size=5))
def test_names_do_not_decide(settings: ClassSettings, namespace: str, name: str) -> None:
    other = PvcMeta(namespace, name)
    for line in Line:
        found = fate(line, settings, other, "pvc-2", NFS_PATH)
        assert found.reclaimed is end(line, settings).reclaimed
