"""Findings as text for people and as JSON for programs."""

import json
from textwrap import TextWrapper, indent
from typing import Any

from rich.console import Console
from rich.text import Text

from landfast.audit.findings import Finding, Severity
from landfast.audit.report import Report

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_LOG_WIDTH = 100  # for a CI log, where there is no terminal to ask
_INDENT = " " * 10


def print_text(report: Report, console: Console) -> None:
    """Print findings by subject, then each rule's reason and fix once, then what was audited."""
    width = console.width if console.is_terminal else _LOG_WIDTH

    def show(label: str, text: str) -> None:
        wrapper = TextWrapper(width, break_long_words=False, break_on_hyphens=False)
        wrapper.initial_indent, wrapper.subsequent_indent = label, " " * len(label)
        console.print(Text(wrapper.fill(text)), soft_wrap=True)

    for subject, _, findings in report.subjects:
        console.print(Text(subject, "bold"), soft_wrap=True)
        for finding in findings:
            severity = (f"{finding.severity:7}", _COLOURS[finding.severity])
            place = " ".join(filter(None, [finding.where, f"[{finding.rule.id}]"]))
            console.print(Text.assemble("  ", severity, f" {place}"), soft_wrap=True)
            on = "" if finding.title == subject else f"{finding.title}: "
            show(_INDENT, f"{on}{finding.message}")
        console.print()
    for rule in report.rules:
        console.print(Text.assemble((rule.id, "bold"), f": {rule.title}"), soft_wrap=True)
        show("  why: ", rule.reason)
        show("  fix: ", rule.fix)
        if rule.example:
            example = f"  e.g. {indent(rule.example, ' ' * 7).strip()}"
            console.print(Text(example), soft_wrap=True)
        console.print()
    console.print(Text(f"{report.summary} in {report.audited}"), soft_wrap=True)


def to_json(report: Report) -> str:
    """Return an object with `summary` (counts), `audited`, `problems`, `findings`, `suppressed`."""
    return json.dumps(
        {
            "summary": report.counts,
            "audited": report.audited,
            "problems": [*report.problems],
            "findings": [_json(finding) for finding in report.findings],
            "suppressed": [
                {**_json(finding), "suppression": {"by": why.by, "reason": why.reason}}
                for finding in report.suppressed
                if (why := finding.suppression)
            ],
        },
        indent=2,
    )


def _json(finding: Finding) -> dict[str, Any]:
    rule, subject = finding.rule, finding.subject
    return {
        "rule": rule.id,
        "severity": finding.severity,
        "title": rule.title,
        "message": finding.message,
        "reason": rule.reason,
        "fix": rule.fix,
        "example": rule.example or None,
        "source": rule.source,
        "subject": subject.title if subject else None,
        "kind": finding.kind,
        "namespace": finding.namespace or None,
        "name": finding.name,
        "alike": finding.alike,
        "file": finding.file or None,
        "line": finding.line,
    }
