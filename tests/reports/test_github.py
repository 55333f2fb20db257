"""What GitHub Actions is told of a run."""

from pathlib import Path

import pytest
from chaos_sample import chaos_events
from report_sample import Case, sample_events, write_run

import reports
from landfast.journal import RunFinished
from landfast.verdict import Verdict
from reports.github import annotations, outputs
from reports.model import Summary
from reports.summarise import summarise_events


def run_of(*verdicts: Verdict, reason: str = "why") -> Summary:
    cases = [
        Case(f"s.n{number}", "It MUST hold.", "s", (), (), verdict, reason)
        for number, verdict in enumerate(verdicts)
    ]
    return summarise_events(sample_events(tuple(cases)))


def test_fail_is_an_error_and_unknown_a_warning() -> None:
    said = annotations(run_of(Verdict.PASS, Verdict.UNKNOWN, Verdict.SKIPPED, Verdict.FAIL))
    assert "::error title=FAIL s.n3::It MUST hold. why" in said
    assert "::warning title=UNKNOWN s.n1::It MUST hold. why" in said
    assert not [line for line in said if "s.n0" in line or "s.n2" in line]


def test_no_more_is_said_than_github_shows() -> None:
    said = annotations(run_of(*[Verdict.FAIL, Verdict.UNKNOWN] * 12))
    assert sum(line.startswith("::error title=FAIL") for line in said) == 10
    assert sum(line.startswith("::warning") for line in said) == 10


def test_a_reason_stays_on_one_line_and_a_title_has_no_separators() -> None:
    (line,) = [x for x in annotations(run_of(Verdict.FAIL, reason="50 %\nof a")) if "s.n0" in x]
    assert line.endswith("50 %25%0Aof a")


def test_a_killed_run_is_an_error() -> None:
    events = [e for e in sample_events() if not isinstance(e, RunFinished)]
    assert annotations(summarise_events(events))[0] == (
        "::error title=Landfast::The journal has no end: the run was killed or is still running."
    )


def test_the_report_is_an_output_and_the_grade_of_a_chaos_run(tmp_path: Path) -> None:
    assert outputs(run_of(Verdict.PASS), tmp_path) == f"report={tmp_path}\n"
    chaos = outputs(summarise_events(chaos_events()), tmp_path)
    assert chaos.splitlines()[0] == f"report={tmp_path}"
    assert chaos.splitlines()[1] in [f"grade={g}" for g in ("none", "Bronze", "Silver", "Gold")]


def test_rendering_adds_to_the_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "outputs"
    file.write_text("before=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    folder = write_run(tmp_path / "run")
    reports.render(folder)
    assert file.read_text() == f"before=1\nreport={folder}\n"
