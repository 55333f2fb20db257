"""What is observed of a failover: rehearsal, milestones, budget."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from survival_fakes import FakeLedger, FakeSite, FakeWatcher, LedgerActs

from landfast.errors import LandfastError
from landfast.results import Marks, Survival
from landfast.survival import failover
from landfast.survival.budget import Terms
from landfast.survival.milestones import Look

TERMS = Terms(50, "assumed", 10, 5, 30, 0, 20, 20, returns=False)


def at(injected: float, seconds: float) -> str:
    """Return the time of the host's clock, `seconds` after a monotonic moment."""
    moment = datetime.now(UTC) + timedelta(seconds=injected + seconds - time.monotonic())
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


@pytest.fixture
def fake() -> FakeSite:
    fake = FakeSite()
    fake.pod_name = "mysql-0"  # type: ignore[attr-defined]
    fake.server.name = "disk"
    fake.kube.put({"kind": "Pod", "metadata": {"name": "mysql-0", "namespace": "default"}})
    return fake


def test_logs_of_mysqld_and_of_the_server_are_read_in_this_hosts_time(fake: FakeSite) -> None:
    injected = time.monotonic() - 60
    fake.kube.log = f"{at(injected, 9)} 0 /usr/sbin/mysqld: ready for connections.\n"
    fake.engine.answer("logs", with_=f"{at(injected, 4)} NFS Server Now IN GRACE, duration 20\n")
    looks = [look(injected - 1), look(injected + 0.5, going=True)]
    found = failover.observe(fake.site, looks, injected)
    assert found.pop("evicted") == pytest.approx(0.5)
    assert {name: round(seconds, 1) for name, seconds in found.items()} == {
        "recovered": 9.0,
        "serving": 4.0,
    }


def test_log_that_cannot_be_read_shows_no_milestone(fake: FakeSite) -> None:
    fake.engine.answer("logs", with_=LandfastError("no such container"))

    def refuse(_kind: str, _name: str) -> None:
        raise LandfastError("no such pod")

    fake.kube.before["logs"] = refuse
    assert failover.observe(fake.site, [], time.monotonic()) == {}
    fake.own_server = None
    assert failover.observe(fake.site, [], time.monotonic()) == {}


def look(moment: float, *, going: bool = False) -> Look:
    return Look(moment, "u1", going=going, node="worker", container="c1", ended=False, ready=True)


def survival(name: str, *, rto: float | None = 8.0, proven: float | None = 3.0) -> Survival:
    """Give what the budget asks of a scenario that was shown."""
    found = {
        "scenario": SimpleNamespace(name=name, hold=4),
        "marks": Marks(injected=2, proven=proven, ended=20),
        "availability": SimpleNamespace(rto_first=rto),
        "client": None,
    }
    return cast(Survival, SimpleNamespace(**found))


@pytest.mark.parametrize(
    "shown",
    [
        survival("mysqld-sigkill"),
        survival("nfs-kill", rto=0),
        survival("nfs-kill", rto=None),
        survival("nfs-kill", proven=None),
    ],
    ids=["another scenario", "no outage", "never came back", "not proven"],
)
def test_no_budget_without_a_failover(shown: Survival, fake: FakeSite) -> None:
    assert failover.budget(shown, fake.site, [], 0, {}) is None


def test_budget_knows_how_long_the_fault_was_held(
    fake: FakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def read(_site: object, *, returns: bool) -> Terms:
        asked.append(returns)
        return TERMS

    monkeypatch.setattr(failover, "read_terms", read)
    found = failover.budget(survival("nfs-kill"), fake.site, [], time.monotonic() - 9, {})
    assert found
    held, *_ = found.phases
    assert (held.name, held.seconds) == ("fault held", 5.0)  # a second until it was proven
    assert found.seconds == 8.0
    assert asked == [True]  # a client without figures is the kernel's


@pytest.mark.parametrize("outage", [0.0, 1.1])
def test_rehearsal_is_a_pod_deleted_under_load(
    fake: FakeSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outage: float
) -> None:
    acts = LedgerActs()
    monkeypatch.setattr(failover, "Ledger", lambda *where: FakeLedger(acts, *where))
    monkeypatch.setattr(failover, "Watcher", FakeWatcher)
    monkeypatch.setattr(failover, "wait_healthy", lambda *_, **__: None)
    replace = fake.replace_pod

    def replace_pod() -> None:
        replace()
        threading.Event().wait(outage)

    fake.replace_pod = replace_pod  # type: ignore[method-assign]
    found = failover.rehearse(fake.site, tmp_path / "rehearsal")
    assert fake.deleted == ["mysql-0"]
    assert list((tmp_path / "rehearsal").iterdir()) == []  # its history rests no verdict
    assert list(found) == (["acknowledged"] if outage else [])
