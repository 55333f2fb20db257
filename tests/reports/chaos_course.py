"""What a chaos sample is made of: the course of a scenario, and the figures that go with it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from landfast.results import (
    Availability,
    Bin,
    Budget,
    BudgetPhase,
    IntervalLosses,
    Lane,
    Latency,
    LedgerCheck,
    LedgerCounts,
    LostRun,
    Marks,
    ScenarioSummary,
    Span,
    Survival,
)
from landfast.verdict import Verdict

BIN = 0.25
NAMES: tuple[Literal["before", "during", "after"], ...] = ("before", "during", "after")

BLANK = Survival(
    scenario=ScenarioSummary(
        name="blank", fault="nothing", text="nothing", expected="nothing", hold=0
    ),
    verdict=Verdict.UNKNOWN,
    reasons=("nothing was seen",),
    marks=Marks(injected=0, proven=None, healed=None, ended=0),
    effect="",
    healing="",
    ledger=LedgerCheck(
        verdict=Verdict.UNKNOWN,
        reasons=("the ledger was not read after recovery",),
        counts=LedgerCounts(**dict.fromkeys(LedgerCounts.model_fields, 0)),
        lost=(),
        by_interval=(),
    ),
    availability=Availability(
        gap=0,
        gap_from=0,
        gaps=0,
        errors=0,
        rto_first=None,
        rto_steady=None,
        intervals=(),
        bin_seconds=BIN,
        bins=(),
    ),
    identity=(),
)
"""A scenario that showed nothing at all."""


@dataclass(frozen=True)
class Course:
    """How a scenario went, in seconds since the workload began."""

    marks: Marks
    away: tuple[float, float] | None = None
    errors_at: tuple[float, ...] = ()
    rate: int = 1350

    def bins(self) -> tuple[Bin, ...]:
        """Give what clients saw: a steady load, nothing while it is away, a burst afterwards."""
        noise = random.Random(5)  # noqa: S311 - the same picture each time
        found = []
        for index in range(int(self.marks.ended / BIN)):
            start = index * BIN
            errors = sum(start <= at < start + BIN for at in self.errors_at)
            if self.away and self.away[0] <= start and start + BIN <= self.away[1]:
                found.append(Bin(acknowledged=0, errors=errors, p50=None, worst=None))
                continue
            since = start + BIN - self.away[1] if self.away and start + BIN > self.away[1] else 99
            count = int(self.rate * BIN * min(1.0, 0.25 + since / 3) * noise.uniform(0.86, 1.06))
            worst = noise.uniform(9, 45)
            if self.away and 0 <= since <= BIN:
                worst = 1000 * (self.away[1] - self.away[0])
            found.append(
                Bin(
                    acknowledged=count,
                    errors=errors,
                    p50=round(noise.uniform(2.2, 3.1) + 4 / (1 + since), 2),
                    worst=round(worst, 1),
                )
            )
        return tuple(found)

    def availability(self) -> Availability:
        """Give the figures that go with the bins."""
        bins, marks = self.bins(), self.marks
        healed = marks.healed or marks.ended
        ends = (0.0, marks.injected, healed, marks.ended)
        intervals = []
        for name, start, end in zip(NAMES, ends, ends[1:], strict=False):
            part = bins[int(start / BIN) : int(end / BIN)]
            count = sum(found.acknowledged for found in part)
            some = bool(count)
            intervals.append(
                Latency(
                    interval=name,
                    acknowledged=count,
                    errors=sum(found.errors for found in part),
                    rate=round(count / max(end - start, BIN), 1),
                    p50=2.731 if some else None,
                    p99=11.408 if some else None,
                    p999=38.92 if some else None,
                    worst=max((found.worst or 0.0 for found in part), default=0.0)
                    if some
                    else None,
                )
            )
        gap = self.away[1] - self.away[0] if self.away else 0.31
        back = self.away is not None and self.away[1] < marks.ended
        first = (self.away[1] - marks.injected if back else None) if self.away else 0.0
        return Availability(
            gap=gap,
            gap_from=self.away[0] if self.away else marks.injected + 0.5,
            gaps=1 if self.away else 0,
            errors=len(self.errors_at),
            rto_first=first,
            rto_steady=None if first is None else first + 1.75 if first else 0.0,
            intervals=tuple(intervals),
            bin_seconds=BIN,
            bins=bins,
        )


def ledger(
    course: Course, verdict: Verdict, lost: Sequence[LostRun] = (), reasons: tuple[str, ...] = ()
) -> LedgerCheck:
    """Give the checker's verdict that goes with a course and what was lost."""
    acknowledged = sum(found.acknowledged for found in course.bins())
    gone = sum(run.last - run.first + 1 for run in lost)
    uncertain = len(course.errors_at)
    recovered = uncertain // 3
    by_name = {found.interval: found for found in course.availability().intervals}
    return LedgerCheck(
        verdict=verdict,
        reasons=reasons,
        counts=LedgerCounts(
            attempted=acknowledged + uncertain,
            acknowledged=acknowledged,
            failed=0,
            uncertain=uncertain,
            stable=acknowledged - gone,
            lost=gone,
            recovered=recovered,
            never_read=uncertain - recovered,
            unexpected=0,
            duplicate=0,
            torn=0,
        ),
        lost=tuple(lost),
        by_interval=tuple(
            IntervalLosses(
                interval=name,
                acknowledged=by_name[name].acknowledged,
                lost=gone if name == "before" else 0,
            )
            for name in NAMES
        ),
    )


def lanes(end: float, **states: tuple[tuple[float, str, bool], ...]) -> tuple[Lane, ...]:
    """Give a lane each for pod, node, claim and server: state by state, until the end."""
    names = {
        "pod": ("pod mysql-0", "Ready on worker"),
        "node": ("node worker", "Ready"),
        "pvc": ("PVC mysql-data-mysql-0", "Bound"),
        "server": ("NFS server", "running"),
    }
    found = []
    for key, (name, usual) in names.items():
        changes = ((0.0, usual, True), *states.get(key, ()))
        ends = [*(start for start, _, _ in changes[1:]), end]
        found.append(
            Lane(
                name=name,
                spans=tuple(
                    Span(start=start, end=until, state=state, good=good)
                    for (start, state, good), until in zip(changes, ends, strict=True)
                ),
            )
        )
    return tuple(found)


BUDGET = Budget(
    phases=(
        BudgetPhase(
            name="stop, unmount",
            seconds=3.9,
            predicted=3.1,
            basis="as at the rehearsal; at most terminationGracePeriodSeconds 30",
            shorten="fewer dirty pages (innodb_max_dirty_pages_pct)",
        ),
        BudgetPhase(
            name="mount and start",
            seconds=1.2,
            predicted=None,
            basis="there was no rehearsal",
            shorten="",
        ),
        BudgetPhase(
            name="first write",
            seconds=1.5,
            predicted=0.9,
            basis="as at the rehearsal",
            shorten="readinessProbe.periodSeconds",
        ),
    ),
    unseen=("the end of stop",),
)
