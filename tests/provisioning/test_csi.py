"""The model of csi-driver-nfs: what was seen of v4.13.4, and what always holds."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from csi_classes import NESTED, PLAIN, PVC, settings
from hypothesis import assume, given

from landfast.provisioning import csi
from landfast.provisioning.csi import ClassSettings


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
