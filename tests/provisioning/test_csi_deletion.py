"""The model of deletion by csi-driver-nfs: what was seen of v4.13.4, and what always holds."""

from dataclasses import replace

import pytest
from csi_classes import NESTED, PLAIN, PVC, made, paths, settings
from hypothesis import assume, given
from hypothesis import strategies as st

from landfast.provisioning import csi, csi_deletion
from landfast.provisioning.contract import Fate, Reclaimed
from landfast.provisioning.csi import ClassSettings

GONE = "gone"


def end(of: ClassSettings, *others: str) -> Fate:
    return csi_deletion.fate(of, PVC, "pvc-1", others=others)


@pytest.mark.parametrize(
    ("class_says", "driver_says", "ends"),
    [
        (None, "", Reclaimed.REMOVED),
        (None, "retain", Reclaimed.KEPT),
        (None, "archive", Reclaimed.ARCHIVED),
        ("delete", "retain", Reclaimed.REMOVED),
        ("", "retain", Reclaimed.KEPT),
    ],
)
def test_the_drivers_own_option_is_for_classes_without_on_delete(
    class_says: str | None, driver_says: str, ends: Reclaimed
) -> None:
    of, options = made("x", class_says), csi.Options(default_on_delete=driver_says)
    assert csi_deletion.fate(of, PVC, "pvc-1", options=options).reclaimed is ends


def test_an_archive_is_replaced_only_if_the_driver_is_told_to() -> None:
    of, taken = made("x", "archive"), ["archived-x"]
    assert end(of, *taken).reclaimed is Reclaimed.FAILED
    replacing = csi.Options(replaces_archives=True)
    found = csi_deletion.fate(of, PVC, "pvc-1", others=taken, options=replacing)
    assert found == Fate(Reclaimed.ARCHIVED, "archived-x", victim="archived-x")


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (PLAIN, Fate(Reclaimed.REMOVED, None)),
        (made(None, "DELETE"), Fate(Reclaimed.REMOVED, None)),
        (made(None, "retain"), Fate(Reclaimed.KEPT, "pvc-1")),
        (made(None, "archive"), Fate(Reclaimed.ARCHIVED, "archived-pvc-1")),
        (replace(NESTED, on_delete="Archive"), Fate(Reclaimed.ARCHIVED, "archived-shop/data")),
        (made("./a", "archive"), Fate(Reclaimed.ARCHIVED, "archived-./a")),
        (replace(PLAIN, reclaim_policy="Retain"), Fate(Reclaimed.KEPT, "pvc-1", "Released")),
        (made("/"), Fate(Reclaimed.EMPTIED, None, "Released", victim=".")),
        (made("/#a"), Fate(Reclaimed.EMPTIED, None, "Released", victim=".")),
        (made(".", "archive"), Fate(Reclaimed.FAILED, "", "Released")),
        (made("x#.."), Fate(Reclaimed.LEAKED, "x#..")),
        (made("x#y"), Fate(Reclaimed.LEAKED, "x#y")),
        (made("x#y#retain"), Fate(Reclaimed.KEPT, "x#y#retain")),
        (made("x#y#archive"), Fate(Reclaimed.FAILED, "x#y#archive", "Released")),
        (made("x/.#y"), Fate(Reclaimed.REMOVED, None, victim="x")),
        (made("x/.#y#archive"), Fate(Reclaimed.ARCHIVED, "archived-x/.#y#archive", victim="x")),
    ],
)
def test_the_class_decides_when_the_volume_is_made(of: ClassSettings, expected: Fate) -> None:
    assert end(of) == expected


