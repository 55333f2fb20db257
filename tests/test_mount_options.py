"""Mount options that a user asks for replace those that say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.images import Images
from landfast.manifests import MANIFESTS, Overlay, load
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.nfs.mount_options import family, refused, with_options

IMAGES = Images("kit", "lf/node", "lf/nfs", "lf/prov:1", "lf/db:1", "lf/box:1", "lf/rec:1")
OPTIONS = st.lists(
    st.sampled_from(["hard", "soft", "softerr", "nolock", "lock", "vers=4", "nfsvers=3", "noac"])
)


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ([], ["hard", "nfsvers=4"]),
        (["nfsvers=4.1"], ["hard", "nfsvers=4.1"]),
        (["vers=3", "soft"], ["vers=3", "soft"]),
        (["noatime"], ["hard", "nfsvers=4", "noatime"]),
    ],
)
def test_an_option_replaces_what_says_the_same(more: list[str], found: list[str]) -> None:
    assert with_options(["hard", "nfsvers=4"], more) == found


@given(OPTIONS, OPTIONS)
def test_what_is_asked_for_is_there_and_nothing_contradicts_it(
    options: list[str], more: list[str]
) -> None:
    found = with_options(options, more)
    assert found[len(found) - len(more) :] == more
    rest = found[: len(found) - len(more)]
    assert not {family(option) for option in rest} & {family(option) for option in more}
    assert [option for option in options if option in rest] == rest


def export(*options: str) -> Export:
    return Export(server="h", path="/p", kind="external", mount_options=options)


def test_every_volume_and_class_that_is_brought_gets_them() -> None:
    overlay = Overlay(export("noatime", "nfsvers=4.1"), IMAGES, "r")
    for obj in (overlay.fit(obj) for manifest in MANIFESTS for obj in load(manifest)):
        if obj["kind"] in ("PersistentVolume", "StorageClass"):
            options = obj.get("spec", obj)["mountOptions"]
            assert options[-2:] == ["noatime", "nfsvers=4.1"]
            assert "nfsvers=4" not in options


def test_nothing_changes_if_nothing_is_asked_for() -> None:
    overlay = Overlay(export(), IMAGES, "r")
    for obj in (obj for manifest in MANIFESTS for obj in load(manifest)):
        fitted = overlay.fit(obj)
        own, there = (found.get("spec", found).get("mountOptions") for found in (obj, fitted))
        assert own == there


@pytest.mark.parametrize(("options", "version"), [((), "nfsvers=4"), (("nfsvers=3",), "nfsvers=3")])
def test_the_inspector_mounts_with_the_version_that_is_asked_for(
    options: tuple[str, ...], version: str
) -> None:
    volume, *_ = inspector_pod.objects(export(*options), "ns", "box", "r")
    assert volume["spec"]["mountOptions"] == [version, "noac", "lookupcache=none", "retry=0"]


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("nfservers=4.1", "nfservers is no mount option: nfsvers is"),
        ("nfsvers=3.1", "nfsvers cannot be 3.1"),
        ("vers=", "vers needs a value"),
        ("hard=1", "hard takes no value"),
        ("nolocks", "nolocks is no mount option: nolock is"),
        ("xyz", "xyz is no mount option"),
        ("sec=sys:krb6", "sec cannot be sys:krb6"),
    ],
)
def test_mount_refuses_what_does_not_exist(option: str, why: str) -> None:
    assert refused(option) == why


TAKEN = (
    "nfsvers=4.1 v4.2 vers=3 hard fsc fsc=x proto=tcp6 sec=sys:krb5p noresvport ro intr nocto "
    "x-systemd.automount lookupcache=pos local_lock=none timeo=600 comment=x"
)


@pytest.mark.parametrize("option", TAKEN.split())
def test_mount_takes_what_exists(option: str) -> None:
    assert refused(option) is None
