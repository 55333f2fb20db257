"""What a run's journal adds up to: a frozen summary that every renderer shows. Pure."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

from landfast.errors import BadInput
from landfast.journal import (
    ClaimDeclared,
    EnvironmentFact,
    Event,
    MatrixCell,
    Note,
    Phase,
    RunFinished,
    RunStarted,
    Step,
    TestFinished,
    TestStarted,
)
from landfast.survival.model import Survival, Tier
from landfast.verdict import EXIT_INTERRUPTED, Verdict, exit_code, worst
from reports.command import command_for
from reports.text import clean, plural
from reports.told import Told

SHOWN_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.SKIPPED, Verdict.PASS)
"""The verdicts in the order in which a reader wants to see them."""

NOT_JUDGED = "the run ended before this was judged"
NOT_RUN = "no test of this claim was run"

_HEADLINE_FACTS = {"cluster": 3, "nfs": 2, "images": 1}

_E = TypeVar("_E", bound=Event)


@dataclass(frozen=True)
class StepSummary:
    """Something a test did; `start` is in seconds since its test began."""

    text: str
    start: float
    seconds: float
    ok: bool


@dataclass(frozen=True)
class EvidenceSummary:
    """A file that shows what was the case; `file` is relative to the journal's folder."""

    title: str
    file: str


@dataclass(frozen=True)
class TestSummary:
    """One test of one claim. `seconds` is None if it did not finish."""

    __test__: ClassVar[bool] = False

    id: str
    worker: str
    verdict: Verdict
    reason: str
    capability: str
    seconds: float | None
    steps: tuple[StepSummary, ...]
    observations: tuple[str, ...]
    evidence: tuple[EvidenceSummary, ...]
    cell: MatrixCell | None
    survival: Survival | None
    command: str
    """What runs this test alone."""

    @property
    def span(self) -> float:
        """Seconds from the test's begin to its end, or to its last step if it has no end."""
        return max((step.start + step.seconds for step in self.steps), default=self.seconds or 0.0)


@dataclass(frozen=True)
class ClaimSummary:
    """A claim and what its tests say of it: the worst of their verdicts."""

    id: str
    text: str
    source: str
    scenario: str
    tier: Tier | None
    tests: tuple[TestSummary, ...]

    @property
    def suite(self) -> str:
        """The suite that proves the claim: what stands before the id's first dot."""
        return self.id.partition(".")[0]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its tests; without a test, UNKNOWN."""
        return worst(test.verdict for test in self.tests)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not PASS: of the tests with the claim's verdict, each reason once."""
        if self.verdict is Verdict.PASS:
            return ()
        if not self.tests:
            return (NOT_RUN,)
        reasons = (test.reason for test in self.tests if test.verdict is self.verdict)
        return tuple(dict.fromkeys(reasons))

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
        """How long its tests took together."""
        return sum(test.seconds or 0.0 for test in self.tests)


@dataclass(frozen=True)
class SuiteSummary:
    """The claims of one suite: what is not PASS first, else in the order declared."""

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
    """A part of the environment: its facts as name and value."""

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
    """The exit code that the run recorded. None: it was killed, its journal has no end."""
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
        """The claims that are not PASS, the worst first."""
        claims = (claim for claim in self.claims if claim.verdict is not Verdict.PASS)
        return tuple(sorted(claims, key=lambda claim: SHOWN_FIRST.index(claim.verdict)))

    @property
    def exit_code(self) -> int:
        """What the claims' verdicts add up to as an exit code."""
        return exit_code(claim.verdict for claim in self.claims)

    @property
    def doubt(self) -> str:
        """What is wrong with the run as a whole, whatever its claims say; empty if nothing is."""
        if self.left_behind:
            return f"Could not be removed: {', '.join(self.left_behind)}"
        if self.ended_with is None:
            return "The journal has no end: the run was killed, or it still runs."
        if self.ended_with == EXIT_INTERRUPTED:
            return "The run was interrupted."
        if self.ended_with != self.exit_code:
            return (
                f"The run ended with exit code {self.ended_with}; its verdicts alone would give "
                f"{self.exit_code}. Something outside the claims went wrong."
            )
        return ""

    @property
    def verdict(self) -> Verdict:
        """The claims' worst verdict; with doubt UNKNOWN at best, with things left behind FAIL."""
        found = worst(claim.verdict for claim in self.claims)
        if found is Verdict.FAIL or self.left_behind:
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.doubt else found

    @property
    def headline(self) -> str:
        """The verdict in words."""
        if self.left_behind:
            return f"{self._judged}; not everything could be removed"
        return f"{self._judged}; the run did not end well" if self.doubt else self._judged

    @property
    def _judged(self) -> str:
        counts, total = self.counts, len(self.claims)
        if not total:
            return "nothing was judged: the run declared no claim"
        failed, unknown, skipped, passed = (counts[verdict] for verdict in SHOWN_FIRST)
        if failed:
            return f"{failed} of {plural(total, 'claim')} {_verb(failed, 'does', 'do')} not hold"
        if unknown:
            return f"{unknown} of {plural(total, 'claim')} could not be judged"
        if not passed:
            return f"nothing was judged: {plural(total, 'claim')} skipped"
        judged = f"{plural(passed, 'claim')} {_verb(passed, 'holds', 'hold')}"
        return f"{judged}, {skipped} skipped" if skipped else judged

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader has to know before the claims: doubt, then the run's notes."""
        return (self.doubt, *self.notes) if self.doubt else self.notes

    @property
    def ran_on(self) -> str:
        """The environment in one line: the first facts of cluster, nfs and images."""
        return "; ".join(
            f"{section.name}: "
            + ", ".join(f"{name} {value}" for name, value in section.facts[:wanted])
            for wanted_name, wanted in _HEADLINE_FACTS.items()
            for section in self.environment
            if section.name == wanted_name
        )