@pytest.mark.parametrize(
    ("of", "other", "expected"),
    [
        (made("shared"), "shared", Fate(Reclaimed.REMOVED, None, victim="shared")),
        (made("shared"), "shared/in", Fate(Reclaimed.REMOVED, None, victim="shared/in")),
        (made("shared"), "shared-2", Fate(Reclaimed.REMOVED, None)),
        (
            made("shared", "archive"),
            "shared",
            Fate(Reclaimed.ARCHIVED, "archived-shared", victim="shared"),
        ),
        (
            made("shared", "archive"),
            "archived-shared",
            Fate(Reclaimed.FAILED, "shared", "Released"),
        ),
        (made("shared", "retain"), "shared", Fate(Reclaimed.KEPT, "shared")),
        (made("x#y"), "x", Fate(Reclaimed.LEAKED, "x#y", victim="x")),
        (made("x#y#archive"), "x", Fate(Reclaimed.LEAKED, "x#y#archive", victim="x")),
    ],
)
def test_others_on_the_share_are_hit_or_in_the_way(
    of: ClassSettings, other: str, expected: Fate
) -> None:
    assert end(of, other) == expected


@pytest.mark.parametrize(
    ("handle", "others", "phase"),
    [
        ("s#e#shared#pvc-2#", [], GONE),
        ("s#e#shared#pvc-2#archive", ["archived-shared"], "Released"),
        ("s#e#a/shared#pvc-2#", [], "Released"),  # its parent went with it and cannot be listed
        ("s#e#a/shared#pvc-2#", ["a/b"], GONE),
    ],
)
def test_the_second_volume_of_a_shared_directory(
    handle: str, others: list[str], phase: str
) -> None:
    found = csi_deletion.deletion(handle, "shared", others=others, gone=True)
    assert found == Fate(Reclaimed.NOTHING_THERE, None, phase)


def test_a_handle_of_a_static_volume_may_name_another_place() -> None:
    assert csi_deletion.deletion("s#e#a/b##", "c") == Fate(Reclaimed.FAILED, "c", "Released")
    assert csi_deletion.deletion("s#e#c/b##", "c") == Fate(Reclaimed.LEAKED, "c")
    assert csi_deletion.deletion("static-volume", "c") == Fate(Reclaimed.LEAKED, "c")


def test_emptied_parents_go_too_unless_they_are_many() -> None:
    assert csi_deletion.emptied_parents("a/b/c") == ["a/b", "a"]
    assert csi_deletion.emptied_parents("a/b/c", ["a/d"]) == ["a/b"]
    assert csi_deletion.emptied_parents("a/b/c", ["a"]) == ["a/b"]
    assert csi_deletion.emptied_parents("a") == []
    ten = "/".join("abcdefghijk")
    assert end(made(ten)) == Fate(Reclaimed.REMOVED, None)
    assert end(made(f"{ten}/l")) == Fate(Reclaimed.REMOVED, None, "Released")
    assert len(csi_deletion.emptied_parents(f"{ten}/l/m")) == 11


@given(settings, st.lists(paths))
def test_retained_data_stays_where_it_is(of: ClassSettings, others: list[str]) -> None:
    assume("#" not in (of.sub_dir or ""))
    found = end(of, *others)
    if of.reclaim_policy == "Retain" or (of.on_delete or "").lower() == "retain":
        assert found.reclaimed is Reclaimed.KEPT
        assert found.data == csi.directory(of, PVC, "pvc-1")
        assert not found.hazard


@given(settings, st.lists(paths))
def test_a_volume_stays_with_data_that_cannot_be_deleted(
    of: ClassSettings, others: list[str]
) -> None:
    found = end(of, *others)
    if found.reclaimed is Reclaimed.FAILED:
        assert found.phase == "Released"
    if found.reclaimed is Reclaimed.LEAKED:
        assert found.phase == GONE
        assert "#" in str(of.sub_dir)


@given(settings, st.lists(paths))
def test_a_volume_of_its_own_hurts_nobody_and_fails_only_for_an_archive(
    of: ClassSettings, others: list[str]
) -> None:
    own = csi.directory(of, PVC, "pvc-1")
    assume("#" not in own and own != "")
    apart = [name for name in others if not f"{name}/".startswith(f"{own}/")]
    found = end(of, *apart)
    assert found.victim is None
    if found.reclaimed is Reclaimed.FAILED:
        assert any(f"{name}/".startswith(f"archived-{own.split('/')[0]}") for name in apart)
