"""A run on one page of Markdown for a pull request, a chat or the summary of a CI job."""

from landfast.markup import markdown, markdown_code, markdown_table
from reports.chaos import HEAD, chaos_of
from reports.model import ClaimSummary, Summary
from reports.text import duration, plural, shorten

_ROWS = 100


def render_markdown(summary: Summary) -> str:
    """Return the run as Markdown: verdict, counts, notes, survival, what is not PASS."""
    counts = summary.counts
    parts = [
        f"# {summary.verdict}: {_plain(summary.headline)}",
        f"Run {_code(summary.run_id)} of Landfast {_plain(summary.landfast)}, "
        f"{summary.started:%Y-%m-%d %H:%M} UTC, {duration(summary.seconds)}: "
        f"{_code(summary.command)}",
        markdown_table(list(counts), [[str(count) for count in counts.values()]]),
        *(f"> **Note:** {_plain(warning)}" for warning in summary.warnings),
    ]
    if chaos := chaos_of(summary):
        rows = [[_plain(cell) for cell in found.cells] for found in chaos.results]
        parts.append(f"## Survival: {chaos.sentence}")
        if missing := "\n".join(f"- {_plain(sentence)}" for sentence in chaos.grade.missing):
            parts += [f"Missing for {chaos.grade.next}:", missing]
        if unshown := "\n".join(f"- {_plain(sentence)}" for sentence in chaos.unshown):
            parts += ["Not shown here:", unshown]
        parts.append(markdown_table(list(HEAD), rows))
    if not_passed := summary.not_passed:
        rows = [_row(claim) for claim in not_passed[:_ROWS]]
        parts += ["## Not PASS", markdown_table(["Verdict", "Claim", "Why"], rows)]
    if len(not_passed) > _ROWS:
        parts.append(f"{plural(len(not_passed) - _ROWS, 'more claim')} in report.html.")
    if summary.environment:
        lines = [
            f"- **{_plain(section.name)}**: "
            + ", ".join(f"{_plain(name)} {_plain(value)}" for name, value in section.facts)
            for section in summary.environment
        ]
        parts += ["## Ran on", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _row(claim: ClaimSummary) -> list[str]:
    reasons = [*(f"needs {name}" for name in claim.capabilities), *claim.reasons]
    return [
        claim.verdict,
        f"{_code(claim.id)}<br>{_plain(claim.text)}",
        "<br>".join(_plain(reason) for reason in reasons),
    ]


def _plain(text: str) -> str:
    return markdown(shorten(text, 400))


def _code(text: str) -> str:
    return markdown_code(shorten(text, 400))
