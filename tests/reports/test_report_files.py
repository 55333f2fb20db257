"""JUnit, Markdown, the schema, and writing them all."""

import errno
import json
import os
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_sample import CASES, Case, sample_events, write_run

import reports
from landfast.errors import BadInput
from landfast.journal import Event, TestStarted
from landfast.verdict import Verdict
from reports.junit import render_junit
from reports.markdown import render_markdown
from reports.schema import journal_schema
from reports.summarise import summarise_events

EVENTS = sample_events()


def junit(events: list[Event]) -> ET.Element:
    return ET.fromstring(render_junit(summarise_events(events)))  # noqa: S314 - our own text


def case(text: str, verdict: Verdict = Verdict.FAIL) -> Case:
    return Case("s.one", text, text, ((text, 1.0),), (text,), verdict, text)


def test_junit_counts_and_outcomes() -> None:
    root = junit(EVENTS)
    assert root.attrib == {
        "name": "landfast",
        "tests": "20",
        "failures": "2",
        "errors": "1",
        "skipped": "2",
        "time": "258.500",
    }
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
    assert [f.attrib["type"] for f in root.iter("failure")] == ["FAIL", "FAIL"]
    assert [e.attrib["type"] for e in root.iter("error")] == ["UNKNOWN"]
    messages = [s.attrib["message"] for s in root.iter("skipped")]
    assert messages[0] == "nfs.locks: the user-space mount does not pass locks to the server"


def test_junit_testcase_has_its_claim_verdict_and_observations() -> None:
    [found] = junit(EVENTS).findall(".//testcase[@name='test_data_survives_pod_deletion']")
    assert found.attrib["classname"] == "suites.conformance.walkthrough.test_walkthrough"
    assert [tuple(p.attrib.values()) for p in found.iter("property")] == [
        ("claim", "walkthrough.data-survives-pod-deletion"),
        ("verdict", "PASS"),
        ("observed", "pod uid changed from 3c1e… to 88fa…"),
        ("observed", "2 rows: 'hello,', 'world!'"),
    ]


def test_junit_failure_says_where_and_how_to_repeat() -> None:
    text = next(iter(junit(EVENTS).iter("failure"))).text or ""
    assert "failed step: compare the export with what it held" in text
    assert "evidence/binding.recycle-scrubs-only-its-volume/after.txt" in text
    assert "alone: landfast conformance -k " in text


def test_junit_of_a_killed_run_is_not_green() -> None:
    passed = tuple(case for case in CASES if case.verdict is Verdict.PASS)
    events = sample_events(passed)[:-1]
    root = junit([event for event in events if not isinstance(event, TestStarted)])
    [error] = root.iter("error")
    assert "no end" in error.attrib["message"]
    assert root.attrib["errors"] == "1"


def test_junit_shows_claims_that_were_not_run() -> None:
    declared = [event for event in EVENTS if "test" not in event.kind]
    root = junit([event for event in declared if event.kind not in ("step", "observation")])
    assert len(root.findall(".//testcase/error[@type='UNKNOWN']")) == len(CASES) + 1
    assert root.find(".//testcase[@name='walkthrough.pv-is-available']") is not None


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(Verdict))
def test_junit_parses_and_markdown_keeps_its_table_for_any_text(
    text: str, verdict: Verdict
) -> None:
    summary = summarise_events(sample_events((case(text, verdict),)))
    ET.fromstring(render_junit(summary))  # noqa: S314 - our own text
    rows = [line for line in render_markdown(summary).splitlines() if line.startswith("| ")]
    assert len(rows) == 3 + (0 if verdict is Verdict.PASS else 3)


