"""The model of csi-driver-nfs: what was seen of v4.13.4, and what always holds."""

import string
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from landfast.provisioning import csi, csi_deletion
from landfast.provisioning.contract import Fate, PvcMeta, Reclaimed
from landfast.provisioning.csi import ClassSettings

PVC = PvcMeta("shop", "data")
PLAIN = ClassSettings("nfs.example.com", "/exports")
GONE = "gone"

words = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=6)
paths = st.lists(words, min_size=1, max_size=3).map("/".join)
sub_dirs = st.one_of(
    st.none(),
    paths,
    st.sampled_from(["/", ".", "a/", "/a", "a//b", "./a", "a#b", "x#..", "${pvc.metadata.name}"]),
)
settings = st.builds(
    ClassSettings,
    server=st.just("nfs.example.com"),
    share=st.sampled_from(["/", "/exports", "exports/"]),
    reclaim_policy=st.sampled_from(["Delete", "Retain"]),
    sub_dir=sub_dirs,
    on_delete=st.sampled_from([None, "", "delete", "retain", "archive", "Archive", "RETAIN"]),
)


def made(sub_dir: str | None, on_delete: str | None = None) -> ClassSettings:
    return replace(PLAIN, sub_dir=sub_dir, on_delete=on_delete)


NESTED = made("${pvc.metadata.namespace}/${pvc.metadata.name}")


def end(of: ClassSettings, *others: str) -> Fate:
    return csi_deletion.fate(of, PVC, "pvc-1", others=others)


@pytest.mark.parametrize(
    ("sub_dir", "expanded"),
    [
        (NESTED.sub_dir, "shop/data"),
        ("${pv.metadata.name}", "pvc-1"),
        ("x-${pvc.metadata.name}-${pvc.metadata.name}", "x-data-data"),
        ("${PVC.metadata.name}", "${PVC.metadata.name}"),
        ("${pvc.metadata.labels.app}", "${pvc.metadata.labels.app}"),
        ("${.PVC.name}", "${.PVC.name}"),
        ("fixed", "fixed"),
    ],
)
def test_three_placeholders_are_expanded(sub_dir: str, expanded: str) -> None:
    assert csi.expand(sub_dir, PVC, "pvc-1") == expanded


@pytest.mark.parametrize("sub_dir", [None, ""])
def test_default_directory_is_the_volumes_name(sub_dir: str | None) -> None:
    plain = replace(PLAIN, sub_dir=sub_dir)
    assert csi.directory(plain, PVC, "pvc-1") == "pvc-1"
    assert csi.handle(plain, PVC, "pvc-1") == "nfs.example.com#exports#pvc-1##"


@pytest.mark.parametrize(
    ("given_", "handle"),
    [
        ({"sub_dir": "shared"}, "nfs.example.com#exports#shared#pvc-1#"),
        ({"sub_dir": "/a/b/"}, "nfs.example.com#exports#a/b#pvc-1#"),
        ({"share": "/"}, "nfs.example.com##pvc-1##"),
        ({"on_delete": "delete"}, "nfs.example.com#exports#pvc-1##"),
        ({"on_delete": "Retain"}, "nfs.example.com#exports#pvc-1##Retain"),
        ({"sub_dir": "x", "on_delete": "archive"}, "nfs.example.com#exports#x#pvc-1#archive"),
    ],
)
def test_handle_says_what_deletion_needs(given_: dict[str, str], handle: str) -> None:
    assert csi.handle(replace(PLAIN, **given_), PVC, "pvc-1") == handle


@pytest.mark.parametrize(
    ("handle", "read"),
    [
        ("server", None),
        ("server/share", None),
        ("server/share/x", csi.Handle("server", "share", "x", "", "")),
        ("server/a/b/x", csi.Handle("server", "a/b", "x", "", "")),
        ("server#share#x", csi.Handle("server", "share", "x", "", "")),
        ("server#share#x#uuid", csi.Handle("server", "share", "x", "uuid", "")),
        ("server#share#x##archive#more", csi.Handle("server", "share", "x", "", "archive")),
        ("server#share#../x#uuid#", None),
        ("server#a/../b#x#uuid#", None),
        ("server#share#x#..#", None),
        ("server/../x", None),
        ("", None),
    ],
)
def test_handles_are_read_in_both_forms(handle: str, read: csi.Handle | None) -> None:
    assert csi.parse(handle) == read


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


