"""What the suite `csi` expects of a volume, from the stack's place and the driver's options."""

from typing import Any

import pytest

from fixtures.csi import BUILDS, CsiBench
from landfast.images import Images
from landfast.manifests import Overlay
from landfast.nfs.export import Export
from landfast.provisioning.contract import Fate, PvcMeta, Reclaimed
from landfast.provisioning.csi import ClassSettings
from landfast.provisioning.volumes import BoundVolume
from suites.conformance.csi.matrix import SUB_DIRS
from suites.prove_contracts import csi_differing

EXPORT = Export(server="nfs", path="/export", kind="external")


class Place:
    """A stack of which only its place is asked."""

    overlay = Overlay(EXPORT, Images("kit", *["image"] * 6), "1a2b", subtree="csi")


def bench(build: str = "released") -> CsiBench:
    stack: Any = Place()
    steps: Any = None
    return CsiBench(stack, steps, BUILDS[build])


def volume(path: str = "/export/csi/x") -> BoundVolume:
    stack: Any = Place()
    return BoundVolume(stack, "pvc-1", PvcMeta("shop", "data"), path)


def test_a_class_gets_the_place_of_the_stack() -> None:
    placed = bench().placed(ClassSettings("", "", sub_dir="x"))
    assert placed == ClassSettings("nfs", "/export/csi", sub_dir="x")


@pytest.mark.parametrize(
    ("path", "said"),
    [("/export/csi/x", ""), ("/export/csi/y", "the volume's directory is y, not x")],
)
def test_a_volume_in_another_directory_is_misplaced(path: str, said: str) -> None:
    settings = bench().placed(ClassSettings("", "", sub_dir="x"))
    assert bench().misplaced(volume(path), settings) == said


@pytest.mark.parametrize(
    ("build", "reclaimed"),
    [
        ("released", Reclaimed.REMOVED),
        ("retaining", Reclaimed.KEPT),
        ("replacing", Reclaimed.REMOVED),
    ],
)
def test_the_contract_has_the_drivers_options(build: str, reclaimed: Reclaimed) -> None:
    settings = bench().placed(ClassSettings("", "", sub_dir="x"))
    assert bench(build).fate(volume(), settings).reclaimed is reclaimed


def test_a_directory_that_went_with_another_volume_cannot_be_archived() -> None:
    archived = bench().placed(ClassSettings("", "", sub_dir="x", on_delete="archive"))
    assert bench().second_fate(volume(), archived) == Fate(
        Reclaimed.NOTHING_THERE, None, "Released"
    )


def test_builds_differ_in_what_their_option_decides() -> None:
    released = BUILDS["released"]
    absent = {f"csi.delete-ondelete-absent-subdir-{d}" for d in SUB_DIRS}
    assert csi_differing(BUILDS["retaining"], released) == absent
    assert csi_differing(BUILDS["replacing"], released) == {"csi.archive-is-not-overwritten"}
    assert csi_differing(released, released) == set()