def test_markdown_says_verdict_first_and_why_not_pass() -> None:
    text = render_markdown(summarise_events(EVENTS))
    assert text.startswith("# FAIL: 2 of 20 claims do not hold\n")
    assert (
        "| FAIL | UNKNOWN | SKIPPED | PASS |\n| --- | --- | --- | --- |\n| 2 | 1 | 2 | 15 |" in text
    )
    assert "`durability.second-mysql-is-locked-out`" in text
    assert "needs nfs.locks<br>the user-space mount" in text
    assert "walkthrough.pv-is-available" not in text
    assert "**cluster**: provider kind, Kubernetes v1.33.1" in text


def test_markdown_shows_markup_as_text_and_cuts_long_tables() -> None:
    cases = tuple(
        Case(f"s.n{n}", "<b>*a*</b> | `x`", "s", (), verdict=Verdict.FAIL, reason="a\n|b")
        for n in range(103)
    )
    text = render_markdown(summarise_events(sample_events(cases)))
    assert r"\<b\>\*a\*\</b\> \| \`x\`" in text
    assert "3 more claims in report.html." in text


def test_markdown_of_a_good_run_has_no_list_of_failures() -> None:
    passed = [case for case in CASES if case.verdict is Verdict.PASS]
    events = [e for e in sample_events(tuple(passed)) if e.kind not in ("environment", "note")]
    end = events[-1].model_copy(update={"exit_code": 0})
    text = render_markdown(summarise_events([*events[:-1], end]))
    assert text.startswith("# PASS: 15 claims hold\n")
    assert "Not PASS" not in text
    assert "Note" not in text


def test_render_writes_all_reports_and_nothing_else(tmp_path: Path) -> None:
    before = set(write_run(tmp_path).iterdir())
    paths = reports.render(tmp_path)
    assert [path.name for path in paths] == ["report.html", "junit.xml", "summary.md"]
    assert set(tmp_path.iterdir()) == before | set(paths)
    assert len((tmp_path / "report.html").read_bytes()) < 200_000


def test_render_of_a_journal_cut_anywhere_in_its_last_line(tmp_path: Path) -> None:
    journal = write_run(tmp_path) / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-40])
    reports.render(tmp_path)
    assert "The journal has no end" in (tmp_path / "summary.md").read_text()


@given(st.integers(2, len(EVENTS)))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_beginning_of_a_journal_renders(tmp_path: Path, length: int) -> None:
    (tmp_path / "journal.jsonl").unlink(missing_ok=True)
    write_run(tmp_path, EVENTS[:length])
    assert all(path.stat().st_size for path in reports.render(tmp_path))


def test_render_adds_to_the_step_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step_summary = tmp_path / "step.md"
    step_summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step_summary))
    reports.render(write_run(tmp_path / "run"))
    assert step_summary.read_text().startswith("before\n# FAIL: ")


def test_step_summary_that_cannot_be_written_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(BadInput, match=r"cannot write the report .*: Is a directory"):
        reports.render(write_run(tmp_path / "run"))


def test_full_disk_is_bad_input_and_leaves_the_old_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path)
    (tmp_path / "report.html").write_text("old")
    before = set(tmp_path.iterdir())

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match=r"cannot write .*report\.html: No space left on device$"):
        reports.render(tmp_path)
    assert set(tmp_path.iterdir()) == before
    assert (tmp_path / "report.html").read_text() == "old"


def test_folder_without_a_journal_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot read the journal"):
        reports.render(tmp_path)


def test_schema_file_is_what_the_code_gives() -> None:
    path = Path(reports.__file__).with_name("journal.schema.json")
    assert path.read_text() == journal_schema(), (
        "the journal changed: python -m reports.schema > reports/journal.schema.json"
    )


def test_schema_module_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(Path(reports.__file__).with_name("schema.py")), run_name="__main__")
    assert capsys.readouterr().out == journal_schema()


def test_sample_journal_obeys_the_schema(tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(journal_schema()))
    for line in (write_run(tmp_path) / "journal.jsonl").read_text().splitlines():
        event = json.loads(line)
        validator.validate(event)
        assert not validator.is_valid({**event, "surprise": 1})
        assert not validator.is_valid({key: event[key] for key in event if key != "at"})
