"""Directories are one if they are one, however they are written; drivers say where theirs are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.audit.directories import Directory, DirectoryIndex
from landfast.audit.drivers import backing, on_nfs


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("nas.example.com", "NAS.example.com."),
        ("nas.example.com", "nas.example.com:2049"),
        ("2001:db8::1", "[2001:DB8:0:0::1]"),
        ("2001:db8::1", "[2001:db8::1]:2049"),
        ("192.0.2.1", " 192.0.2.1 "),
    ],
)
def test_a_server_has_one_name(one: str, other: str) -> None:
    assert Directory(server=one, path="/a") == Directory(server=other, path="a/./b/..//")


@pytest.mark.parametrize(
    ("one", "other"),
    [("nas", "nas.example.com"), ("192.0.2.1", "192.0.2.10"), ("2001:db8::1", "2001:db8::11")],
)
def test_nobody_guesses_that_two_names_are_one_server(one: str, other: str) -> None:
    assert not Directory(server=one, path="/a").holds(Directory(server=other, path="/a"))


def test_an_ipv6_server_is_written_with_brackets() -> None:
    assert str(Directory(server="2001:DB8::1", path="/a")) == "[2001:db8::1]:/a"
    assert (
        str(Directory(of="PersistentVolumeClaim a/b", path="/x")) == "PersistentVolumeClaim a/b /x"
    )


PATHS = st.lists(st.sampled_from(["a", "b", "a0", "a-", "ab", ""]), max_size=4).map("/".join)
PLACES = st.builds(Directory, server=st.sampled_from(["x", "y"]), path=PATHS)


@given(st.lists(PLACES, max_size=12), PLACES)
def test_an_index_finds_what_looking_at_everything_finds(
    places: list[Directory], one: Directory
) -> None:
    index = DirectoryIndex((place, (number, place)) for number, place in enumerate(places))
    everything = list(enumerate(places))
    inside = [p for p in everything if one.holds(p[1])]
    assert sorted(index.within(one)) == sorted(inside)
    assert sorted(index.at(one)) == sorted(p for p in everything if p[1] == one)
    assert sorted(index.below(one)) == sorted(p for p in inside if p[1] != one)
    assert sorted(index.above(one)) == sorted(
        p for p in everything if p[1].holds(one) and p[1] != one
    )
    assert sorted(p for _, found in index.directories for p in found) == sorted(everything)


@given(PATHS, PATHS)
def test_a_sub_path_never_leaves_its_directory(path: str, sub: str) -> None:
    outer = Directory(server="x", path=path)
    assert outer.holds(outer.sub(sub))
    assert outer.holds(outer.sub(f"../../{sub}"))


@pytest.mark.parametrize(
    ("driver", "handle", "attributes", "expected"),
    [
        ("nfs.csi.k8s.io", "h", {"server": "s", "share": "/e", "subDir": "/a/"}, "s:/e/a"),
        ("nfs.csi.k8s.io", "s#e#a##", {}, "s:/e/a"),
        ("nfs.csi.k8s.io", "h", {}, True),
        ("efs.csi.aws.com", "fs-1", {}, "fs-1:/"),
        ("efs.csi.aws.com", "fs-1:/a", {}, "fs-1:/a"),
        ("efs.csi.aws.com", "fs-1::fsap-2", {}, "fs-1:/fsap-2"),
        ("efs.csi.aws.com", "fs-1:/a:fsap-2", {}, "fs-1:/fsap-2/a"),
        ("efs.csi.aws.com", "what", {}, True),
        ("filestore.csi.storage.gke.io", "x", {"ip": "192.0.2.1", "volume": "v"}, "192.0.2.1:/v"),
        ("filestore.csi.storage.gke.io", "modeInstance/z/i/v", {}, True),
        (
            "file.csi.azure.com",
            "group#acct#share#",
            {"protocol": "nfs"},
            "acct.file.core.windows.net:/acct/share",
        ),
        (
            "file.csi.azure.com",
            "h",
            {
                "protocol": "NFS",
                "storageAccount": "acct",
                "shareName": "s",
                "folderName": "f",
            },
            "acct.file.core.windows.net:/acct/s/f",
        ),
        ("file.csi.azure.com", "group#acct#share#", {}, False),
        (
            "fsx.openzfs.csi.aws.com",
            "fsvol-1",
            {"DNSName": "d", "VolumePath": "/fsx/a"},
            "d:/fsx/a",
        ),
        ("fsx.openzfs.csi.aws.com", "fs-1", {"DNSName": "d"}, "d:/fsx"),
        ("fsx.openzfs.csi.aws.com", "fsvol-1", {"DNSName": "d"}, "FSx volume fsvol-1"),
        ("fsx.openzfs.csi.aws.com", "fsvol-1", {}, True),
        (
            "csi.trident.netapp.io",
            "pvc-1",
            {"protocol": "file", "internalName": "t_1", "backendUUID": "u"},
            "Trident volume u t_1",
        ),
        ("csi.trident.netapp.io", "pvc-1", {"protocol": "block", "internalName": "t"}, False),
        ("csi.trident.netapp.io", "pvc-1", {}, True),
        ("nasplugin.csi.alibabacloud.com", "h", {"server": "s", "path": "/p"}, "s:/p"),
        ("org.democratic-csi.nfs", "h", {"node_attach_driver": "iscsi", "server": "s"}, False),
        ("org.democratic-csi.nfs", "h", {"server": "s", "share": "/p"}, "s:/p"),
        ("ebs.csi.aws.com", "vol-1", {}, False),
        ("fsx.csi.aws.com", "fs-1", {"dnsname": "d"}, False),
        ("driver.example.com", "h", {"server": "s", "share": "/p"}, None),
    ],
)
def test_what_a_driver_says_of_a_volume_is_known(
    driver: str, handle: str, attributes: dict[str, str], expected: str | bool | None
) -> None:
    found = backing(driver, handle, attributes)
    if isinstance(expected, str):
        assert (found.on_nfs, str(found.directory)) == (True, expected)
    else:
        assert (found.on_nfs, found.directory) == (expected, None)


def test_a_file_system_holds_its_access_points() -> None:
    def there(handle: str) -> Directory:
        found = backing("efs.csi.aws.com", handle, {}).directory
        assert found
        return found

    assert there("fs-1").holds(there("fs-1::fsap-2"))
    assert not there("fs-1::fsap-2").holds(there("fs-1::fsap-3"))
    assert not there("fs-2").holds(there("fs-1::fsap-2"))


def test_drivers_are_told_apart_by_name() -> None:
    assert on_nfs("efs.csi.aws.com") is True
    assert on_nfs("ebs.csi.aws.com") is False
    assert on_nfs("csi.trident.netapp.io") is None
    assert on_nfs("driver.example.com") is None
