"""One scenario from its first wait to its verdict, with fakes for all that needs a cluster."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import result
from nfs_stats import COUNTED, PLACE
from survival_fakes import (
    DURABILITY,
    FakeFault,
    FakeSite,
    Stage,
    fake_fault,
    fake_scenario,
    lasting_fault,
    raising,
    set_stage,
)

from landfast import paths, timeouts
from landfast.errors import LandfastError
from landfast.faults.base import NotProven
from landfast.faults.rollback import Rollback
from landfast.mysql.checker import check
from landfast.mysql.history import FinalReading, read_history
from landfast.mysql.identity import LogFindings
from landfast.results import Crew, Survival
from landfast.run import new_record
from landfast.survival.run import survive
from landfast.survival.scenario import Expected
from landfast.verdict import MissingCapability, Unknown, Verdict
from landfast.waiting import WaitTimeout

ALL = ["note", "inject", "prove_effect", "heal", "prove_healed"]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return set_stage(monkeypatch)


class Scene:
    """One call of `survive`, and what is left of it."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        self.folder = folder
        self.stage = stage
        self.fake = FakeSite()
        self.rollback = Rollback(new_record(run_id="r1"))
        self.fault: type[FakeFault] = fake_fault()

    def play(self, fault: type[FakeFault] | None = None, **changes: Any) -> Survival:
        self.fault = fault or self.fault
        scenario = fake_scenario(self.fault, **changes)
        return survive(scenario, self.fake.site, self.rollback, self.folder, self.stage.step)

    @property
    def calls(self) -> list[str]:
        return self.fault.calls

    @property
    def is_open(self) -> bool:
        """Whether the fault still stands in the rollback journal."""
        return bool(self.rollback.open_faults())


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage) -> Scene:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    return Scene(tmp_path / "survival", stage)


def test_a_fault_that_is_survived(scene: Scene) -> None:
    shown = scene.play()
    assert (shown.verdict, shown.reasons) == (Verdict.PASS, ())
    assert (shown.effect, shown.healing) == ("prove_effect of fake", "prove_healed of fake")
    assert scene.calls == ALL
    assert not scene.is_open
    marks = shown.marks
    assert marks.proven is not None
    assert marks.healed is not None
    assert 0 <= marks.injected <= marks.proven <= marks.healed <= marks.ended
    assert shown.ledger.counts.lost == 0
    assert [lane.name for lane in shown.lanes] == ["pod mysql-0"]
    assert shown.scenario.name == "fake-scenario"
    assert "break: nothing is broken" in scene.stage.steps


def test_what_is_kept_can_be_judged_again(scene: Scene) -> None:
    scene.stage.ledger.loses = 2
    shown = scene.play()
    names = sorted(path.name for path in scene.folder.iterdir())
    assert names == ["history.tsv.gz", "marks.json", "reading.json"]
    marks = json.loads((scene.folder / "marks.json").read_text())
    del marks["ended"]
    reading = FinalReading.model_validate_json((scene.folder / "reading.json").read_text())
    assert check(read_history(scene.folder / "history.tsv.gz"), reading, **marks) == shown.ledger


def test_clocks_of_writers_in_pods_widen_the_fault(scene: Scene) -> None:
    """What they wrote may have been written at another time, so nothing is proven."""
    nodes = ("worker-0", "worker-1")
    scene.stage.ledger.crew = Crew(writers=16, nodes=nodes, clock_error=600)
    shown = scene.play()
    assert shown.crew == scene.stage.ledger.crew
    assert "16 writers in 2 pods on worker-0, worker-1" in str(shown.crew)
    assert shown.verdict is Verdict.UNKNOWN
    assert shown.ledger.by_interval[1].acknowledged == shown.ledger.counts.acknowledged
    marks = json.loads((scene.folder / "marks.json").read_text())
    assert marks["clock_error"] == 600


def test_the_fault_is_on_disk_before_it_is_injected(scene: Scene) -> None:
    seen: list[str] = []
    for method in ALL:
        scene.play(fake_fault(**{method: lambda: seen.append(scene.rollback.path.read_text())}))
    first, *_ = [json.loads(line) for line in seen[0].splitlines()]
    assert first == {"fault": "fake", "aim": {}}
    for text in seen:
        assert json.loads(text.splitlines()[-1]) == first  # and not yet left again
    assert not scene.is_open


def test_lost_writes_are_a_failure(scene: Scene) -> None:
    scene.stage.ledger.loses = 1
    shown = scene.play()
    assert shown.verdict is Verdict.FAIL
    assert shown.ledger.counts.lost == 1
    assert shown.reasons == shown.ledger.reasons