def test_options_are_the_drivers_command_line() -> None:
    assert csi.Options("retain", replaces_archives=True).arguments == [
        "--default-ondelete-policy=retain",
        "--remove-archived-volume-path=true",
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"SUBDIR": "x", "OnDelete": "ARCHIVE", "mountpermissions": "0750"}, None),
        ({"mountPermissions": "", "onDelete": ""}, None),
        ({"csi.storage.k8s.io/pvc/name": "data"}, None),
        ({"onDelete": "keep"}, "invalid value keep for OnDelete, supported values are [ delete "),
        ({"subDir": "a/../b"}, 'invalid subDir "a/../b": path contains directory traversal'),
        ({"subDir": "a..b/..."}, None),
        ({"share": "/exports/.."}, 'invalid share "/exports/.."'),
        ({"mountPermissions": "0o777"}, "invalid mountPermissions 0o777 in storage class"),
        ({"mountPermissions": "888"}, "invalid mountPermissions 888"),
        ({"mountPermissions": "40000000000"}, "invalid mountPermissions 40000000000"),
        ({"server": ""}, "server is a required parameter"),
        ({"mountOptions": "hard"}, 'invalid parameter "mountOptions" in storage class'),
        ({"archiveOnDelete": "true"}, 'invalid parameter "archiveOnDelete" in storage class'),
    ],
)
def test_a_class_is_refused(changed: Mapping[str, str], said: str | None) -> None:
    found = csi.refusal({**PLAIN.parameters, **changed})
    assert found is None if said is None else str(found).startswith(said)


def test_a_class_without_share_is_refused_only_when_a_pod_mounts() -> None:
    parameters = {"server": "nfs.example.com"}
    assert csi.refusal(parameters) is None
    assert csi.mount_refusal(replace(PLAIN, share="")) == "share is a required parameter"
    assert csi.mount_refusal(PLAIN) is None


@pytest.mark.parametrize(
    ("permissions", "volume", "share"),
    [(None, 0o755, None), ("0", 0o755, None), ("", 0o755, None), ("0777", 0o777, 0o777)],
)
def test_permissions_reach_the_share_too(
    permissions: str | None, volume: int, share: int | None
) -> None:
    of = replace(PLAIN, mount_permissions=permissions)
    assert (csi.mode(of), csi.share_mode(of)) == (volume, share)


def test_a_volume_carries_the_classs_parameters_and_its_directory() -> None:
    assert csi.attributes(PLAIN, PVC, "pvc-1") == {**PLAIN.parameters, "subdir": "pvc-1"}
    named = csi.attributes(replace(NESTED, on_delete="retain"), PVC, "pvc-1")
    assert named == {**PLAIN.parameters, "subDir": "shop/data", "onDelete": "retain"}


@pytest.mark.parametrize(
    ("server", "share", "source"),
    [
        ("nfs.example.com", "/exports", "nfs.example.com:/exports/pvc-1"),
        ("192.0.2.1", "/", "192.0.2.1:/pvc-1"),
        ("2001:db8::1", "/exports/", "[2001:db8::1]:/exports/pvc-1"),
        ("::ffff:192.0.2.1", "/x", "::ffff:192.0.2.1:/x/pvc-1"),
    ],
)
def test_a_node_mounts_the_directory(server: str, share: str, source: str) -> None:
    assert csi.mount_source(ClassSettings(server, share), PVC, "pvc-1") == source


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


@given(settings)
def test_a_handle_without_a_separator_in_its_parts_says_what_the_class_said(
    of: ClassSettings,
) -> None:
    assume("#" not in (of.sub_dir or ""))
    read = csi.parse(csi.handle(of, PVC, "pvc-1"))
    assert read is not None
    assert read.on_delete in ("", of.on_delete)
    assert read.share == of.share.strip("/")
    again = replace(of, sub_dir=read.sub_dir or "/")
    assert csi.directory(again, PVC, "pvc-1") == csi.directory(of, PVC, "pvc-1")


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
