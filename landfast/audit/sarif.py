"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from landfast import __version__
from landfast.audit.findings import Finding, Rule
from landfast.audit.rules import RULES

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def to_sarif(findings: Sequence[Finding]) -> str:
    """Return findings as a SARIF log with one run.

    A finding in a manifest has a file and a line. A finding about an object names it as a logical
    location, `PersistentVolumeClaim/shop/data`.
    """
    indices = {rule.id: index for index, rule in enumerate(RULES)}
    rules = [*map(_rule, RULES)]
    driver = {"name": "Landfast audit", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "results": [_result(finding, indices[finding.rule.id]) for finding in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason},
        "help": {
            "text": f"{rule.reason}\n\nFix: {rule.fix}\n\nSource: {rule.source}",
            "markdown": f"{rule.reason}\n\n**Fix:** {rule.fix}\n\nSource: {rule.source}",
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
    if finding.kind:
        name = "/".join(filter(None, [finding.kind, finding.namespace, finding.name]))
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "resource"}]
    said = f"{finding.title}: {finding.message}" if finding.kind else finding.message
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": said},
        "locations": [location] if location else [],
    }


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
