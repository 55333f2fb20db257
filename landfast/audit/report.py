"""The result of an audit, which every format shows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from landfast.audit.findings import Finding, Rule, Severity, counted


@dataclass(frozen=True)
class Report:
    """What was found, by subject in the order of the files.

    Attributes:
        all: every finding, suppressed or not.
        audited: what was read, in words.
        fail_on: the mildest severity that fails the audit.
        problems: what could not be read, each in a sentence.
    """

    all: Sequence[Finding]
    audited: str
    fail_on: Severity
    problems: Sequence[str] = ()

    @cached_property
    def findings(self) -> list[Finding]:
        """Those that count."""
        return [finding for finding in self.all if not finding.suppression]

    @cached_property
    def suppressed(self) -> list[Finding]:
        """Those that do not count."""
        return [finding for finding in self.all if finding.suppression]

    @property
    def failures(self) -> list[Finding]:
        """Those for which the audit fails."""
        return [found for found in self.findings if found.severity.rank <= self.fail_on.rank]

    @property
    def subjects(self) -> Iterator[tuple[str, str, list[Finding]]]:
        """Yield each subject's title and file with its findings."""
        for (title, file), group in groupby(self.findings, key=_subject):
            yield title, file, [*group]

    @property
    def rules(self) -> list[Rule]:
        """The rules that found something, the worst first."""
        found = {finding.rule.id: finding.rule for finding in self.findings}
        return sorted(found.values(), key=lambda rule: rule.severity.rank)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each severity count, and how many are suppressed."""
        counts = Counter(finding.severity for finding in self.findings)
        return {**{str(s): counts[s] for s in Severity}, "suppressed": len(self.suppressed)}

    @property
    def summary(self) -> str:
        """The counts in words (`1 error, 2 warnings, 1 suppressed`)."""
        said = summary(self.findings)
        return f"{said}, {len(self.suppressed)} suppressed" if self.suppressed else said


def summary(findings: Sequence[Finding]) -> str:
    """Return the count of findings by severity (`1 error, 2 warnings`)."""
    counts = Counter(finding.severity for finding in findings)
    said = [counted(n, s) for s in Severity if (n := counts[s])]
    return ", ".join(said) or "no findings"


def _subject(finding: Finding) -> tuple[str, str]:
    subject = finding.subject
    return (subject.title, subject.place.file) if subject else ("The export", "")
