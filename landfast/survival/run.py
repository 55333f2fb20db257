"""Runs one scenario: load, fault, proof, healing, proof, and what was lost."""

import contextlib
import gzip
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import NotProven, Site
from landfast.faults.health import wait_healthy
from landfast.faults.life import Disguise, FaultRecord, Life, NotHealed
from landfast.faults.processes import container_of, end_of
from landfast.faults.rollback import Rollback
from landfast.faults.their_nodes import fitted
from landfast.mysql import identity
from landfast.mysql.availability import measure
from landfast.mysql.checker import check
from landfast.mysql.history import FinalReading, read_history
from landfast.mysql.ledger import Ledger
from landfast.nfs.client import read_stats
from landfast.results import Lane, Marks, Survival
from landfast.steps import StepFunction
from landfast.survival.failover import budget
from landfast.survival.lanes import Watcher, happenings
from landfast.survival.milestones import Look, Milestones
from landfast.survival.moments import MOMENTS
from landfast.survival.scenario import Scenario
from landfast.survival.verdict import judge
from landfast.verdict import MissingCapability, Unknown
from landfast.waiting import WaitTimeout, wait_until

_BEFORE = 3000  # acknowledged writes: two to four seconds
_AFTER = 2500


@dataclass(frozen=True)
class _Before:
    """The database before the workload: what makes it itself, its settings, its container."""

    snapshot: identity.Snapshot
    durability: str
    container: tuple[str, int]


@dataclass(frozen=True)
class _Course:
    """What happened while the workload wrote; `ended` is when it was stopped."""

    fault: FaultRecord
    ended: float
    lanes: tuple[Lane, ...]
    looks: tuple[Look, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True)
class _Aftermath:
    """What was found once everything had recovered."""

    reading: FinalReading | None
    notes: tuple[str, ...]
    doubts: tuple[str, ...]
    failures: tuple[str, ...]


def survive(
    scenario: Scenario,
    site: Site,
    rollback: Rollback,
    folder: Path,
    step: StepFunction,
    *,
    disguise: Disguise = lambda fault: fault,
    read: Callable[[Ledger], FinalReading] = lambda ledger: ledger.read(),
    rehearsal: Milestones | None = None,
) -> Survival:
    """Run one scenario and return what it showed.

    What the verdict rests on stays in `folder`: history, reading and marks. `disguise` sabotages
    the fault, `read` reads the ledger at the end. `rehearsal` is what a failover's budget predicts
    from (see `rehearse`).

    Raises:
        Unknown: the cluster was not healthy, or took no load: nothing was broken.
        MissingCapability: the fault cannot be injected here.
    """
    if site.own_server is None and (scenario.mode != "honest" or scenario.mount_options):
        raise MissingCapability("nfs.owned", "the NFS server and the class are others'")
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(site.stack.mysql, folder, site.writers)
    with step("the cluster is healthy; a fresh ledger and a canary"):
        before = _prepare(scenario, site, ledger)
    since = datetime.now(UTC)
    course = _run(scenario, site, ledger, rollback, step, disguise, before.container)
    with step("the cluster is healthy again; everything is read"):
        after = _look(site, ledger, before, since, read)
    survival = _conclude(scenario, ledger, before, course, after)
    _keep(folder, ledger, scenario, course, after.reading)
    beside: dict[str, object] = {}
    with contextlib.suppress(LandfastError):  # a verdict rests on neither
        beside["happenings"] = happenings(site, ledger.began, course.ended)
    if site.own_server:
        with contextlib.suppress(LandfastError):
            beside["client"] = read_stats(site.engine, site.node(), site.server.address)
    survival = survival.model_copy(update=beside)
    with contextlib.suppress(LandfastError):
        seconds = budget(survival, site, course.looks, course.fault.injected, rehearsal or {})
        survival = survival.model_copy(update={"budget": seconds})
    return survival


def _prepare(scenario: Scenario, site: Site, ledger: Ledger) -> _Before:
    server = site.stack.mysql
    try:
        wait_healthy(site, timeout=timeouts.HEALTHY)
        if site.own_server and site.server.mode() != scenario.mode:
            site.server.set_mode(scenario.mode)
        if scenario.mount_options:
            spec = {"mountOptions": [*scenario.mount_options]}
            site.kube.patch("PersistentVolume", site.volume, {"spec": spec})
        # after restarts of a container, the kubelet would make the next one wait
        if scenario.mount_options or container_of(site.pod())[1]:
            site.replace_pod()
        wait_healthy(site, timeout=timeouts.HEALTHY)
        site.settle()
        ledger.prepare()
        identity.plant_canary(server)
        for name, value in scenario.variables.items():
            server.query(f"SET GLOBAL {name} = %s", (int(value),))
        return _Before(
            identity.take_snapshot(server, site.export),
            identity.durability(server),
            container_of(site.pod()),
        )
    except LandfastError as error:
        raise Unknown(f"the cluster was not healthy before the fault: {error}") from error


def _run(
    scenario: Scenario,
    site: Site,
    ledger: Ledger,
    rollback: Rollback,
    step: StepFunction,
    disguise: Disguise,
    container: tuple[str, int],
) -> _Course:
    """Write, break and heal, and write again."""
    with ledger.writing():
        watcher = Watcher(site, ledger.began)
        watcher.start()
        try:
            _wait_for_load(ledger)
            life = Life(disguise(fitted(scenario.fault, site)), site, rollback, step)
            fault = _break_and_heal(scenario, site, ledger, life)
            failures: tuple[str, ...] = ()
            if scenario.expected.ends and fault.proven is not None:
                with step("mysqld has ended; its pod is deleted"):
                    failures = _replace_ended(site, container)
            with step("writes are acknowledged again"):
                failures += _recover(ledger)
        finally:
            lanes = watcher.stop()
        ended = time.monotonic()
    return _Course(fault, ended, lanes, tuple(watcher.looks), failures)


