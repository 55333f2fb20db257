"""Findings as text for people and as JSON for programs."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from textwrap import TextWrapper

from rich.console import Console
from rich.text import Text

from landfast.audit.findings import Finding, Severity, counted

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_LOG_WIDTH = 100  # for a CI log, where there is no terminal to ask


def summary(findings: Sequence[Finding]) -> str:
    """Return the count of findings by severity (`1 error, 2 warnings`)."""
    counts = Counter(finding.severity for finding in findings)
    said = [counted(n, s) for s in Severity if (n := counts[s])]
    return ", ".join(said) or "no findings"


def print_text(findings: Sequence[Finding], audited: str, console: Console) -> None:
    """Print findings by rule, each rule's reason and fix once, then what was audited."""
    width = console.width if console.is_terminal else _LOG_WIDTH

    def show(label: str, text: str) -> None:
        wrapper = TextWrapper(width, break_long_words=False, break_on_hyphens=False)
        wrapper.initial_indent, wrapper.subsequent_indent = label, " " * len(label)
        console.print(Text(wrapper.fill(text)), soft_wrap=True)

    for (severity, rule), group in groupby(findings, key=lambda f: (f.severity, f.rule)):
        head = ((f"{severity:7}", _COLOURS[severity]), " ", (rule.id, "bold"), f"  {rule.title}")
        console.print(Text.assemble(*head), soft_wrap=True)
        for finding in group:
            if place := " ".join(filter(None, [finding.where, finding.title])):
                console.print(Text(f"  {place}"), soft_wrap=True)
            show("    ", finding.message)
        show("  why: ", rule.reason)
        show("  fix: ", rule.fix)
        console.print()
    console.print(Text(f"{summary(findings)} in {audited}"), soft_wrap=True)


def to_json(findings: Sequence[Finding]) -> str:
    """Return findings as JSON: an object with `summary` (counts) and `findings`."""
    counts = Counter(finding.severity for finding in findings)
    return json.dumps(
        {
            "summary": {severity: counts[severity] for severity in Severity},
            "findings": [
                {
                    "rule": finding.rule.id,
                    "severity": finding.severity,
                    "title": finding.rule.title,
                    "message": finding.message,
                    "reason": finding.rule.reason,
                    "fix": finding.rule.fix,
                    "source": finding.rule.source,
                    "kind": finding.kind or None,
                    "namespace": finding.namespace or None,
                    "name": finding.name or None,
                    "file": finding.file or None,
                    "line": finding.line,
                }
                for finding in findings
            ],
        },
        indent=2,
    )
