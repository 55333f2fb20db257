"""A fault, a site, a ledger that lead nowhere: what they are asked for stands in a list."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

from fakes import FakeEngine, FakeKube

from landfast.faults.base import FAULTS, Fault, Lasting, Momentary, Site
from landfast.mysql import identity
from landfast.mysql.history import ACCOUNTS, INITIAL_BALANCE, FinalReading, OperationKind
from landfast.mysql.identity import IdentityFindings, LogFindings, Snapshot
from landfast.mysql.writers import _History
from landfast.results import Crew, Lane
from landfast.survival import run
from landfast.survival.milestones import Look
from landfast.survival.scenario import Expected, Scenario
from landfast.waiting import WaitTimeout

BEFORE = Snapshot("0c1d", 0xC0FFEE, 4711)
DURABILITY = "sync_binlog=1"
Act = Callable[[], object]
_WRITTEN = 5  # of those that are waited for, so many are made


class FakeFault(Fault):
    """Records what it is asked for, in order, and does what `acts` has for it."""

    name = "fake"
    text = "nothing is broken"
    calls: ClassVar[list[str]]
    acts: ClassVar[Mapping[str, Act]]

    def _call(self, what: str) -> str:
        self.calls.append(what)
        if what in self.acts:
            return str(self.acts[what]())
        return f"{what} of {self.name}"

    def available(self) -> str | None:
        return self._call("available") if "available" in self.acts else None

    def note(self) -> None:
        self._call("note")

    def inject(self) -> None:
        self._call("inject")

    def prove_effect(self) -> str:
        return self._call("prove_effect")

    def heal(self) -> None:
        self._call("heal")

    def prove_healed(self) -> str:
        return self._call("prove_healed")


class _FakeMomentary(FakeFault, Momentary):
    pass


class _FakeLasting(FakeFault, Lasting):
    def still_there(self) -> bool:
        self.calls.append("still_there")
        return bool(self.acts.get("still_there", lambda: True)())


def fake_fault(name: str = "fake", /, **acts: Act) -> type[FakeFault]:
    """Return a fault; `acts` are done when the method of that name is called."""
    return type("Fake", (_FakeMomentary,), {"name": name, "calls": [], "acts": acts})


def lasting_fault(**acts: Act) -> type[FakeFault]:
    """Return a fault that lasts."""
    return type("Fake", (_FakeLasting,), {"name": "fake", "calls": [], "acts": acts})


def known_fault(monkeypatch: Any, name: str, /, **acts: Act) -> type[FakeFault]:
    """Return a fault that `FAULTS` has, too."""
    fault = fake_fault(name, **acts)
    monkeypatch.setitem(FAULTS, name, fault)
    return fault


def raising(error: BaseException) -> Act:
    """Return what raises an error when it is called."""

    def act() -> object:
        raise error

    return act


def fake_scenario(fault: type[Fault] | None = None, **changes: Any) -> Scenario:
    """Return a scenario of a fault that does not last."""
    values: dict[str, Any] = {
        "name": "fake-scenario",
        "fault": fault or fake_fault(),
        "expected": Expected(gap=5),
        "seconds": 10,
    }
    return Scenario(**(values | changes))


class FakeMysql:
    """Notes the statements that it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[object, ...]]] = []

    def query(self, sql: str, arguments: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        self.asked.append((sql, arguments))
        return []


class FakeSite:
    """What `survive` asks of a site."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.modes: list[str] = []
        self.restarts = 0
        self.mysql = FakeMysql()
        self.stack = SimpleNamespace(mysql=self.mysql, namespace="default", export=None)
        self.server = SimpleNamespace(
            mode=lambda: [*self.modes, "honest"][0], set_mode=self.modes.append, address="10.0.0.2"
        )
        self.own_server: object = self.server
        self.export = None
        self.writers = None
        self.engine = FakeEngine()
        self.volume = "pv-1"
        self.kube = FakeKube({"kind": "PersistentVolume", "metadata": {"name": self.volume}})

    def pod(self) -> dict[str, Any]:
        statuses = [{"restartCount": self.restarts}]
        return {"metadata": {"uid": "u1"}, "status": {"containerStatuses": statuses}}

    def node(self) -> str:
        return "worker"

    def settle(self) -> None:
        """Nothing leads to MySQL but its port."""

    def replace_pod(self) -> None:
        self.deleted.append("mysql-0")

    @property
    def site(self) -> Site:
        """It, as what it stands for."""
        return cast(Site, self)


@dataclass
class LedgerActs:
    """What the next ledger does.

    Attributes:
        loses: how many of the last rows are not there any more when it is read.
        read: what is done when it is read.
        fails_from: the call of `wait_for_writes` from which on nothing is acknowledged.
        written: whether there was a load.
        crew: the writers in pods.
    """

    loses: int = 0
    read: Act = bool
    fails_from: int | None = None
    written: bool = False
    crew: Crew | None = None


class FakeLedger:
    """Writes a few rows whenever somebody waits for some; knows what it wrote."""

    def __init__(self, acts: LedgerActs, _server: object, folder: Path, _pods: object) -> None:
        self.acts = acts
        self.acts.written = False
        self.history = folder / "history.tsv"
        self.began = 0.0
        self.number = 0
        self.waits = 0
        self.crew = acts.crew
        self.clock_error = acts.crew.clock_error if acts.crew else 0.0

    def prepare(self) -> None:
        """Nothing is to be made."""

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        self.began = time.monotonic()
        self.lines = _History(self.history)
        self.acts.written = True
        yield

    def wait_for_writes(self, count: int, *, timeout: float) -> None:
        self.waits += 1
        if self.acts.fails_from is not None and self.waits >= self.acts.fails_from:
            raise WaitTimeout(f"waited {timeout:g} s for {count} acknowledged writes")
        for _ in range(_WRITTEN):
            self.number += 1
            for what in ("invoke", "ok"):
                self.lines.write(what, 0, OperationKind.INSERT, self.number)

    def read(self) -> FinalReading:
        self.acts.read()
        there = self.number - self.acts.loses
        balances = dict.fromkeys(range(ACCOUNTS), INITIAL_BALANCE)
        return FinalReading(rows={0: [(1, there)]}, transfers={}, registers={}, balances=balances)


class FakeWatcher:
    """Sees nothing."""

    def __init__(self, _site: Site, _began: float) -> None:
        self.started = False
        self.looks: list[Look] = []

    def start(self) -> None:
        self.started = True

    def stop(self) -> tuple[Lane, ...]:
        return (Lane(name="pod mysql-0", spans=()),) if self.started else ()


class Stage:
    """Everything around `survive`, to be changed by a test."""

    def __init__(self) -> None:
        self.healthy_before: Act = bool
        self.healthy_after: Act = bool
        """What waiting for a healthy cluster comes to, before the load and after it."""
        self.wrong: list[str] = []
        self.unread: list[str] = []
        self.log = LogFindings((), ())
        self.ledger = LedgerActs()
        self.steps: list[str] = []

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        self.steps.append(text)
        yield

    def wait_healthy(self, _site: Site, *, timeout: float) -> None:
        if self.ledger.written:
            self.healthy_after()
        else:
            self.healthy_before()

    def verify(self, *_: object) -> IdentityFindings:
        seen = (f"before: {BEFORE}",)
        return IdentityFindings(seen, tuple(self.wrong), tuple(self.unread))

    def scan_log(self, _kube: object, _namespace: str, _pod: str, _since: datetime) -> LogFindings:
        return self.log


def set_stage(monkeypatch: Any) -> Stage:
    """Put fakes in place of everything that `survive` needs a cluster for."""
    stage = Stage()
    monkeypatch.setattr(run, "Ledger", partial(FakeLedger, stage.ledger))
    monkeypatch.setattr(run, "Watcher", FakeWatcher)
    monkeypatch.setattr(run, "wait_healthy", stage.wait_healthy)
    monkeypatch.setattr(run, "happenings", lambda *_: ())
    monkeypatch.setattr(identity, "plant_canary", lambda _server: None)
    monkeypatch.setattr(identity, "take_snapshot", lambda *_: BEFORE)
    monkeypatch.setattr(identity, "durability", lambda _server: DURABILITY)
    monkeypatch.setattr(identity, "verify", stage.verify)
    monkeypatch.setattr(identity, "scan_log", stage.scan_log)
    return stage
