"""Histories of real runs, judged again: what the checker once said of them, it says today."""

from pathlib import Path

import pytest
from recorded_histories import (
    FOLDER,
    SYNTHETIC,
    expected,
    folders,
    judge_again,
    make_up,
    measure_again,
)

from landfast.verdict import Verdict

each_folder = pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)


def test_there_are_recorded_histories() -> None:
    assert folders(), f"{FOLDER} has no histories"


@each_folder
def test_history_is_judged_as_before(folder: Path) -> None:
    assert judge_again(folder) == expected(folder)


@each_folder
def test_availability_counts_what_the_checker_counts(folder: Path) -> None:
    """But for what was acknowledged once the workload had been told to stop."""
    counted = {i.interval: i.acknowledged for i in expected(folder).by_interval}
    found = {i.interval: i.acknowledged for i in measure_again(folder).intervals}
    assert found["before"] == counted["before"]
    assert found["during"] <= counted["during"]
    assert found["after"] <= counted["after"]


def test_synthetic_history_is_what_its_maker_makes(tmp_path: Path) -> None:
    make_up(tmp_path)
    assert judge_again(tmp_path) == expected(FOLDER / SYNTHETIC)
    (tmp_path / "reading.json").unlink()
    assert judge_again(tmp_path).verdict is Verdict.UNKNOWN


def test_synthetic_history_has_the_losses_that_it_was_given() -> None:
    result = expected(FOLDER / SYNTHETIC)
    assert result.verdict is Verdict.FAIL
    (lost,) = result.lost
    assert (lost.kind, lost.writer, lost.first, lost.last) == ("insert", 1, 78, 79)
    assert lost.acknowledged_from == pytest.approx(3.925)
    assert lost.acknowledged_to == pytest.approx(3.975)
