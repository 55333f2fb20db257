"""What is seen of volumes, and which line that fits."""

import pytest

from landfast.provisioning.contract import Fate, Line, Reclaimed
from landfast.provisioning.detection import Detection, Probe
from landfast.provisioning.observed import ObservedVolume

ARCHIVED = Fate(Reclaimed.ARCHIVED, "archived-x")


def probe(name: str, v402: str = "", master: str = "") -> Probe:
    return Probe(name=name, seen="kept", differences={Line.V402: v402, Line.MASTER: master})


def test_line_is_the_one_without_a_difference() -> None:
    found = Detection(probes=(probe("first"), probe("second", master="it is here")))
    assert found.line is Line.V402
    assert str(found) == "v4.0.2, detected by: first kept; second kept"


def test_build_of_no_line_is_named_with_its_first_differences_and_the_nearest_line() -> None:
    probes = (probe("first"), probe("second", v402="here", master="there"), probe("third", "late"))
    found = Detection(probes=probes)
    assert found.line is None
    assert found.nearest is Line.MASTER
    assert str(found) == (
        "no line: not v4.0.2 (second: here); not master (second: there); the nearest is master"
    )
    assert Detection(probes=probes, lease=True).nearest is Line.LEASES


def test_of_two_lines_equally_near_the_released_one_counts() -> None:
    found = Detection(probes=(probe("first", v402="here", master="there"),))
    assert found.nearest is Line.V402


def test_fork_is_known_by_its_lock() -> None:
    probes = (probe("first"), probe("second", v402="here"))
    found = Detection(probes=probes, lease=True)
    assert found.line is Line.LEASES
    assert str(found).endswith("; its lock is a Lease")
    assert Detection(probes=(probe("first", master="there"),), lease=True).line is Line.V402


def test_detection_survives_being_written() -> None:
    found = Detection(probes=(probe("first", v402="here"),))
    assert Detection.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("seen", "difference"),
    [
        (ObservedVolume("gone", ("archived-x",), intact=True, directory=False), ""),
        (
            ObservedVolume("Released", ("archived-x",), intact=True, directory=False),
            "the volume is Released, not gone",
        ),
        (
            ObservedVolume("gone", ("x",), intact=True, directory=True),
            "the data is in x, not in archived-x; the volume's directory still exists",
        ),
        (
            ObservedVolume("gone", (), intact=True, directory=False),
            "the data is nowhere, not in archived-x",
        ),
        (
            ObservedVolume("gone", ("", "archived-x"), intact=True, directory=False),
            "the data is in the export's root and in archived-x, not in archived-x",
        ),
        (
            ObservedVolume("gone", ("archived-x",), intact=False, directory=False),
            "the data differs from what was written",
        ),
        (
            ObservedVolume("gone", ("archived-x",), intact=True, directory=True),
            "the volume's directory still exists",
        ),
    ],
)
def test_difference_from_a_fate_is_named(seen: ObservedVolume, difference: str) -> None:
    assert seen.difference(ARCHIVED) == difference


def test_directory_that_should_have_stayed_is_named() -> None:
    seen = ObservedVolume("Available", (), intact=True, directory=False)
    emptied = Fate(Reclaimed.EMPTIED, None, "Available")
    assert seen.difference(emptied) == "the volume's directory no longer exists"
    assert str(seen) == "volume Available; its data is nowhere; its own directory does not exist"


def test_seen_reads_well() -> None:
    seen = ObservedVolume("gone", ("x",), intact=False, directory=True)
    assert str(seen) == "volume gone; its data is in x, changed; " + ("its own directory exists")
