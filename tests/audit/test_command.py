"""`landfast audit` as it is typed: what it prints, and how it ends."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from objects_to_audit import pv

from landfast import cli
from landfast.audit import cluster, command
from landfast.audit.objects import PvObject
from landfast.audit.rules import RULES
from landfast.errors import LandfastError
from landfast.nfs.inspector import ExportInspector

PROJECT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command in an empty folder; gives exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)

    def invoke(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["landfast", "audit", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        output = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return caught.value.code, output.out, output.err

    return invoke


def volume(name: str, path: str = "", **spec: Any) -> None:
    Path(f"{name}.yaml").write_text(json.dumps(pv(name, path, **spec)))


def test_the_reference_has_the_traps_it_is_known_for(run: Run) -> None:
    code, output, _ = run(str(PROJECT / "manifests"), "--format", "json", "--fail-on", "note")
    findings = [
        (f["severity"], f["rule"].partition(".")[2], f["name"], Path(f["file"]).name, f["line"])
        for f in json.loads(output)["findings"]
    ]
    assert findings == [
        ("error", "recycle-shared-directory", "nfs-pv", "4-pv.yaml", 14),
        ("error", "database-volume-not-retained", "nfs-pv", "4-pv.yaml", 14),
        ("warning", "nested-directory", "nfs-pv", "4-pv.yaml", 20),
        ("warning", "foreign-volume", "nfs-pvc", "5-pvc.yaml", 6),
        ("error", "foreign-volume", "mysql-data-mysql-0", "7-mysql.yaml", 64),
    ]
    assert code == 1


def test_nothing_found_is_exit_code_0(run: Run) -> None:
    volume("a")
    assert run("a.yaml") == (0, "no findings in 1 object of a.yaml\n", "")


@pytest.mark.parametrize(("fail_on", "expected"), [("error", 0), ("warning", 1), ("note", 1)])
def test_fail_on_decides_what_is_a_failure(run: Run, fail_on: str, expected: int) -> None:
    volume("a", persistentVolumeReclaimPolicy="Delete")
    code, _, errors = run(".", "--fail-on", fail_on)
    assert code == expected
    said = f"landfast: the audit found 1 warning; --fail-on is {fail_on}\n"
    assert errors == (said if expected else "")


def test_notes_alone_do_not_fail_on_warning(run: Run) -> None:
    volume("a", claimRef={"name": "x"})
    assert run("a.yaml", "--fail-on", "warning")[0] == 0
    assert run("a.yaml", "--fail-on", "note")[0] == 1


def test_sarif_goes_to_standard_output_alone(run: Run) -> None:
    volume("a", persistentVolumeReclaimPolicy="Delete")
    code, output, errors = run("a.yaml", "--format", "sarif")
    assert (code, errors) == (0, "")
    assert json.loads(output)["version"] == "2.1.0"


def test_standard_input_is_audited(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(pv("a", persistentVolumeReclaimPolicy="Recycle")).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert "PersistentVolume a\n  warning stdin:1 [audit.recycle-deprecated]" in run("-")[1]


def test_files_without_objects_are_said(run: Run) -> None:
    volume("a")
    Path("values.yaml").write_text("a: b")
    assert run(".")[1] == "no findings in 1 object of .; no Kubernetes object in values.yaml\n"


def test_what_is_left_out_is_said(run: Run) -> None:
    volume("a")
    volume("b", persistentVolumeReclaimPolicy="Recycle")
    for name in ("chart", "skipped"):
        Path(name).mkdir()
        Path(name, "Chart.yaml").touch()
    assert run(".", "--exclude", "b.yaml", "--exclude", "skip*")[1] == (
        "no findings in 1 object of .; not rendered: chart (`landfast audit chart` renders it); "
        "2 excluded by a pattern\n"
    )


def test_how_to_audit_what_a_controller_makes_is_said(run: Run) -> None:
    volume("a")
    release = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {}}
    Path("b.yaml").write_text("\n---\n".join([json.dumps(release)] * 2))
    assert run(".")[1] == (
        "no findings in 3 objects of .; 2 objects not read: HelmRelease \xd72; what a HelmRelease "
        "makes is audited by `helm template NAME CHART -f VALUES | landfast audit -`\n"
    )


def test_a_disabled_rule_does_not_fail_and_is_counted(run: Run) -> None:
    volume("a", persistentVolumeReclaimPolicy="Recycle")
    given = ["a.yaml", "--fail-on", "note", "--disable"]
    assert run(*given, "audit.recycle-deprecated") == (
        0,
        "no findings, 1 suppressed in 1 object of a.yaml\n",
        "",
    )
    assert run(*given, "audit.released-volume")[0] == 1


def test_only_what_is_new_fails(run: Run) -> None:
    volume("a", persistentVolumeReclaimPolicy="Recycle")
    code, report, _ = run(".", "--format", "json", "--fail-on", "note")
    assert code == 1
    Path("known").write_text(report)
    given = [".", "--baseline", "known", "--fail-on", "note"]
    assert run(*given)[0] == 0
    volume("0", persistentVolumeReclaimPolicy="Recycle")
    code, output, _ = run(*given)
    assert code == 1
    assert output.startswith("PersistentVolume 0\n")
    assert output.endswith("\n1 warning, 1 suppressed in 2 objects of .\n")


def test_an_annotation_with_a_reason_is_enough(run: Run) -> None:
    ignored = {"landfast.dev/ignore": "audit.recycle-deprecated: scratch"}
    found = pv("a", metadata={"annotations": ignored}, persistentVolumeReclaimPolicy="Recycle")
    Path("a.yaml").write_text(json.dumps(found))
    assert run("a.yaml", "--fail-on", "note")[0] == 0


def test_the_rules_are_listed(run: Run) -> None:
    code, output, _ = run("--list")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == [rule.id for rule in RULES]
    assert re.search(r"^audit.shared-directory +error +Two volumes", output, re.MULTILINE)


@pytest.mark.parametrize(
    ("output", "begin"), [("markdown", "# Landfast"), ("junit", "<?xml"), ("html", "<!doctype")]
)
def test_every_format_says_what_could_not_be_read(run: Run, output: str, begin: str) -> None:
    volume("a", persistentVolumeReclaimPolicy="Recycle")
    Path("bad.yaml").write_text("a: [")
    code, said, errors = run(".", "--format", output)
    assert code == 4
    assert said.startswith(begin)
    assert "audit.recycle-deprecated" in said
    assert "bad.yaml:1 is not valid YAML" in said.replace("\\", "")
    assert errors.startswith("landfast: bad.yaml:1 is not valid YAML")


def test_an_export_is_looked_at(run: Run) -> None:
    volume("a")
    volume("b")
    Path("export/b").mkdir(parents=True)
    Path("export/left").mkdir()
    code, output, _ = run(".", "--export-root", "export", "--export-path", "/exports")
    assert code == 1
    assert "there is no directory nfs:/exports/a" in output
    assert "Directory /exports/left: 0 bytes in 0 files, last changed 0 days ago" in output
    given = ["--export-path", "nfs:/exports", "--format", "json"]
    findings = json.loads(run(".", "--export-root", "export", *given)[1])["findings"]
    assert [f["rule"] for f in findings] == ["audit.directory-missing", "audit.orphan-directory"]


def test_the_path_of_the_export_is_that_of_the_folder_unless_said(run: Run) -> None:
    folder = Path("export").absolute()
    (folder / "a").mkdir(parents=True)
    volume("a", f"{folder}/a")
    volume("b", f"{folder}/b")
    code, text, _ = run(".", "--export-root", "export")
    assert code == 1
    output = " ".join(text.split())  # a long path is on a line of its own
    assert f"there is no directory nfs:{folder}/b" in output
    assert output.count("there is no directory") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            [],
            "(files, folders, - for standard input) or a cluster with --context",
        ),
        (["a.yaml", "--context", "x"], "name either manifests to audit"),
        (["nowhere"], "nowhere cannot be read: No such file or directory"),
        (["bad.yaml"], "bad.yaml:1 is not valid YAML"),
        (["a.yaml", "--fail-on", "x"], "'x' is not one of 'error', 'warning', 'note'"),
        (["a.yaml", "--disable", "audit.recycle"], "no rule 'audit.recycle'; did you mean"),
        (["a.yaml", "--baseline", "b.yaml"], "--baseline b.yaml is not what an audit writes"),
        (["a.yaml", "--export-path", "/x"], "--export-path needs --export-root"),
        (["a.yaml", "--export-root", "no"], "--export-root no is not a folder on this host"),
        (
            ["a.yaml", "--export-root", ".", "--export-path", "x"],
            "--export-path x must be /PATH or SERVER:/P",
        ),
        (
            [".", "--export-root", ".", "--export-path", "/exports"],
            "below /exports are on several servers (nfs, other): name the one that exports . with "
            "--export-path SERVER:/exports",
        ),
        (["--context", "x"], "there is no such file"),
        (["--context", "x", "--kubeconfig", "a.yaml"], "--context x is not in"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_4(
    run: Run, arguments: list[str], sentence: str
) -> None:
    volume("a")
    volume("b", nfs={"server": "other", "path": "/exports/b"})
    if arguments == ["bad.yaml"]:
        Path("bad.yaml").write_text("a: [")
    code, output, errors = run(*arguments)
    assert sentence in errors
    assert errors.count("\n") == 1
    assert (code, output) == (4, "")


def test_an_export_that_cannot_be_read_is_bad_input(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(argv: object) -> str:
        raise LandfastError("find: Permission denied")

    inspector = ExportInspector(refuse, PurePosixPath("/"), "")
    monkeypatch.setattr(command, "local_inspector", lambda _: inspector)
    volume("a")
    code, _, errors = run("a.yaml", "--export-root", ".")
    assert (code, errors) == (
        4,
        "landfast: --export-root . cannot be inspected: find: Permission denied\n",
    )


def test_a_cluster_is_audited(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("config").write_text("")
    found = (PvObject.model_validate(pv("a", persistentVolumeReclaimPolicy="Recycle")),)
    monkeypatch.setattr(cluster, "connect", lambda *_: None)
    monkeypatch.setattr(cluster, "read", lambda *_: found)
    code, output, _ = run("--context", "prod", "--kubeconfig", "config")
    assert code == 0
    assert output.startswith(
        "PersistentVolume a\n"
        "  warning [audit.recycle-deprecated]\n"
        "          its reclaim policy is Recycle"
    )
    assert output.endswith("1 warning in 1 object of the cluster of context prod\n")


def test_it_runs_as_a_program_in_a_pipe() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from landfast.cli import main; main()", "audit", "manifests"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 1
    assert "\x1b" not in result.stdout
    assert result.stderr == "landfast: the audit found 3 errors; --fail-on is error\n"


def test_help_helps(run: Run) -> None:
    _, output, _ = run("--help")
    for said in ("safe on production", "Exit code 0", "--export-root", "a chart's"):
        assert said in " ".join(output.split())
