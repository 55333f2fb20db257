"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from landfast import __version__
from landfast.audit.findings import Finding, Rule
from landfast.audit.report import Report
from landfast.audit.rules import RULES

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def to_sarif(report: Report) -> str:
    """Return findings as a SARIF log with one run; suppressed ones say why they are.

    A finding in a manifest has a file and a line. A finding about an object names it as a logical
    location, `PersistentVolumeClaim/shop/data`.
    """
    indices = {rule.id: index for index, rule in enumerate(RULES)}
    rules = [*map(_rule, RULES)]
    driver = {"name": "Landfast audit", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "invocations": [
            {
                "executionSuccessful": not report.problems,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": said}} for said in report.problems
                ],
            }
        ],
        "results": [_result(finding, indices[finding.rule.id]) for finding in report.all],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    example = f"\n\n```yaml\n{rule.example}\n```" if rule.example else ""
    source = f"Source: {rule.source}"
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason},
        "help": {
            "text": "\n\n".join(
                filter(None, [rule.reason, f"Fix: {rule.fix}", rule.example, source])
            ),
            "markdown": f"{rule.reason}\n\n**Fix:** {rule.fix}{example}\n\n{source}",
        },
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if finding.file:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(finding.file)},
            "region": {"startLine": finding.line},
        }
    if finding.on:
        name = "/".join(filter(None, [finding.kind, finding.namespace, finding.name]))
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "resource"}]
    result = {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": f"{finding.title}: {finding.message}"},
        "locations": [location] if location else [],
    }
    if why := finding.suppression:
        kind = "inSource" if why.by == "annotation" else "external"
        result["suppressions"] = [{"kind": kind, "justification": why.reason}]
    return result


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
