"""From the events of a journal to the summary of its run. Pure."""

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from landfast.errors import BadInput
from landfast.journal import (
    EVENT,
    ClaimDeclared,
    EnvironmentFact,
    Event,
    Evidence,
    MatrixCell,
    Note,
    Observation,
    Phase,
    RunFinished,
    RunStarted,
    Step,
    SurvivalShown,
    TestFinished,
    TestStarted,
)
from landfast.verdict import Verdict, worst
from reports.command import command_for
from reports.model import (
    SHOWN_FIRST,
    ClaimSummary,
    Section,
    StepSummary,
    SuiteSummary,
    Summary,
    TestSummary,
    worst_first,
)
from reports.text import clean

NOT_JUDGED = "the run ended before this was judged"

_E = TypeVar("_E", bound=Event)


def summarise_events(events: Iterable[Event]) -> Summary:
    """Return what a journal's events add up to.

    A claim whose test did not finish, or that has no test, is UNKNOWN. If a claim has several
    tests, the worst verdict counts. Every text is cleaned of what a report must not contain.

    Raises:
        BadInput: there is no run_started among the events.
    """
    events = tuple(EVENT.validate_python(_clean(event.model_dump())) for event in events)
    run = next(iter(_of(events, RunStarted)), None)
    if run is None:
        raise BadInput("the journal does not say that a run started: there is nothing to report")
    end = _last(events, RunFinished)
    return Summary(
        run_id=run.run_id,
        landfast=run.landfast,
        command=shlex.join(run.command),
        settings=tuple(run.settings.items()),
        started=run.at,
        ended=max(event.at for event in events),
        ended_with=end.exit_code if end else None,
        left_behind=tuple(end.left_behind) if end else (),
        environment=_environment(_of(events, EnvironmentFact)),
        phases=tuple(_of(events, Phase)),
        notes=tuple(dict.fromkeys(note.text for note in _of(events, Note))),
        suites=_suites(_claims(events, run)),
    )


def _clean(value: Any) -> Any:
    match value:
        case Verdict():
            return value
        case str():
            return clean(value)
        case dict():
            return {clean(key): _clean(found) for key, found in value.items()}
        case list() | tuple():
            return [_clean(found) for found in value]
    return value


def _of(events: Iterable[Event], kind: type[_E]) -> list[_E]:
    return [event for event in events if isinstance(event, kind)]


def _last(events: Sequence[Event], kind: type[_E]) -> _E | None:
    return next((event for event in reversed(events) if isinstance(event, kind)), None)


def _environment(facts: Iterable[EnvironmentFact]) -> tuple[Section, ...]:
    sections: dict[str, dict[str, str]] = defaultdict(dict)
    for fact in facts:
        sections[fact.section][fact.name] = fact.value
    return tuple(Section(name, tuple(found.items())) for name, found in sections.items())


def _suites(claims: Sequence[ClaimSummary]) -> tuple[SuiteSummary, ...]:
    names = dict.fromkeys(claim.suite for claim in claims)
    by_suite = {name: [claim for claim in claims if claim.suite == name] for name in names}
    suites = [SuiteSummary(name, worst_first(found)) for name, found in by_suite.items()]
    return tuple(sorted(suites, key=lambda s: SHOWN_FIRST.index(s.claims[0].verdict)))


def _claims(events: Sequence[Event], run: RunStarted) -> list[ClaimSummary]:
    declared = {claim.id: claim for claim in _of(events, ClaimDeclared)}
    reported: dict[str, list[Event]] = defaultdict(list)
    ran: dict[tuple[str, str], list[TestStarted | TestFinished]] = defaultdict(list)
    for event in events:
        match event:
            case TestStarted() | TestFinished():
                ran[event.test, event.claim].append(event)
                undeclared = "The run did not declare this claim."
                declared.setdefault(
                    event.claim, ClaimDeclared(id=event.claim, text=undeclared, source="")
                )
            case Step() | Observation() | Evidence() | MatrixCell() | SurvivalShown():
                reported[event.test].append(event)
    tests: dict[str, list[TestSummary]] = defaultdict(list)
    for (test, id_), own in ran.items():
        command = command_for(test, declared[id_].scenario, run)
        tests[id_].append(_test(test, own, reported[test], command, run.at))
    return [
        ClaimSummary(c.id, c.text, c.source, c.means, c.scenario, c.tier, worst_first(tests[c.id]))
        for c in declared.values()
    ]


def _test(
    test: str,
    ran: Sequence[TestStarted | TestFinished],
    reported: Sequence[Event],
    command: str,
    run_began: datetime,
) -> TestSummary:
    start = _last(ran, TestStarted)
    ends = _of(ran, TestFinished)
    verdict = worst(end.verdict for end in ends)
    end = next((end for end in ends if end.verdict is verdict), None)
    reason = end.reason if end else NOT_JUDGED
    if not reason and verdict is not Verdict.PASS:
        reason = "the test gave no reason"
    steps, shown = _of(reported, Step), _last(reported, SurvivalShown)
    began = start.at if start else min((step.at for step in steps), default=run_began)
    return TestSummary(
        id=test,
        worker=start.worker if start else "",
        verdict=verdict,
        reason=reason,
        capability=end.capability if end else "",
        seconds=end.seconds if end else None,
        steps=tuple(sorted((_step(step, began) for step in steps), key=lambda step: step.start)),
        observations=tuple(seen.text for seen in _of(reported, Observation)),
        evidence=tuple(_of(reported, Evidence)),
        cell=_last(reported, MatrixCell),
        survival=shown.survival if shown else None,
        command=command,
    )


def _step(step: Step, began: datetime) -> StepSummary:
    start = max(0.0, (step.at - began).total_seconds() - step.seconds)
    return StepSummary(step.text, start, step.seconds, step.ok)
