"""What a user sees of a job that uses the action: its end, summary, outputs, artifacts."""

from pathlib import Path
from xml.etree import ElementTree as ET

import yaml

from action_tests.runner import Runner
from landfast import paths

_REPORTS = {"report.html", "junit.xml", "summary.md", "journal.jsonl"}


def test_an_audit_without_findings_passes(runner: Runner, tmp_path: Path) -> None:
    """The outputs are set, and what the audit printed is the report."""
    harmless = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "harmless"}}
    (tmp_path / "harmless.yaml").write_text(yaml.safe_dump(harmless))
    job = runner.run(command="audit", arguments=f"'{tmp_path}/harmless.yaml'")
    assert job.passed, job.log
    assert (job.exit_status, job.outputs["exit-code"]) == (0, "0")
    assert job.outputs["grade"] == ""
    ((name, files),) = job.artifacts.items()
    assert name == "landfast-audit"
    assert files[Path(job.outputs["report"]).name].startswith(b"no findings in 1 object of")
    assert "no findings in 1 object of" in job.said("summary")[0]


def test_an_audit_with_findings_fails_the_job(runner: Runner) -> None:
    """The exit code is kept, and the report is uploaded all the same."""
    arguments = f"{paths.PROJECT / 'manifests'} --format sarif"
    job = runner.run(command="audit", arguments=arguments, **{"artifact-name": "findings"})
    assert not job.passed
    assert (job.exit_status, job.outputs["exit-code"]) == (1, "1")
    assert b'"version": "2.1.0"' in job.artifacts["findings"]["landfast-audit.txt"]
    assert job.said("summary") == []


def test_arguments_are_words_and_not_shell(runner: Runner, tmp_path: Path) -> None:
    """What a shell would execute is the name of a file that does not exist."""
    touched = tmp_path / "touched"
    job = runner.run(command="audit", arguments=f'"$(touch {touched})"; touch {touched}')
    assert not job.passed
    assert (job.exit_status, job.outputs["exit-code"]) == (4, "4")
    assert not touched.exists()
    assert job.artifacts == {}


def test_a_run_that_passes(runner: Runner) -> None:
    """Its folder is uploaded, and its summary is shown once."""
    job = runner.run(command="smoke")
    assert job.passed, job.log
    assert (job.exit_status, job.outputs["exit-code"]) == (0, "0")
    assert set(job.artifacts["landfast-smoke"]) >= _REPORTS
    (summary,) = job.said("summary")
    assert summary.count("# PASS: 1 claim holds") == 1
    assert job.said("error") == []


def test_a_claim_that_fails(runner: Runner, action: Path) -> None:
    """The job fails with Landfast's exit code, an annotation, the summary and the report."""
    smoke = action / "suites/smoke/test_smoke.py"
    kept = smoke.read_text()
    planted = kept.replace('assert rows == [(1, "kept")]', 'assert rows == [(1, "lost")]')
    assert planted != kept
    smoke.write_text(planted)
    job = runner.run(command="smoke", **{"working-directory": str(action)})
    assert not job.passed
    assert (job.exit_status, job.outputs["exit-code"]) == (1, "1")
    claim = "smoke.mysql-keeps-a-row-when-its-pod-is-deleted"
    assert any(f"title=FAIL {claim}::" in line for line in job.said("error"))
    (summary,) = job.said("summary")
    assert "# FAIL: 1 of 1 claim does not hold" in summary
    files = job.artifacts["landfast-smoke"]
    assert set(files) >= _REPORTS
    assert ET.fromstring(files["junit.xml"]).attrib["failures"] == "1"  # noqa: S314 - our own
