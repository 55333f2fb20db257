"""What a run made in the engine goes, all of it and nothing else, whenever the run ended."""

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import RUNNING, FakeEngine, die, left, record

from landfast import paths
from landfast.cluster import kind_removal
from landfast.cluster.kind_provider import KindProvider
from landfast.errors import LandfastError
from landfast.kit import engine as engines
from landfast.process import ProcessError
from landfast.progress import Progress
from landfast.run import records

LABEL, NODES = "landfast.run=r1", "io.x-k8s.kind.cluster=landfast-r1"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")


@pytest.fixture
def engine() -> FakeEngine:
    """An engine with three containers, a volume and a network of the run r1."""
    engine = FakeEngine()
    engine.answer("containers", NODES, with_=[["n1", "n2"], []])
    engine.answer("containers", LABEL, with_=[["nfs"], []])
    engine.answer("volumes", LABEL, with_=["nfs"])
    engine.answer("volumes", LABEL, with_=[["nfs"]])
    engine.answer("networks", LABEL, with_=[["net"]])
    return engine


class TestRemoveRun:
    def test_everything_of_the_run_goes_and_then_its_record(self, engine: FakeEngine) -> None:
        kind_removal.remove_run(record(), engine)
        assert engine.asked("remove_containers") == [("n1", "n2"), ("nfs",)], "nodes unmount first"
        assert engine.asked("remove_volume") == [("nfs",)]
        assert engine.asked("remove_network") == [("net",)]
        assert left() == []

    def test_only_the_run_s_own_labels_are_asked_for(self, engine: FakeEngine) -> None:
        kind_removal.remove_run(record(), engine)
        asked = [call for call in engine.calls if call[0] in ("containers", "volumes", "networks")]
        assert {call[1:] for call in asked} == {(LABEL,), (NODES,)}

    @pytest.mark.parametrize("fails", ["remove_containers", "remove_volume", "remove_network"])
    def test_what_does_not_go_is_tried_again(self, engine: FakeEngine, fails: str) -> None:
        engine.answers.append((("containers",), [["n1"]]))
        engine.answer("containers", NODES, with_=[["n1"], ["n1"], []])
        engine.answer(fails, with_=[ProcessError(["docker"], "failed", "in use"), None])
        with pytest.raises(LandfastError):
            kind_removal.remove_run(record(), engine)
        assert left() == ["r1"]
        kind_removal.remove_run(records()[0], engine)
        assert left() == []

    @pytest.mark.parametrize(
        ("status", "woken"),
        [("paused", ["unpause", "start"]), ("exited", ["start"]), ("running", ["start"])],
    )
    def test_a_server_that_a_killed_run_stopped_answers_the_nodes_that_unmount(
        self, engine: FakeEngine, status: str, woken: list[str]
    ) -> None:
        engine.answer("state", "nfs", with_=replace(RUNNING, status=status))
        kind_removal.remove_run(record(), engine)
        done = [call[0] for call in engine.calls if call[0] in ("unpause", "start")]
        assert done == woken
        assert [call for call in engine.calls if call[0] in ("start", "remove_containers")] == [
            ("start", "nfs"),
            ("remove_containers", "n1", "n2"),
            ("remove_containers", "nfs"),
        ]

    def test_one_that_does_not_end_is_named_and_its_server_stays(self, engine: FakeEngine) -> None:
        said = "tried to kill container, but did not receive an exit event"
        engine.answer("remove_containers", "n1", with_=ProcessError(["docker", "rm"], said, ""))
        engine.answers.append((("containers",), [["n2", "nfs"]]))
        engine.answer("containers", LABEL, with_=[["nfs"]])
        engine.answer("containers", NODES, with_=[["n1", "n2"]])
        with pytest.raises(LandfastError, match="cannot remove n2; .* `landfast cleanup` tries ag"):
            kind_removal.remove_run(record(), engine)
        assert engine.asked("remove_containers") == [("n1", "n2")]
        assert engine.asked("remove_network") == []
        assert left() == ["r1"]

    def test_an_engine_that_stopped_is_said_and_cleanup_works_afterwards(
        self, engine: FakeEngine
    ) -> None:
        stopped = LandfastError("the Docker engine does not answer: Cannot connect")
        engine.answer("info", with_=[stopped, {}])
        with pytest.raises(LandfastError, match=r"Cannot connect\. Once it does, `landfast clean"):
            kind_removal.remove_run(record(), engine)
        assert left() == ["r1"]
        die(records()[0])
        assert kind_removal.sweep(Progress(), engine) == ["r1"]

    def test_containers_that_a_killed_kind_had_asked_for_go_too(self) -> None:
        engine = FakeEngine()
        engine.answer("containers", NODES, with_=[[], [], ["late"], []])
        kind_removal.remove_run(record(complete=False), engine)
        assert engine.asked("remove_containers") == [("late",)]


class TestSweep:
    def test_dead_runs_go_and_living_and_kept_ones_stay(self) -> None:
        record("living")
        record("dead", dead=True)
        record("kept", dead=True, kept=True)
        assert kind_removal.sweep(Progress(), FakeEngine()) == ["dead"]
        assert left() == ["kept", "living"]

    def test_kept_ones_go_if_asked_unless_they_are_in_use(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        record("idle", dead=True, kept=True)
        with record("used", dead=True, kept=True).lock():
            assert kind_removal.sweep(Progress(), FakeEngine(), kept=True) == ["idle"]
        assert left() == ["used"]
        assert "landfast-used is in use by a run: it stays" in capsys.readouterr().err

    def test_what_is_in_another_engine_stays_until_that_one_answers(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        record("dead", dead=True, engine="A")
        engine = FakeEngine()
        engine.answer("identity", with_="B")
        assert kind_removal.sweep(Progress(), engine) == []
        assert left() == ["dead"]
        assert "what run dead left is in another Docker engine" in capsys.readouterr().err
        engine.answer("identity", with_="A")
        assert kind_removal.sweep(Progress(), engine) == ["dead"]

    def test_one_that_does_not_go_keeps_no_other(self) -> None:
        record("1-stuck", dead=True)
        record("2-dead", dead=True)
        engine = FakeEngine()
        for label, found in (("landfast.run=1-stuck", ["c"]), ("landfast.run=2-dead", [])):
            engine.answer("containers", label, with_=[found])
        for name in ("1-stuck", "2-dead"):
            engine.answer("containers", f"io.x-k8s.kind.cluster=landfast-{name}", with_=[[]])
        engine.answers.append((("containers",), [["c"]]))
        engine.answer("remove_containers", "c", with_=ProcessError(["docker"], "failed", "stuck"))
        with pytest.raises(LandfastError, match=r"^run 1-stuck: the engine cannot remove "):
            kind_removal.sweep(Progress(), engine)
        assert left() == ["1-stuck"]

    def test_runs_on_existing_clusters_are_not_the_engine_s(self) -> None:
        record("elsewhere", dead=True, existing=(Path("k"), "staging"))
        assert kind_removal.sweep(Progress(), FakeEngine()) == []
        assert left() == ["elsewhere"]

    def test_no_engine_is_started_where_nothing_is_left(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engines, "ensure", lambda _: pytest.fail("an engine was started"))
        record("living")
        assert KindProvider().sweep(Progress()) == []
