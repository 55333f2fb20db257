"""Runs one scenario: load, fault, proof, healing, proof, and what was lost."""

import contextlib
import gzip
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from landfast.errors import LandfastError
from landfast.faults.base import Fault, NotProven, Site
from landfast.faults.health import wait_healthy
from landfast.faults.rollback import Rollback
from landfast.kube.client import Object
from landfast.mysql import identity
from landfast.mysql.availability import measure
from landfast.mysql.checker import check
from landfast.mysql.history import Operation, read_history
from landfast.mysql.ledger import Ledger
from landfast.mysql.reading import FinalReading
from landfast.steps import StepFunction
from landfast.survival.lanes import Watcher, happenings
from landfast.survival.model import Lane, LedgerCheck, Marks, Survival
from landfast.survival.plan import Plan
from landfast.survival.verdict import judge
from landfast.verdict import MissingCapability, Unknown
from landfast.waiting import WaitTimeout, stays_true

_HEALTHY_SECONDS = 120
_BEFORE = 3000  # acknowledged writes: two to four seconds
_FLOWING = 200
_AFTER = 2500
_WRITES_SECONDS = 60
_RECOVER_SECONDS = 120


@dataclass
class _Trace:
    """What is noted while a scenario runs; times are monotonic."""

    injected: float = 0.0
    proven: float | None = None
    healed: float | None = None
    ended: float = 0.0
    effect: str = ""
    healing: str = ""
    doubts: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    identity: list[str] = field(default_factory=list)
    lanes: tuple[Lane, ...] = ()