@pytest.mark.parametrize("ends", [True, False])
def test_mysqld_that_lost_its_lock_must_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    monkeypatch.setattr(timeouts, "WRITES", 0.1)

    def inject() -> None:
        scene.fake.restarts += ends

    shown = scene.play(fake_fault(inject=inject), expected=Expected(gap=5, ends=True))
    assert shown.verdict is (Verdict.PASS if ends else Verdict.FAIL)
    why = ("mysqld did not end, although it had lost its lock or its storage",)
    assert shown.reasons == (() if ends else why)
    assert scene.fake.deleted == (["mysql-0"] if ends else [])


def test_a_fault_without_proven_effect_is_unknown_and_healed(scene: Scene) -> None:
    scene.stage.ledger.loses = 1  # whatever else was seen
    shown = scene.play(fake_fault(prove_effect=raising(NotProven("nothing shows it"))))
    assert shown.verdict is Verdict.UNKNOWN
    assert shown.reasons[0] == "nothing shows it"
    assert (shown.effect, shown.marks.proven) == ("", None)
    assert shown.marks.healed is not None
    assert scene.calls == ALL
    assert not scene.is_open


@pytest.mark.parametrize("method", ["note", "inject", "prove_effect"])
@pytest.mark.parametrize("error", [OSError("refused"), KeyboardInterrupt(), SystemExit(1)])
def test_whatever_breaks_off_the_fault_is_healed(
    scene: Scene, method: str, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        scene.play(fake_fault(**{method: raising(error)}))
    assert scene.calls == [*ALL[: ALL.index(method) + 1], "heal", "prove_healed"]
    assert not scene.is_open


def test_ctrl_c_while_the_fault_is_held_heals_it(scene: Scene) -> None:
    interrupt = raising(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        scene.play(lasting_fault(still_there=interrupt), hold=30)
    assert scene.calls == [*ALL[:3], "still_there", *ALL[3:]]


def test_a_fault_that_ends_in_the_middle_of_its_hold_is_unknown(scene: Scene) -> None:
    looks = iter([True, False])
    shown = scene.play(lasting_fault(still_there=lambda: next(looks)), hold=30)
    assert shown.verdict is Verdict.UNKNOWN
    assert shown.reasons[0].startswith("the fault ended before it was healed: the fault fake did")
    assert scene.calls == [*ALL[:3], "still_there", "still_there", *ALL[3:]]
    assert not scene.is_open


def test_a_sabotage_is_of_the_fault_that_is_injected(scene: Scene) -> None:
    other = fake_fault("other")
    scenario = fake_scenario(scene.fault)
    survive(
        scenario,
        *(scene.fake.site, scene.rollback, scene.folder, scene.stage.step),
        disguise=lambda _fault: other,
    )
    assert (other.calls, scene.calls) == (ALL, [])


def test_a_fault_that_does_not_heal_stays_in_the_journal(scene: Scene) -> None:
    shown = scene.play(fake_fault(prove_healed=raising(WaitTimeout("rules are left"))))
    assert shown.verdict is Verdict.FAIL
    assert shown.reasons[0] == "the fault does not heal: rules are left"
    assert (shown.healing, shown.marks.healed) == ("", None)
    assert scene.rollback.open_faults() == [("fake", {})]


@pytest.mark.parametrize("method", ["heal", "prove_healed"])
def test_a_healing_that_is_refused_is_a_doubt_and_stays_in_the_journal(
    scene: Scene, method: str
) -> None:
    shown = scene.play(fake_fault(**{method: raising(LandfastError("no such node"))}))
    assert shown.verdict is Verdict.UNKNOWN
    assert shown.reasons[0] == "nothing shows that the fault is healed: no such node"
    assert scene.is_open


def test_a_ledger_that_drops_its_reads_is_unknown(scene: Scene) -> None:
    scene.stage.ledger.read = raising(LandfastError("dropped"))
    shown = scene.play()
    assert shown.verdict is Verdict.UNKNOWN
    assert shown.reasons == ("the ledger was not read after recovery",)
    assert any("the ledger cannot be read: " in line for line in shown.identity)
    assert not (scene.folder / "reading.json").exists()


def test_a_cluster_that_is_not_healthy_is_not_broken_further(scene: Scene) -> None:
    scene.stage.healthy_before = raising(WaitTimeout("node n1 is not Ready"))
    with pytest.raises(Unknown, match="not healthy before the fault: node n1 is not Ready"):
        scene.play()
    assert scene.calls == []
    assert not scene.rollback.path.exists()


def test_without_load_nothing_is_broken(scene: Scene) -> None:
    scene.stage.ledger.fails_from = 1
    with pytest.raises(Unknown, match=r"^there was no load before the fault: waited 60 s"):
        scene.play()
    assert scene.calls == []
    assert not scene.rollback.path.exists()


def test_a_fault_that_is_not_available_is_not_injected(scene: Scene) -> None:
    with pytest.raises(MissingCapability, match=r"^fault.fake: no nft in the node$"):
        scene.play(fake_fault(available=lambda: "no nft in the node"))
    assert scene.calls == ["available"]
    assert not scene.rollback.path.exists()


def test_a_load_that_does_not_flow_is_not_broken(scene: Scene) -> None:
    scene.stage.ledger.fails_from = 2
    shown = scene.play()
    assert shown.verdict is Verdict.UNKNOWN
    assert "inject" not in scene.calls
    assert scene.rollback.open_faults() == []


def test_mysql_that_takes_no_writes_again_is_a_failure(scene: Scene) -> None:
    scene.stage.ledger.fails_from = 3
    shown = scene.play()
    assert shown.verdict is Verdict.FAIL
    assert shown.reasons[0].startswith("MySQL does not take writes again: waited 120 s")


def ill(stage: Stage) -> None:
    stage.healthy_after = raising(WaitTimeout("MySQL does not answer"))


def renewed(stage: Stage) -> None:
    stage.wrong = ["silently re-initialised"]


def damaged(stage: Stage) -> None:
    stage.log = LogFindings((), ("[ERROR] a page is corrupt",))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (ill, "MySQL does not answer"),
        (renewed, "silently re-initialised"),
        (damaged, "MySQL's log reports corruption: [ERROR] a page is corrupt"),
    ],
)
def test_what_is_wrong_beside_the_ledger_is_a_failure(
    scene: Scene, change: Callable[[Stage], None], reason: str
) -> None:
    change(scene.stage)
    shown = scene.play()
    assert (shown.verdict, shown.reasons) == (Verdict.FAIL, (reason,))


