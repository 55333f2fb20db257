"""Findings as Markdown for a pull request, a chat or the summary of a CI job."""

from html import escape

from landfast.audit.findings import Finding, Rule, counted
from landfast.audit.report import Report
from landfast.markup import markdown, markdown_code, markdown_table

_ROWS = 100  # a comment on GitHub has at most 65,536 characters


def to_markdown(report: Report) -> str:
    """Return findings as Markdown: a table, then each rule's reason and fix, folded."""
    shown = report.findings[:_ROWS]
    parts = [f"# Landfast audit: {report.summary}", f"In {markdown(report.audited)}."]
    parts += [f"> **Not read:** {markdown(problem)}" for problem in report.problems]
    if shown:
        parts.append(markdown_table(["", "Whose data", "Where", "What"], [*map(_row, shown)]))
    if more := len(report.findings) - len(shown):
        parts.append(f"{counted(more, 'more finding')}: `landfast audit` prints all.")
    found = {finding.rule.id for finding in shown}
    parts += [_explained(rule) for rule in report.rules if rule.id in found]
    return "\n\n".join(parts) + "\n"


def _row(finding: Finding) -> list[str]:
    subject = finding.subject
    where = [markdown_code(finding.where)] if finding.where else []
    on = [] if finding.on is subject else [markdown(finding.title)]
    return [
        f"**{finding.severity}**",
        markdown(subject.title if subject else finding.title),
        "<br>".join([*where, *on]),
        f"{markdown(finding.message)}<br>{markdown_code(finding.rule.id)}",
    ]


def _explained(rule: Rule) -> str:
    """Return a rule that unfolds; the blank lines let GitHub read Markdown inside HTML."""
    example = f"\n\n```yaml\n{rule.example}\n```" if rule.example else ""
    title = f"<summary>{rule.id}: {escape(rule.title)}</summary>"
    return (
        f"<details>{title}\n\n{markdown(rule.reason)}\n\n"
        f"**Fix:** {markdown(rule.fix)}{example}\n\n</details>"
    )