def survive(
    plan: Plan, site: Site, rollback: Rollback, folder: Path, step: StepFunction
) -> Survival:
    """Run one scenario and give what it showed; history, reading and marks stay in `folder`.

    The fault is healed also if the scenario breaks off, and on disk before it is injected.

    Raises:
        Unknown: the cluster was not healthy before: nothing was broken.
        MissingCapability: the fault cannot be injected here.
        LandfastError: the fault cannot be healed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(site.stack.mysql, folder)
    data = site.stack.folder("mysql")
    trace = _Trace()
    with step("the cluster is healthy; a fresh ledger and a canary"):
        before = _prepare(plan, site, ledger, data, trace)
    began_wall = datetime.now(UTC)
    with _workload(site, ledger, trace):
        _load(ledger)
        fault = plan.fault(site)
        if reason := fault.available():
            raise MissingCapability(f"fault.{fault.name}", reason)
        if plan.when == "recovering":
            with step("delete MySQL's pod: the fault comes while its successor recovers"):
                trace.injected = time.monotonic()
                uid = site.pod()["metadata"]["uid"]
                site.kube.delete("Pod", "mysql-0", site.stack.namespace)
                site.wait_for_another_pod(uid)
        _break_and_heal(plan, fault, rollback, ledger, trace, step)
        with step("writes are acknowledged again"):
            _recover(ledger, trace)
    with step("the cluster is healthy again; everything is read"):
        reading = _look(site, ledger, before, data, began_wall, trace)
    survival = _conclude(plan, ledger, trace, reading)
    _keep(folder, ledger, trace, plan, reading)
    try:
        events = happenings(site, ledger.began, trace.ended)
    except LandfastError:  # a verdict does not rest on events
        return survival
    return survival.model_copy(update={"happenings": events})


def _prepare(plan: Plan, site: Site, ledger: Ledger, data: str, trace: _Trace) -> identity.Snapshot:
    try:
        wait_healthy(site, timeout=_HEALTHY_SECONDS)
        if site.server.mode() != plan.mode:
            site.server.set_mode(plan.mode)
        if _was_restarted(site.pod()):  # the kubelet would wait longer before each restart
            uid = site.pod()["metadata"]["uid"]
            site.kube.delete("Pod", "mysql-0", site.stack.namespace)
            site.wait_for_another_pod(uid)
        wait_healthy(site, timeout=_HEALTHY_SECONDS)
        ledger.prepare()
        identity.plant_canary(site.stack.mysql)
        for name, value in plan.variables.items():
            site.stack.mysql.query(f"SET GLOBAL {name} = %s", (int(value),))
        trace.identity.append(identity.durability(site.stack.mysql))
        return identity.take_snapshot(site.stack.mysql, site.server.inspector, data)
    except LandfastError as error:
        raise Unknown(f"the cluster was not healthy before the fault: {error}") from error


def _was_restarted(pod: Object) -> bool:
    return any(status["restartCount"] for status in pod["status"].get("containerStatuses") or [])


@contextlib.contextmanager
def _workload(site: Site, ledger: Ledger, trace: _Trace) -> Iterator[None]:
    with ledger.writing():
        watcher = Watcher(site, ledger.began)
        watcher.start()
        try:
            yield
        finally:
            trace.lanes = watcher.stop()
            trace.ended = time.monotonic()


def _load(ledger: Ledger) -> None:
    """Wait until the load is what it is to be when the fault hits."""
    try:
        ledger.wait_for_writes(_BEFORE, timeout=_WRITES_SECONDS)
    except WaitTimeout as error:
        raise Unknown(f"there was no load before the fault: {error}") from error


def _break_and_heal(
    plan: Plan,
    fault: Fault,
    rollback: Rollback,
    ledger: Ledger,
    trace: _Trace,
    step: StepFunction,
) -> None:
    rollback.enter(fault)
    try:
        trace.injected = trace.injected or time.monotonic()
        fault.note()
        if plan.when == "steady":  # to sync the journal has held up the load: let it flow again
            ledger.wait_for_writes(_FLOWING, timeout=_WRITES_SECONDS)
            trace.injected = time.monotonic()
        with step(f"break: {plan.text}"):
            fault.inject()
        with step("prove that it took effect"):
            trace.effect = fault.prove_effect()
        trace.proven = time.monotonic()
        with step(f"leave it so for {plan.hold:g} s"):  # its length is part of the scenario
            stays_true("the fault", lambda: True, seconds=plan.hold)
    except (NotProven, LandfastError) as error:
        trace.doubts.append(str(error))
    finally:
        with step("heal"):
            fault.heal()
    try:
        with step("prove that it is healed"):
            trace.healing = fault.prove_healed()
        trace.healed = time.monotonic()
        rollback.leave(fault)
    except LandfastError as error:
        trace.failures.append(f"the fault does not heal: {error}")


def _recover(ledger: Ledger, trace: _Trace) -> None:
    try:
        ledger.wait_for_writes(1, timeout=_RECOVER_SECONDS)
        ledger.wait_for_writes(_AFTER, timeout=_WRITES_SECONDS)
    except WaitTimeout as error:
        trace.failures.append(f"MySQL does not take writes again: {error}")


def _look(
    site: Site,
    ledger: Ledger,
    before: identity.Snapshot,
    data: str,
    since: datetime,
    trace: _Trace,
) -> FinalReading | None:
    """Give what is in the ledger now; note what is wrong beside it."""
    try:
        wait_healthy(site, timeout=_HEALTHY_SECONDS)
    except WaitTimeout as error:
        trace.failures.append(str(error))
    server = site.stack.mysql
    seen, wrong = identity.verify(before, server, site.server.inspector, data)
    log = identity.LogFindings((), ())
    try:
        log = identity.scan_log(site.kube, site.stack.namespace, "mysql-0", since)
    except LandfastError as error:
        seen.append(str(error))
    reading: FinalReading | None
    try:
        reading = ledger.read()
    except LandfastError as error:
        seen.append(f"the ledger cannot be read: {error}")
        reading = None
    trace.identity += seen
    trace.identity += [f"recovery in MySQL's log: {line}" for line in log.recovery[:3]]
    trace.failures += wrong
    trace.failures += [f"MySQL's log speaks of corruption: {line}" for line in log.corruption[:3]]
    return reading


def _conclude(plan: Plan, ledger: Ledger, trace: _Trace, reading: FinalReading | None) -> Survival:
    def operations() -> Iterator[Operation]:
        return read_history(ledger.history)

    found: LedgerCheck = check(
        operations(),
        reading,
        inject=trace.injected,
        healed=trace.healed,
        during_required=plan.expected.during,
        epoch=ledger.began,
    )
    availability = measure(
        operations(),
        epoch=ledger.began,
        inject=trace.injected,
        healed=trace.healed,
        ended=trace.ended,
    )
    verdict, reasons = judge(plan, found, availability, trace.doubts, trace.failures)
    return Survival(
        scenario=plan.value(),
        verdict=verdict,
        reasons=tuple(reasons),
        marks=Marks(
            injected=trace.injected - ledger.began,
            proven=None if trace.proven is None else trace.proven - ledger.began,
            healed=None if trace.healed is None else trace.healed - ledger.began,
            ended=trace.ended - ledger.began,
        ),
        effect=trace.effect,
        healing=trace.healing,
        ledger=found,
        availability=availability,
        identity=tuple(trace.identity),
        lanes=trace.lanes,
    )


def _keep(
    folder: Path, ledger: Ledger, trace: _Trace, plan: Plan, reading: FinalReading | None
) -> None:
    """Leave what the verdict rests on, so that it can be judged again."""
    with ledger.history.open("rb") as plain, gzip.open(f"{ledger.history}.gz", "wb", 6) as packed:
        shutil.copyfileobj(plain, packed)
    ledger.history.unlink()
    if reading is not None:
        (folder / "reading.json").write_text(reading.model_dump_json())
    marks = {
        "epoch": ledger.began,
        "inject": trace.injected,
        "healed": trace.healed,
        "ended": trace.ended,
        "during_required": plan.expected.during,
    }
    (folder / "marks.json").write_text(json.dumps(marks, indent=1))