def test_an_identity_that_cannot_be_read_is_a_doubt(scene: Scene) -> None:
    scene.stage.unread = ["the identity cannot be read: exec refused"]
    shown = scene.play()
    assert (shown.verdict, shown.reasons) == (Verdict.UNKNOWN, tuple(scene.stage.unread))


def test_a_recovery_is_told_but_is_no_failure(scene: Scene) -> None:
    scene.stage.log = LogFindings(tuple("abcd"), ())
    shown = scene.play()
    assert shown.verdict is Verdict.PASS
    assert shown.identity[0] == DURABILITY
    assert shown.identity[-3:] == tuple(f"recovery in MySQL's log: {line}" for line in "abc")


def test_variables_and_mode_are_set_before_the_load(scene: Scene) -> None:
    scene.play(variables={"innodb_flush_log_at_trx_commit": "0"}, mode="lying")
    assert scene.fake.modes == ["lying"]
    question = "SET GLOBAL innodb_flush_log_at_trx_commit = %s"
    assert scene.fake.mysql.asked == [(question, (0,))]


def test_a_pod_that_was_restarted_before_is_replaced_first(scene: Scene) -> None:
    scene.fake.restarts = 1
    scene.play(fake_fault(note=lambda: scene.fake.deleted.append("the fault")))
    assert scene.fake.deleted == ["mysql-0", "the fault"]


def test_a_server_that_cannot_be_put_into_its_mode_is_unknown(scene: Scene) -> None:
    scene.fake.server.set_mode = lambda _mode: raising(LandfastError("it does not lie"))()
    with pytest.raises(Unknown, match="it does not lie"):
        scene.play(mode="lying")
    assert scene.calls == []


def test_while_recovering_the_pod_goes_first(scene: Scene) -> None:
    before: list[list[str]] = []
    shown = scene.play(
        fake_fault(note=lambda: before.append([*scene.fake.deleted])), when="recovering"
    )
    assert before == [["mysql-0"]]
    assert shown.verdict is Verdict.PASS


def test_a_control_is_judged_by_what_was_lost(scene: Scene) -> None:
    scene.stage.ledger.loses = 3
    shown = scene.play(control=True)
    assert shown.verdict is Verdict.FAIL
    assert shown.reasons[0].startswith("3 acknowledged writes are lost")


def test_what_a_fault_complains_of_is_a_failure(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = fake_fault()
    complaints = ("the old mysqld is not fenced",)
    monkeypatch.setattr(fault, "complaints", lambda _: complaints)
    shown = scene.play(fault)
    assert (shown.verdict, shown.reasons) == (Verdict.FAIL, complaints)


def test_mount_options_are_those_of_a_new_pod_on_the_volume(scene: Scene) -> None:
    scene.play(mount_options=("nolock",))
    assert scene.fake.deleted == ["mysql-0"]
    volume = scene.fake.kube.get("PersistentVolume", scene.fake.volume)
    assert volume["spec"]["mountOptions"] == ["nolock"]


def test_what_the_nfs_client_counted_is_shown_if_it_can_be_asked(scene: Scene) -> None:
    engine = scene.fake.engine
    engine.answer("execute", "worker", "cat", with_=result(f"10.0.0.2:/share {PLACE} fuse.nfs rw"))
    engine.answer("execute", "worker", "mount.nfs", with_=result(json.dumps(COUNTED)))
    client = scene.play().client
    assert client is not None
    assert client.recoveries == COUNTED["recoveries"]
    engine.answer("execute", "worker", "mount.nfs", with_=LandfastError("no process serves it"))
    assert scene.play().client is None
