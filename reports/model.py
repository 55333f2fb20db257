"""What a run's journal adds up to: a frozen summary that every renderer shows. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol, TypeVar

from landfast.journal import Evidence, MatrixCell, Phase
from landfast.results import Survival, Tier
from landfast.verdict import EXIT_INTERRUPTED, Verdict, exit_code, worst
from reports.text import plural

SHOWN_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.SKIPPED, Verdict.PASS)
"""The verdicts in the order in which a reader wants to see them."""

NOT_RUN = "no test of this claim was run"

_HEADLINE_FACTS = {"storage class": 2, "cluster": 3, "nfs": 2, "images": 1}


class _Judged(Protocol):
    @property
    def verdict(self) -> Verdict: ...


_J = TypeVar("_J", bound=_Judged)


_EXPLAINS = "reclaim.provisioner-follows-a-contract"
"""A provisioner of no known line fails many claims of that line."""


def worst_first(judged: Iterable[_J]) -> tuple[_J, ...]:
    """Sort by verdict as `SHOWN_FIRST` has it; what has the same verdict keeps its order."""
    return tuple(sorted(judged, key=lambda one: SHOWN_FIRST.index(one.verdict)))


@dataclass(frozen=True)
class StepSummary:
    """An action of a test; `start` is in seconds since the test began."""

    text: str
    start: float
    seconds: float
    ok: bool


@dataclass(frozen=True)
class TestSummary:
    """One test of one claim. `seconds` is None if it did not finish; `command` runs it alone."""

    __test__: ClassVar[bool] = False

    id: str
    worker: str
    verdict: Verdict
    reason: str
    capability: str
    seconds: float | None
    steps: tuple[StepSummary, ...]
    observations: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    cell: MatrixCell | None
    survival: Survival | None
    command: str

    @property
    def span(self) -> float:
        """Seconds from the start of the test to the end of its last step."""
        return max((step.start + step.seconds for step in self.steps), default=self.seconds or 0.0)


@dataclass(frozen=True)
class ClaimSummary:
    """A claim, judged by its tests: the worst of their verdicts."""

    id: str
    text: str
    source: str
    means: str
    scenario: str
    tier: Tier | None
    tests: tuple[TestSummary, ...]

    @property
    def suite(self) -> str:
        """The suite that tests the claim: the part of the id before the first dot."""
        return self.id.partition(".")[0]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its tests; UNKNOWN without a test."""
        return worst(test.verdict for test in self.tests)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not PASS: each reason of the tests with the claim's verdict once.

        After the reasons of a FAIL comes what it means for a database.
        """
        if self.verdict is Verdict.PASS:
            return ()
        if not self.tests:
            return (NOT_RUN,)
        reasons = (test.reason for test in self.tests if test.verdict is self.verdict)
        means = [f"For a database: {self.means}"] if self.verdict is Verdict.FAIL else []
        return tuple(dict.fromkeys([*reasons, *(means if self.means else [])]))

    @property
    def reason(self) -> str:
        """Why it is not PASS; empty for PASS."""
        return "; ".join(self.reasons)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """The capabilities whose absence made it SKIPPED."""
        if self.verdict is not Verdict.SKIPPED:
            return ()
        return tuple(dict.fromkeys(test.capability for test in self.tests if test.capability))

    @property
    def seconds(self) -> float:
        """How long its tests took in total."""
        return sum(test.seconds or 0.0 for test in self.tests)


@dataclass(frozen=True)
class SuiteSummary:
    """The claims of one suite: first what is not PASS, otherwise in the order declared."""

    name: str
    claims: tuple[ClaimSummary, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its claims."""
        return worst(claim.verdict for claim in self.claims)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many of its claims have each verdict."""
        return _counts(self.claims)


@dataclass(frozen=True)
class Section:
    """A part of the environment, as pairs of name and value."""

    name: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Summary:
    """Everything that a report of one run says."""

    run_id: str
    landfast: str
    command: str
    settings: tuple[tuple[str, str], ...]
    started: datetime
    ended: datetime
    ended_with: int | None
    """The exit code that the run recorded. None: it was killed, or it is still running."""
    left_behind: tuple[str, ...]
    environment: tuple[Section, ...]
    phases: tuple[Phase, ...]
    notes: tuple[str, ...]
    suites: tuple[SuiteSummary, ...]

    @property
    def seconds(self) -> float:
        """From the journal's first line to its last."""
        return (self.ended - self.started).total_seconds()

    @property
    def claims(self) -> tuple[ClaimSummary, ...]:
        """The claims of all suites."""
        return tuple(claim for suite in self.suites for claim in suite.claims)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many claims have each verdict."""
        return _counts(self.claims)

    @property
    def not_passed(self) -> tuple[ClaimSummary, ...]:
        """The claims that are not PASS, the worst first; of these, what explains others."""
        found = [claim for claim in self.claims if claim.verdict is not Verdict.PASS]
        return worst_first(sorted(found, key=lambda claim: claim.id != _EXPLAINS))

    @property
    def exit_code(self) -> int:
        """The exit code that the claims' verdicts add up to."""
        return exit_code(claim.verdict for claim in self.claims)

    @property
    def doubt(self) -> str:
        """What is wrong with the run as a whole, apart from its claims; empty if nothing is."""
        if self.left_behind:
            return f"Could not be removed: {', '.join(self.left_behind)}"
        if self.ended_with is None:
            return "The journal has no end: the run was killed or is still running."
        if self.ended_with == EXIT_INTERRUPTED:
            return "The run was interrupted."
        if self.ended_with != self.exit_code:
            return (
                f"The run ended with exit code {self.ended_with}, but its verdicts add up to "
                f"{self.exit_code}: something went wrong outside the claims."
            )
        return ""

    @property
    def verdict(self) -> Verdict:
        """The claims' worst verdict; at best UNKNOWN if in doubt, FAIL if anything is left."""
        found = worst(claim.verdict for claim in self.claims)
        if found is Verdict.FAIL or self.left_behind:
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.doubt else found

    @property
    def headline(self) -> str:
        """The verdict in words."""
        if self.left_behind:
            return f"{self._judged}; something could not be removed"
        return f"{self._judged}; the run did not end well" if self.doubt else self._judged

    @property
    def _judged(self) -> str:
        counts, total = self.counts, len(self.claims)
        if not total:
            return "nothing was judged: the run declared no claim"
        failed, unknown, skipped, passed = (counts[verdict] for verdict in SHOWN_FIRST)
        if failed:
            verb = "does" if failed == 1 else "do"
            return f"{failed} of {plural(total, 'claim')} {verb} not hold"
        if unknown:
            return f"{unknown} of {plural(total, 'claim')} could not be judged"
        if not passed:
            return f"nothing was judged: {plural(total, 'claim')} skipped"
        judged = f"{plural(passed, 'claim')} {'holds' if passed == 1 else 'hold'}"
        return f"{judged}, {skipped} skipped" if skipped else judged

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before the claims: doubt, then the run's notes."""
        return (self.doubt, *self.notes) if self.doubt else self.notes

    @property
    def ran_on(self) -> str:
        """The environment in one line: the first facts of class, cluster, nfs and images."""
        return "; ".join(
            f"{section.name}: "
            + ", ".join(f"{name} {value}" for name, value in section.facts[:wanted])
            for wanted_name, wanted in _HEADLINE_FACTS.items()
            for section in self.environment
            if section.name == wanted_name
        )


def _counts(claims: Iterable[ClaimSummary]) -> dict[Verdict, int]:
    verdicts = [claim.verdict for claim in claims]
    return {verdict: verdicts.count(verdict) for verdict in SHOWN_FIRST}