def _wait_for_load(ledger: Ledger) -> None:
    try:
        ledger.wait_for_writes(_BEFORE, timeout=timeouts.WRITES)
    except WaitTimeout as error:
        raise Unknown(f"there was no load before the fault: {error}") from error


def _break_and_heal(scenario: Scenario, site: Site, ledger: Ledger, life: Life) -> FaultRecord:
    with (
        MOMENTS[scenario.when](site, ledger) as moment,
        contextlib.suppress(NotProven, NotHealed),  # the record has them
        life.in_effect(moment.ready, what=scenario.text, since=moment.outage_began),
    ):
        with life.doubting():
            moment.confirm()
        life.hold(scenario.hold)
    return life.record


def _replace_ended(site: Site, container: tuple[str, int]) -> tuple[str, ...]:
    """Wait for mysqld's container to end, and delete its pod; return what is wrong.

    A restart may not do: after a refused write, the kernel's client fails each close of the file
    until someone syncs it or it is unmounted (include/linux/errseq.h), and mysqld ends again.
    """

    def ended() -> bool:
        pod = site.pod()
        return bool(container_of(pod) != container or end_of(pod, container[0]))

    try:
        wait_until("mysqld to end", ended, timeout=timeouts.WRITES, ignoring=(LandfastError,))
    except WaitTimeout:
        return ("mysqld did not end, although it had lost its lock or its storage",)
    site.replace_pod()
    return ()


def _recover(ledger: Ledger) -> tuple[str, ...]:
    """Wait for writes after the fault; return what is wrong."""
    try:
        ledger.wait_for_writes(1, timeout=timeouts.WRITES_AGAIN)
        ledger.wait_for_writes(_AFTER, timeout=timeouts.WRITES)
    except WaitTimeout as error:
        return (f"MySQL does not take writes again: {error}",)
    return ()


def _look(
    site: Site,
    ledger: Ledger,
    before: _Before,
    since: datetime,
    read: Callable[[Ledger], FinalReading],
) -> _Aftermath:
    """Read what is in the ledger now, and compare the database with the one from before."""
    failures, notes = [], []
    try:
        wait_healthy(site, timeout=timeouts.HEALTHY)
    except WaitTimeout as error:
        failures.append(str(error))
    found = identity.verify(before.snapshot, site.stack.mysql, site.export)
    log = identity.LogFindings((), ())
    try:
        log = identity.scan_log(site.kube, site.stack.namespace, "mysql-0", since)
    except LandfastError as error:
        notes.append(str(error))
    reading = None
    try:
        reading = read(ledger)
    except LandfastError as error:
        notes.append(f"the ledger cannot be read: {error}")
    notes += [f"recovery in MySQL's log: {line}" for line in log.recovery[:3]]
    corruption = [f"MySQL's log reports corruption: {line}" for line in log.corruption[:3]]
    return _Aftermath(
        reading,
        notes=(*found.seen, *notes),
        doubts=found.doubts,
        failures=(*failures, *found.wrong, *corruption),
    )


def _conclude(
    scenario: Scenario, ledger: Ledger, before: _Before, course: _Course, after: _Aftermath
) -> Survival:
    fault = course.fault
    data = check(
        read_history(ledger.history),
        after.reading,
        inject=fault.injected,
        healed=fault.healed,
        during_required=scenario.expected.during,
        epoch=ledger.began,
        clock_error=ledger.clock_error,
    )
    availability = measure(
        read_history(ledger.history),
        epoch=ledger.began,
        inject=fault.injected,
        healed=fault.healed,
        ended=course.ended,
    )
    doubts = fault.doubts + after.doubts
    failures = fault.failures + course.failures + after.failures
    verdict, reasons = judge(scenario, data, availability, doubts, failures, ledger.clock_error)
    return Survival(
        scenario=scenario.summary(),
        verdict=verdict,
        reasons=tuple(reasons),
        marks=Marks(
            injected=fault.injected - ledger.began,
            proven=None if fault.proven is None else fault.proven - ledger.began,
            healed=None if fault.healed is None else fault.healed - ledger.began,
            ended=course.ended - ledger.began,
        ),
        effect=fault.effect,
        healing=fault.healing,
        ledger=data,
        availability=availability,
        identity=(before.durability, *after.notes),
        lanes=course.lanes,
        crew=ledger.crew,
    )


def _keep(
    folder: Path, ledger: Ledger, scenario: Scenario, course: _Course, reading: FinalReading | None
) -> None:
    """Leave what the verdict rests on, so that it can be judged again."""
    with ledger.history.open("rb") as plain, gzip.open(f"{ledger.history}.gz", "wb", 6) as packed:
        shutil.copyfileobj(plain, packed)
    ledger.history.unlink()
    if reading is not None:
        (folder / "reading.json").write_text(reading.model_dump_json())
    marks = {
        "epoch": ledger.began,
        "inject": course.fault.injected,
        "healed": course.fault.healed,
        "ended": course.ended,
        "during_required": scenario.expected.during,
        "clock_error": ledger.clock_error,
    }
    (folder / "marks.json").write_text(json.dumps(marks, indent=1))
