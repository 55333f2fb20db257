"""A journal of the chaos suite as a real run would write it: a pass, losses, doubt, a failure.

`python tests/reports/chaos_sample.py FOLDER` writes it and its reports to FOLDER.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from report_sample import Case, sample_events, write_run

from landfast.journal import Event, SurvivalShown
from landfast.results import (
    Availability,
    Bin,
    Happening,
    IntervalLosses,
    Lane,
    Latency,
    LedgerCheck,
    LedgerCounts,
    LostRun,
    Marks,
    NfsClientStats,
    ScenarioSummary,
    Span,
    Survival,
    Tier,
)
from landfast.verdict import Verdict
from reports import render

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


SAME = (
    "server_uuid 5b0c…e1 is the same",
    "canary table: checksum 2748113 as before",
    "inode of the data directory 1180929 is the same",
)
KILLED = Course(Marks(injected=3.4, proven=4.1, healed=9.6, ended=14.75), away=(3.5, 10.0))
PASSED = Survival(
    scenario=ScenarioSummary(
        name="nfs-kill",
        fault="nfs-kill",
        tier="L4",
        text="the NFS server is killed and started again",
        expected="nothing acknowledged is lost, no error, no gap over 40 s",
        hold=4,
    ),
    verdict=Verdict.PASS,
    reasons=(),
    marks=KILLED.marks,
    effect="the server's container exited with 137 at 20:21:40.132; stat on the mount hangs",
    healing="pid 1 of the container is another; stat on the mount answers in 0.2 s",
    ledger=ledger(KILLED, Verdict.PASS),
    availability=KILLED.availability(),
    identity=SAME,
    client=NfsClientStats(
        node="landfast-worker",
        version="4.2",
        options="hard,vers=4.2",
        requests=61_204,
        retransmits=3,
        reconnects=1,
        recoveries=1,
        locks_held=5,
        locks_lost=0,
        lease_seconds=20,
    ),
    lanes=lanes(14.5, server=((3.5, "exited (137)", False), (9.5, "running", True))),
    happenings=(
        Happening(at=5.2, text="Unhealthy, Pod mysql-0: Readiness probe failed: timed out"),
        Happening(at=5.6, text="Unhealthy, Pod mysql-0: Liveness probe failed: timed out"),
        Happening(at=10.4, text="NodeReady, Node worker: status is now NodeReady"),
    ),
)

SIGKILL = Course(
    Marks(injected=3.2, proven=3.6, healed=12.9, ended=17.5),
    away=(3.25, 13.25),
    errors_at=(*(3.3,) * 8, *(3.6,) * 6, 6.0, 9.1, 12.3),
)
GONE = tuple(
    LostRun(
        kind=kind,
        writer=writer,
        first=first,
        last=first + count - 1,
        acknowledged_from=2.31 + 0.07 * writer,
        acknowledged_to=3.21,
    )
    for kind, writer, first, count in (
        ("insert", 1, 1041, 212),
        ("insert", 2, 1007, 198),
        ("insert", 3, 996, 207),
        ("transfer", 4, 388, 71),
        ("register", 5, 402, 1),
    )
)
LOST = sum(run.last - run.first + 1 for run in GONE)
CONTROL = Survival(
    scenario=ScenarioSummary(
        name="control-flush-0",
        fault="mysqld-sigkill",
        text="mysqld is killed (innodb_flush_log_at_trx_commit=0)",
        expected="a FAIL: Landfast finds what is lost",
        hold=0,
        control=True,
    ),
    verdict=Verdict.FAIL,
    reasons=(f"{LOST} acknowledged writes are lost: writer 1, inserts 1041 to 1252; …",),
    marks=SIGKILL.marks,
    effect="mysqld has another start time: 20:24:12.310 instead of 20:22:51.870",
    healing="mysql-0 is Ready, restartCount 1 instead of 0",
    ledger=ledger(
        SIGKILL,
        Verdict.FAIL,
        GONE,
        (f"{LOST} acknowledged writes are lost: writer 1, inserts 1041 to 1252; …",),
    ),
    availability=SIGKILL.availability(),
    identity=(*SAME, "recovery in MySQL's log: Doing recovery: scanned up to 2748113"),
    lanes=lanes(
        17.5,
        pod=(
            (3.5, "Running on worker", False),
            (4.5, "CrashLoopBackOff on worker", False),
            (9.0, "Running on worker", False),
            (12.8, "Ready on worker", True),
        ),
    ),
    happenings=tuple(
        Happening(at=at, text=text)
        for at, text in (
            (3.6, "Unhealthy, Pod mysql-0: Readiness probe failed: connection refused"),
            (3.7, "Created, Pod mysql-0: Created container: mysql"),
            (3.8, "Started, Pod mysql-0: Started container mysql"),
            (4.5, "BackOff, Pod mysql-0: Back-off restarting failed container mysql"),
            (9.0, "Started, Pod mysql-0: Started container mysql"),
            (12.8, "Ready, Pod mysql-0: all containers are ready"),
        )
    ),
)

CALM = Course(Marks(injected=3.1, proven=None, healed=3.9, ended=9.0))
NO_EFFECT = Survival(
    scenario=ScenarioSummary(
        name="nfs-port-dropped",
        fault="nfs-port-dropped",
        tier="L6",
        text="the NFS port is dropped on the node",
        expected="nothing acknowledged is lost, no error, no gap over 60 s",
        hold=6,
    ),
    verdict=Verdict.UNKNOWN,
    reasons=("the fault had no effect: 812 requests went through while the port was dropped",),
    marks=CALM.marks,
    effect="",
    healing="the rule is gone from nftables of the node",
    ledger=ledger(CALM, Verdict.PASS),
    availability=CALM.availability(),
    identity=SAME,
    lanes=lanes(9.0),
)

POWER = Course(
    Marks(injected=4.0, proven=4.9, healed=None, ended=64.0),
    away=(4.25, 64.0),
    errors_at=(*(4.4,) * 12, *(10 + 2.1 * n for n in range(24))),
)
FAILED = Survival(
    scenario=ScenarioSummary(
        name="nfs-power-loss",
        fault="nfs-power-loss",
        tier="L5",
        text="the NFS server loses power: what it had not written is gone",
        expected="nothing acknowledged is lost, no error, no gap over 40 s",
        hold=2,
    ),
    verdict=Verdict.FAIL,
    reasons=(
        "the fault does not heal: mysql-0 is not Ready after 60 s, CrashLoopBackOff",
        "MySQL's log reports corruption: Database page corruption on disk",
    ),
    marks=POWER.marks,
    effect="the loop device is detached; 48 dirty pages were dropped",
    healing="",
    ledger=ledger(POWER, Verdict.UNKNOWN, (), ("the ledger was not read after recovery",)),
    availability=POWER.availability(),
    identity=(),
    lanes=lanes(
        64.0,
        pod=(
            (8.0, "Running on worker", False),
            *(
                (20.0 + 12 * n + 5 * odd, f"{state} on worker", False)
                for n in range(3)
                for odd, state in enumerate(("CrashLoopBackOff", "Running"))
            ),
        ),
        node=((48.0, "Ready, cordoned", False),),
        server=((4.0, "exited (137)", False), (6.5, "running", True)),
    ),
    happenings=tuple(
        Happening(at=8 + 2.4 * n, text=f"BackOff, Pod mysql-0: Back-off restarting, {n} of many")
        for n in range(22)
    ),
)
_NOT_READ = FAILED.ledger.counts.model_copy(
    update=dict.fromkeys(("stable", "lost", "recovered", "never_read"), 0)
)
FAILED = FAILED.model_copy(
    update={"ledger": FAILED.ledger.model_copy(update={"counts": _NOT_READ})}
)

STEADY = Course(Marks(injected=3.0, proven=3.4, healed=8.9, ended=13.0))
OTHERS: tuple[tuple[str, Tier | None, Course, str], ...] = (
    ("pod-delete", "L1", KILLED, "pod mysql-0 is deleted"),
    ("mysqld-sigkill", "L2", KILLED, "mysqld is killed"),
    ("node-power-off", "L3", KILLED, "the node of mysql-0 loses power"),
    ("etcd-kill", None, STEADY, "etcd is killed"),
)


def passed(name: str, tier: Tier | None, course: Course, text: str) -> Survival:
    """Give a scenario that passed."""
    scenario = PASSED.scenario.model_copy(
        update={"name": name, "fault": name, "tier": tier, "text": text}
    )
    return PASSED.model_copy(
        update={
            "scenario": scenario,
            "marks": course.marks,
            "ledger": ledger(course, Verdict.PASS),
            "availability": course.availability(),
        }
    )


SURVIVALS = (PASSED, CONTROL, NO_EFFECT, FAILED, *(passed(*other) for other in OTHERS))


def case_of(survival: Survival) -> Case:
    """Give the test of a scenario."""
    scenario = survival.scenario
    verb = "Landfast MUST find what is lost" if scenario.control else "MySQL MUST survive"
    return Case(
        claim=f"chaos.{scenario.name}",
        text=f"{verb} when this breaks: {scenario.text}; {scenario.expected}.",
        source="nfs(5), mount option hard",
        scenario=scenario.name,
        tier=scenario.tier,
        steps=(
            ("the cluster is healthy; a fresh ledger and a canary", 2.2),
            (f"break: {scenario.text}", 0.4),
            ("prove that it took effect", 0.3),
            ("heal", 1.1),
            ("writes are acknowledged again", 6.0),
        ),
        observed=(f"effect: {survival.effect or 'none was proven'}",),
        verdict=Verdict.PASS if scenario.control else survival.verdict,
        reason="" if scenario.control else "; ".join(survival.reasons),
    )


FENCING = Case(
    "chaos.fencing-second-mysqld-is-refused",
    "A second mysqld on another node on the same claim MUST be refused by InnoDB's lock.",
    "MySQL 5.7, InnoDB: ibdata1 is locked",
    (("start a second mysqld", 8.8),),
    ("it ended: Unable to lock ./ibdata1 error: 11",),
)


def chaos_events(
    survivals: Sequence[Survival] = SURVIVALS, cases: tuple[Case, ...] = (FENCING,)
) -> list[Event]:
    """Give the journal of a run of these scenarios, and of other cases."""
    of_scenarios = {f"chaos.{found.scenario.name}": found for found in survivals}
    everything = (*(case_of(found) for found in survivals), *cases)
    events: list[Event] = []
    for event in sample_events(everything):
        if event.kind == "test_finished" and (found := of_scenarios.get(event.claim)):
            events.append(SurvivalShown(at=event.at, test=event.test, survival=found))
        events.append(event)
    return events


if __name__ == "__main__":
    folder = write_run(Path(sys.argv[1]), chaos_events(), ())
    render(folder)
