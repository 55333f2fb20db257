"""A journal of the chaos suite as a real run would write it: a pass, losses, doubt, a failure.

`python tests/reports/chaos_sample.py FOLDER` writes it and its reports to FOLDER.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from chaos_course import BUDGET, Course, lanes, ledger
from report_sample import Case, sample_events, write_run

from landfast.journal import Event, SurvivalShown
from landfast.results import (
    Happening,
    LostRun,
    Marks,
    NfsClientStats,
    ScenarioSummary,
    Survival,
    Tier,
)
from landfast.verdict import Verdict
from reports import render

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
            "budget": BUDGET if name == "pod-delete" else None,
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
