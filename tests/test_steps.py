"""What a test does and sees lands in the journal as it happens."""

from pathlib import Path

import pytest

from landfast.errors import BadInput
from landfast.journal import Event, Evidence, Journal, Observation, Step, read_journal
from landfast.steps import Steps


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    return Steps(Journal(tmp_path / "journal.jsonl"), "suites/a.py::test_b[c/d]")


def events(folder: Path) -> list[Event]:
    return list(read_journal(folder / "journal.jsonl"))


def test_a_step_is_written_when_it_ends(steps: Steps, tmp_path: Path) -> None:
    with steps.step("delete pod mysql-0"):
        assert not (tmp_path / "journal.jsonl").exists()
    (step,) = events(tmp_path)
    assert isinstance(step, Step)
    assert (step.test, step.text, step.ok) == (
        "suites/a.py::test_b[c/d]",
        "delete pod mysql-0",
        True,
    )


def test_a_step_that_raised_says_so_and_lets_the_error_through(
    steps: Steps, tmp_path: Path
) -> None:
    with pytest.raises(KeyError), steps.step("look"):
        raise KeyError
    (step,) = events(tmp_path)
    assert isinstance(step, Step)
    assert not step.ok


def test_observations_are_counted(steps: Steps, tmp_path: Path) -> None:
    assert steps.observed == 0
    steps.observe("phase Pending")
    steps.observe("phase Bound")
    assert steps.observed == 2
    texts = [e.text for e in events(tmp_path) if isinstance(e, Observation)]
    assert texts == ["phase Pending", "phase Bound"]


def test_what_a_fixture_saw_does_not_count(steps: Steps, tmp_path: Path) -> None:
    steps.narrate("effect: no answer for 5 s")
    assert steps.observed == 0
    assert [e.text for e in events(tmp_path) if isinstance(e, Observation)] == [
        "effect: no answer for 5 s"
    ]


def test_evidence_is_a_file_beside_the_journal(steps: Steps, tmp_path: Path) -> None:
    steps.attach("events in nfs-system/../x", "ImagePullBackOff\nü")
    (evidence,) = events(tmp_path)
    assert isinstance(evidence, Evidence)
    file = tmp_path / evidence.file
    assert file.read_text() == "ImagePullBackOff\nü"
    assert file.parent == tmp_path / "evidence"
    assert evidence.title == "events in nfs-system/../x"


def test_two_pieces_of_one_title_are_both_kept(steps: Steps, tmp_path: Path) -> None:
    steps.attach("events", "first")
    steps.attach("events", "second")
    texts = [(tmp_path / e.file).read_text() for e in events(tmp_path) if isinstance(e, Evidence)]
    assert texts == ["first", "second"]


def test_very_long_evidence_loses_its_middle(steps: Steps, tmp_path: Path) -> None:
    steps.attach("log", "first" + "x" * 400_000 + "last")
    (evidence,) = events(tmp_path)
    assert isinstance(evidence, Evidence)
    text = (tmp_path / evidence.file).read_text()
    assert text.startswith("first")
    assert text.endswith("last")
    assert "characters left out" in text
    assert len(text) < 270_000


def test_a_full_disk_is_one_sentence(steps: Steps, tmp_path: Path) -> None:
    (tmp_path / "evidence").touch()
    with pytest.raises(BadInput, match=r"cannot write evidence into .*: File exists$"):
        steps.attach("log", "x")