def summarise_events(events: Iterable[Event]) -> Summary:
    """Give what a journal's events add up to.

    A claim whose test did not finish, or has none, is UNKNOWN. Several tests of one claim give
    their worst verdict. All text is cleaned of what a report must not hold.

    Raises:
        BadInput: there is no run_started among the events.
    """
    events = tuple(events)
    run = next(iter(_of(events, RunStarted)), None)
    if run is None:
        raise BadInput("the journal does not say that a run started: there is nothing to report")
    end = next(iter(_of(events, RunFinished)), None)
    return Summary(
        run_id=clean(run.run_id),
        landfast=clean(run.landfast),
        command=clean(shlex.join(run.command)),
        settings=tuple((clean(name), clean(value)) for name, value in run.settings.items()),
        started=run.at,
        ended=max(event.at for event in events),
        ended_with=end.exit_code if end else None,
        left_behind=tuple(clean(name) for name in end.left_behind) if end else (),
        environment=_environment(_of(events, EnvironmentFact)),
        phases=tuple(
            phase.model_copy(update={"name": clean(phase.name)}) for phase in _of(events, Phase)
        ),
        notes=tuple(dict.fromkeys(clean(note.text) for note in _of(events, Note))),
        suites=_suites(_claims(events, run)),
    )


def _of(events: Iterable[Event], kind: type[_E]) -> list[_E]:
    return [event for event in events if isinstance(event, kind)]


def _environment(facts: Iterable[EnvironmentFact]) -> tuple[Section, ...]:
    sections: dict[str, dict[str, str]] = {}
    for fact in facts:
        sections.setdefault(clean(fact.section), {})[clean(fact.name)] = clean(fact.value)
    return tuple(Section(name, tuple(found.items())) for name, found in sections.items())


def _suites(claims: Sequence[ClaimSummary]) -> tuple[SuiteSummary, ...]:
    ordered = sorted(claims, key=lambda claim: SHOWN_FIRST.index(claim.verdict))
    suites = [
        SuiteSummary(name, tuple(claim for claim in ordered if claim.suite == name))
        for name in dict.fromkeys(claim.suite for claim in claims)
    ]
    first = {suite.name: suite.claims[0].verdict for suite in suites}
    return tuple(sorted(suites, key=lambda suite: SHOWN_FIRST.index(first[suite.name])))


def _claims(events: Sequence[Event], run: RunStarted) -> list[ClaimSummary]:
    declared = {claim.id: claim for claim in _of(events, ClaimDeclared)}
    starts = {(start.test, start.claim): start for start in _of(events, TestStarted)}
    ends: dict[tuple[str, str], list[TestFinished]] = {}
    for end in _of(events, TestFinished):
        ends.setdefault((end.test, end.claim), []).append(end)
    told = Told(events)
    tests: dict[str, list[TestSummary]] = {claim: [] for claim in declared}
    for test, claim in dict.fromkeys([*starts, *ends]):
        key = (test, claim)
        summary = _test(test, starts.get(key), ends.get(key, []), told, run)
        tests.setdefault(claim, []).append(summary)
    return [
        ClaimSummary(
            id=clean(id_),
            text=clean(declared[id_].text) if id_ in declared else "The run did not declare it.",
            source=clean(declared[id_].source) if id_ in declared else "",
            scenario=clean(declared[id_].scenario) if id_ in declared else "",
            tier=declared[id_].tier if id_ in declared else None,
            tests=tuple(sorted(found, key=lambda test: SHOWN_FIRST.index(test.verdict))),
        )
        for id_, found in tests.items()
    ]


def _test(
    test: str, start: TestStarted | None, ends: list[TestFinished], told: Told, run: RunStarted
) -> TestSummary:
    verdict = worst(end.verdict for end in ends)
    end = next((end for end in ends if end.verdict is verdict), None)
    reason = NOT_JUDGED if end is None else clean(end.reason)
    if not reason and verdict is not Verdict.PASS:
        reason = "the test gave no reason"
    steps = told.steps.get(test, [])
    began = start.at if start else min((step.at for step in steps), default=run.at)
    return TestSummary(
        id=clean(test),
        worker=clean(start.worker) if start else "",
        verdict=verdict,
        reason=reason,
        capability=clean(end.capability) if end else "",
        seconds=end.seconds if end else None,
        steps=tuple(sorted((_step(step, began) for step in steps), key=lambda step: step.start)),
        observations=tuple(clean(seen.text) for seen in told.observations.get(test, [])),
        evidence=tuple(
            EvidenceSummary(clean(found.title), clean(found.file))
            for found in told.evidence.get(test, [])
        ),
        cell=told.cells.get(test),
        survival=told.survivals.get(test),
        command=clean(command_for(test, run)),
    )


def _step(step: Step, began: datetime) -> StepSummary:
    start = max(0.0, (step.at - began).total_seconds() - step.seconds)
    return StepSummary(clean(step.text), start, step.seconds, step.ok)


def _counts(claims: Sequence[ClaimSummary]) -> dict[Verdict, int]:
    verdicts = [claim.verdict for claim in claims]
    return {verdict: verdicts.count(verdict) for verdict in SHOWN_FIRST}


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
