"""The rollback journal: what is on disk before a fault is injected, and what is undone by it."""

import json
import os
from functools import partial
from pathlib import Path

import pytest
from fakes import die
from survival_fakes import FakeSite, fake_fault, known_fault, raising

from landfast import paths
from landfast.errors import BadInput, LandfastError
from landfast.faults import healing
from landfast.faults.base import FAULTS, Site
from landfast.faults.healing import heal_open_faults
from landfast.faults.rollback import Rollback
from landfast.progress import Progress
from landfast.run import RunRecord, new_record
from landfast.waiting import WaitTimeout

SITE = FakeSite().site


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")


@pytest.fixture
def journal() -> Rollback:
    return Rollback(new_record(run_id="r1"))


def test_a_run_without_faults_has_nothing_open(journal: Rollback) -> None:
    assert journal.open_faults() == []
    assert heal_open_faults(journal, SITE) == []
    assert not journal.path.exists()


def test_what_was_entered_is_open_until_it_is_left(journal: Rollback) -> None:
    a, b = fake_fault("a")(SITE, {"node": "n1"}), fake_fault("b")(SITE)
    journal.enter(a)
    journal.enter(b)
    assert journal.open_faults() == [("b", {}), ("a", {"node": "n1"})]
    journal.leave(b)
    assert journal.open_faults() == [("a", {"node": "n1"})]
    journal.leave(a)
    assert journal.open_faults() == []
    assert Rollback(RunRecord(run_id="r1", pid=1, pid_started=1)).path == journal.path


def test_faults_of_one_kind_are_told_apart_by_their_aim(journal: Rollback) -> None:
    kind = fake_fault("a")
    for node in ("n1", "n2"):
        journal.enter(kind(SITE, {"node": node}))
    journal.leave(kind(SITE, {"node": "n1"}))
    assert journal.open_faults() == [("a", {"node": "n2"})]


def test_the_same_fault_twice_is_open_twice(journal: Rollback) -> None:
    a, b = fake_fault("a")(SITE), fake_fault("b")(SITE)
    for fault in (a, b, a):
        journal.enter(fault)
    journal.leave(a)
    assert journal.open_faults() == [("b", {}), ("a", {})]  # the last one was healed
    journal.leave(a)
    assert journal.open_faults() == [("b", {})]


def test_leaving_what_was_not_entered_is_nothing(journal: Rollback) -> None:
    journal.leave(fake_fault("a")(SITE))
    assert journal.open_faults() == []


@pytest.mark.parametrize("kept", [0, 1, 12, -2])
def test_a_last_line_that_is_cut_short_was_not_injected(journal: Rollback, kept: int) -> None:
    journal.enter(fake_fault("a")(SITE))
    whole = journal.path.read_bytes()
    journal.enter(fake_fault("b")(SITE))
    line = journal.path.read_bytes()[len(whole) :]
    journal.path.write_bytes(whole + line[:kept])
    assert journal.open_faults() == [("a", {})]


