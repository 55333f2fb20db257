"""The GitHub action: its steps, and the module that they run. `nox -s action-tests` uses act."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from programs_on_path import Put, calls

from landfast import action

PROJECT = Path(__file__).parent.parent
STEPS = yaml.safe_load((PROJECT / "action.yml").read_text())["runs"]["steps"]
WORKFLOWS = [PROJECT / "action.yml", *sorted((PROJECT / ".github/workflows").glob("*.yml"))]
HARMLESS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: harmless}\n"

Run = Callable[..., int]


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the module as the step does; it gives the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", ["action"])
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        (tmp_path / name).touch()
        monkeypatch.setenv(name, str(tmp_path / name))

    def run(command: str, arguments: str) -> int:
        monkeypatch.setenv("COMMAND", command)
        monkeypatch.setenv("ARGUMENTS", arguments)
        with pytest.raises(SystemExit) as ended:
            action.main()
        return int(str(ended.value.code))

    return run


def outputs() -> dict[str, str]:
    return dict(line.split("=", 1) for line in Path("GITHUB_OUTPUT").read_text().splitlines())


def test_an_audit_is_printed_kept_and_shown(step: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("with blank.yaml").write_text(HARMLESS)
    assert step("audit", "'with blank.yaml'") == 0
    unread = "1 object not read: ConfigMap \N{MULTIPLICATION SIGN}1"
    said = f"no findings in 1 object of with blank.yaml; {unread}\n"
    assert capsys.readouterr().out == said
    report = Path("temp/landfast-audit.txt").absolute()
    assert outputs() == {"exit-code": "0", "report": str(report)}
    assert report.read_text(encoding="utf-8") == said
    assert Path("GITHUB_STEP_SUMMARY").read_text() == f"````text\n{said}````\n"


def test_findings_keep_their_exit_code(step: Run) -> None:
    assert step("audit", str(PROJECT / "manifests")) == 1
    assert outputs()["exit-code"] == "1"
    assert "audit.recycle-shared-directory" in Path(outputs()["report"]).read_text()


@pytest.mark.parametrize(
    ("output", "begin"),
    [("sarif", "{"), ("json", "{"), ("junit", "<?xml"), ("html", "<!doctype html>")],
)
def test_what_is_for_programs_is_a_report_and_no_summary(
    step: Run, output: str, begin: str
) -> None:
    assert step("audit", f"{PROJECT / 'manifests'} --format {output}") == 1
    report = Path(outputs()["report"])
    assert report.read_text().startswith(begin)
    assert report.suffix == {"junit": ".xml", "html": ".html"}.get(output, ".json")
    assert Path("GITHUB_STEP_SUMMARY").read_text() == ""


def test_markdown_is_the_summary_as_it_is(step: Run) -> None:
    assert step("audit", f"{PROJECT / 'manifests'} --format markdown") == 1
    text = Path(outputs()["report"]).read_text()
    assert text.startswith("# Landfast audit: 3 errors")
    assert Path("GITHUB_STEP_SUMMARY").read_text() == text


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        ("audit", "missing.yaml", "missing.yaml"),
        ("audit", "it's", "the input `arguments` cannot be split into words: No closing quotation"),
        ("audti", "", "No such command 'audti'"),
        ("chaos --budget 10m", "", "No such command 'chaos --budget 10m'"),
        ("smoke", "--mysql-port many", "--mysql-port 'many'"),
    ],
)
def test_bad_input_is_one_sentence_without_a_report(
    step: Run, capfd: pytest.CaptureFixture[str], command: str, arguments: str, said: str
) -> None:
    assert step(command, arguments) == 4
    error = capfd.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert outputs() == {"exit-code": "4"}


def install(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[0]["run"]],
        env={
            "PATH": f"{tmp_path}/programs:/usr/bin:/bin",
            "RUNNER_TEMP": str(tmp_path / "runner temp"),
            "GITHUB_ACTION_PATH": "/the action",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_python_is_one_sentence(tmp_path: Path, put: Put) -> None:
    put("python3", "exit 1")
    ran = install(tmp_path)
    assert ran.returncode == 4
    assert ran.stdout.startswith("::error::Landfast needs Python 3.11 or newer")
    assert len(calls(tmp_path)) == 1


def test_the_action_s_own_checkout_is_installed(tmp_path: Path, put: Put) -> None:
    bin_folder = tmp_path / "runner temp" / "landfast" / "bin"
    bin_folder.mkdir(parents=True)
    put("python3")
    (bin_folder / "python").symlink_to(tmp_path / "programs" / "python3")
    assert install(tmp_path).returncode == 0
    version, venv, pip = calls(tmp_path)
    assert "version_info" in version
    assert venv == f"python3 -m venv {tmp_path}/runner temp/landfast"
    assert pip.startswith("python3 -m pip install ")
    assert pip.endswith(" /the action")


def test_the_report_is_uploaded_whatever_the_exit_code() -> None:
    assert STEPS[-1]["if"].startswith("always() && ")


def steps() -> Iterator[dict[str, Any]]:
    for path in WORKFLOWS:
        found = yaml.safe_load(path.read_text())
        for job in found.get("jobs", {}).values():
            yield from job["steps"]
        yield from found.get("runs", {}).get("steps", [])


def test_no_expression_becomes_part_of_a_script() -> None:
    scripts = [step["run"] for step in steps() if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_actions_of_others_are_pinned_by_commit_and_version() -> None:
    lines = [
        line
        for path in WORKFLOWS
        for line in path.read_text().splitlines()
        if "uses:" in line and "uses: ./" not in line
    ]
    assert lines
    pinned = re.compile(r" *(- )?uses: [\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+")
    assert not [line for line in lines if not pinned.fullmatch(line)]


def test_the_workflow_gives_the_action_inputs_that_it_has() -> None:
    inputs = yaml.safe_load((PROJECT / "action.yml").read_text())["inputs"]
    own = [step for step in steps() if step.get("uses") == "./"]
    assert own
    assert all(set(step["with"]) <= set(inputs) for step in own)
