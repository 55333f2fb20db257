"""The catalogue of everything that Landfast claims: `python -m suites.catalogue`.

It lists what pytest collects, so each claim in it has a test. `docs/claims.md` holds it, and
`docs/audit-rules.md` the audit's rules in full.
"""

import contextlib
import io
import sys
from dataclasses import dataclass, field
from itertools import groupby

import pytest

from landfast import paths
from landfast.audit.rules import RULES
from landfast.claims import Claim

FILE = paths.PROJECT / "docs" / "claims.md"
RULES_FILE = paths.PROJECT / "docs" / "audit-rules.md"
_HEAD = """\
# What Landfast claims

Made by `nox -s catalogue` from the tests themselves: do not edit. One test proves one claim.
"""

_RULES_HEAD = """\
# The rules of `landfast audit`

Made by `nox -s catalogue` from the rules themselves: do not edit. [audit.md](audit.md) explains the
severities, and how a finding is suppressed with a reason.
"""


@dataclass
class _Collector:
    """A pytest plugin that keeps what is collected."""

    tests: list[tuple[str, Claim]] = field(default_factory=list)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        from fixtures.claims import claim_of  # a plugin: pytest is the first to import it

        self.tests = [(item.nodeid, claim_of(item)) for item in session.items]


def collect() -> list[tuple[str, Claim]]:
    """Return every test of the suites with its claim; works only in a process without pytest.

    Raises:
        SystemExit: a suite cannot be collected; pytest has said why.
    """
    collector, said = _Collector(), io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["suites", "--collect-only", "-q"], plugins=[collector])
    if code != pytest.ExitCode.OK:
        sys.exit(said.getvalue())
    return collector.tests


def catalogue(claims: list[Claim]) -> str:
    """Return the catalogue as Markdown: a table for each suite, and one for `landfast audit`."""
    lines = [_HEAD]
    for suite, of_suite in groupby(sorted(claims, key=lambda c: c.suite), key=lambda c: c.suite):
        rows = [(claim.id, claim.text, claim.source) for claim in of_suite]
        lines += [
            f"\n## {suite}: {len(rows)}\n",
            *_table(("claim", "what must hold", "source"), rows),
        ]
    rules = [(rule.id, f"{rule.title} ({rule.severity})", rule.source) for rule in RULES]
    lines += [f"\n## audit: {len(rules)}\n", *_table(("rule", "what is found", "source"), rules)]
    return "\n".join(lines) + "\n"


def rules_page() -> str:
    """Return the audit's rules as Markdown: a table, then each with its reason, fix and source."""
    rows = [
        (f"[{rule.id}](#{rule.id.replace('.', '')})", rule.severity.value, rule.title)
        for rule in RULES
    ]
    lines = [_RULES_HEAD, *_table(("rule", "at worst", "finds"), rows)]
    for rule in RULES:
        lines += [f"\n## {rule.id}\n", f"**{rule.title}** ({rule.severity})\n", f"{rule.reason}\n"]
        lines += [f"Fix: {rule.fix}\n"]
        lines += [f"```yaml\n{rule.example}\n```\n"] if rule.example else []
        lines += [f"Source: {rule.source}"]
    return "\n".join(lines) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[str, str, str]]) -> list[str]:
    def line(cells: tuple[str, ...]) -> str:
        return f"| {' | '.join(' '.join(c.split()).replace('|', chr(92) + '|') for c in cells)} |"

    return [line(head), line(("---",) * len(head)), *map(line, rows)]


def main() -> None:
    """Write the catalogue and the page of the rules."""
    RULES_FILE.write_text(rules_page(), encoding="utf-8")
    FILE.write_text(catalogue([claim for _, claim in collect()]), encoding="utf-8")


if __name__ == "__main__":
    main()