@pytest.mark.parametrize("cut", ["", '{"fault": "b", "ai'])
def test_a_line_that_is_cut_short_does_not_swallow_the_next(
    journal: Rollback, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    known_fault(monkeypatch, "a")
    journal.enter(FAULTS["a"](SITE))
    with journal.path.open("a") as file:
        file.write(cut)
    assert heal_open_faults(journal, SITE) == ["a: prove_healed of a"]
    assert journal.open_faults() == []


def test_a_journal_that_was_only_just_made_is_written_to(journal: Rollback) -> None:
    journal.path.touch()
    journal.enter(fake_fault("a")(SITE))
    assert journal.open_faults() == [("a", {})]


def test_an_entry_is_synced_when_enter_returns(
    journal: Rollback, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append(path.read_text() if path.is_file() else path.name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    journal.enter(fake_fault("a")(SITE, {"x": "1"}))
    (entry, folder) = synced
    assert json.loads(entry) == {"fault": "a", "aim": {"x": "1"}}
    assert folder == "r1"  # a new file is there only once its folder says so
    journal.enter(fake_fault("b")(SITE))
    assert len(synced) == 3
    assert synced[2].endswith('{"fault": "b", "aim": {}}\n')


@pytest.fixture
def entered(journal: Rollback, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three faults that were not healed; gives the order in which they are."""
    order: list[str] = []
    for name in ("a", "b", "c"):
        known_fault(monkeypatch, name, heal=partial(order.append, name))
        journal.enter(FAULTS[name](SITE, {"aim": name}))
    return order


def test_the_last_fault_is_healed_first(journal: Rollback, entered: list[str]) -> None:
    assert heal_open_faults(journal, SITE) == [f"{name}: prove_healed of {name}" for name in "cba"]
    assert entered == ["c", "b", "a"]
    assert journal.open_faults() == []


def test_healing_again_does_nothing(journal: Rollback, entered: list[str]) -> None:
    heal_open_faults(journal, SITE)
    assert heal_open_faults(journal, SITE) == []
    assert entered == ["c", "b", "a"]


@pytest.mark.parametrize("method", ["heal", "prove_healed"])
@pytest.mark.parametrize("error", [LandfastError("it stays"), WaitTimeout("it stays")])
def test_a_fault_that_does_not_heal_stays_and_ends_the_healing(
    journal: Rollback,
    entered: list[str],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    error: Exception,
) -> None:
    known_fault(monkeypatch, "b", **{method: raising(error)})
    with pytest.raises(LandfastError, match=r"^the fault b is not healed: it stays$"):
        heal_open_faults(journal, SITE)
    assert journal.open_faults() == [("b", {"aim": "b"}), ("a", {"aim": "a"})]
    assert entered == ["c"]
    known_fault(monkeypatch, "b", heal=lambda: entered.append("b"))
    assert len(heal_open_faults(journal, SITE)) == 2
    assert entered == ["c", "b", "a"]


def test_a_fault_that_nobody_knows_any_more_is_one_sentence(journal: Rollback) -> None:
    journal.enter(fake_fault("of-another-version")(SITE))
    with pytest.raises(LandfastError, match=r"^the fault of-another-version in .*faults.jsonl is"):
        heal_open_faults(journal, SITE)


class Healing:
    """What `heal_dead_runs` is given, and what it waits for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site: Site | None = SITE
        self.waited = 0
        monkeypatch.setattr(healing, "left_site", lambda _record: self.site)
        monkeypatch.setattr(healing, "wait_healthy", self.wait_healthy)
        known_fault(monkeypatch, "a")

    def wait_healthy(self, site: Site, *, timeout: float) -> None:
        assert site is self.site
        self.waited += 1

    def leave(self, run_id: str, *, alive: bool = False, kept: bool = False) -> Rollback:
        """Make the record of a run that left a fault."""
        record = new_record(run_id=run_id)
        record.kept = kept
        record.save()
        if not alive:
            die(record)
        journal = Rollback(record)
        journal.enter(FAULTS["a"](SITE))
        return journal


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> Healing:
    return Healing(monkeypatch)


def test_what_dead_runs_left_is_healed(dead: Healing) -> None:
    left = [dead.leave("r1"), dead.leave("r2")]
    assert healing.heal_dead_runs(Progress()) == ["a: prove_healed of a"] * 2
    assert [journal.open_faults() for journal in left] == [[], []]
    assert dead.waited == 2
    assert healing.heal_dead_runs(Progress()) == []
    assert dead.waited == 2


def test_a_run_that_is_alive_is_left_alone(dead: Healing) -> None:
    journal = dead.leave("r1", alive=True)
    assert healing.heal_dead_runs(Progress()) == []
    assert journal.open_faults() == [("a", {})]


def test_a_kept_cluster_is_healed_if_no_run_uses_it(dead: Healing) -> None:
    journal = dead.leave("r1", alive=True, kept=True)
    with RunRecord(run_id="r1", pid=1, pid_started=1).lock():
        assert healing.heal_dead_runs(Progress()) == []
    assert len(healing.heal_dead_runs(Progress())) == 1
    assert journal.open_faults() == []


def test_a_run_without_a_site_is_one_sentence(dead: Healing) -> None:
    dead.leave("r1")
    dead.site = None
    with pytest.raises(
        LandfastError, match=r"^landfast-r1: run r1 left an unhealed fault, and its cluster record"
    ):
        healing.heal_dead_runs(Progress())


def test_a_run_that_cannot_be_healed_does_not_keep_others_from_it(
    dead: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = dead.leave("r1"), dead.leave("r2")
    refusals = [BadInput("no such container")]

    def heal() -> None:
        if refusals:
            raise refusals.pop()

    known_fault(monkeypatch, "a", heal=heal)
    with pytest.raises(LandfastError, match="no such container"):
        healing.heal_dead_runs(Progress())
    assert [bool(journal.open_faults()) for journal in (first, second)] == [True, False]


def test_a_run_whose_cluster_is_gone_keeps_its_entry(
    dead: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = dead.leave("r1")
    known_fault(monkeypatch, "a", heal=raising(BadInput("no such container")))
    with pytest.raises(LandfastError, match="the fault a is not healed: no such container"):
        healing.heal_dead_runs(Progress())
    assert journal.open_faults() == [("a", {})]
    assert dead.waited == 0


def test_a_kept_cluster_that_does_not_heal_has_a_way_out(
    dead: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead.leave("r1", kept=True)
    known_fault(monkeypatch, "a", heal=raising(BadInput("no such container")))
    with pytest.raises(LandfastError, match="no such container; `landfast down` removes this"):
        healing.heal_dead_runs(Progress())


def test_faults_on_a_cluster_of_others_heal_by_themselves() -> None:
    record = new_record("r1", existing=(Path("k"), "staging"))
    Rollback(record).enter(fake_fault("a")(SITE))
    die(record)
    (said,) = healing.heal_dead_runs(Progress())
    assert said == (
        "run r1 on staging: nodes heal by their own timers, and `landfast cleanup` removes the rest"
    )
