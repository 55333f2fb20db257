"""What a run made in the engine goes, all of it and nothing else, whenever the run ended."""

import contextlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import RUNNING, FakeEngine, die

from landfast import paths
from landfast.cluster import existing, existing_plan, existing_provider, kind_provider, kind_removal
from landfast.cluster.existing_provider import ExistingProvider
from landfast.cluster.kind_provider import KindProvider
from landfast.errors import BadInput, LandfastError
from landfast.kit import engine as engines
from landfast.process import ProcessError
from landfast.progress import Progress
from landfast.run import RunRecord, new_record, records
from landfast.settings import load_settings

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


def record(run_id: str = "r1", *, dead: bool = False, **fields: Any) -> RunRecord:
    """Return the record of a run of this process, or of one that is gone."""
    made = new_record(run_id=run_id)
    saved = made.model_copy(update={"complete": True, **fields})
    saved.save()
    if dead:
        die(saved)
    return saved


def left() -> list[str]:
    return [known.run_id for known in records()]


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


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were removed; nothing is made of them but a record."""
    ids: list[str] = []

    def remove_run(gone: RunRecord, _engine: object) -> None:
        ids.append(gone.run_id)
        gone.forget()

    env = SimpleNamespace(cluster=SimpleNamespace(kube=None), model_dump_json=lambda: "{}")
    parts = SimpleNamespace(kind=SimpleNamespace(engine=FakeEngine()))
    monkeypatch.setattr(kind_provider, "_prepare", lambda *_: parts)
    monkeypatch.setattr(kind_provider, "_make", lambda *_: env)
    monkeypatch.setattr(kind_provider, "_kept", lambda *_: None)
    monkeypatch.setattr(kind_removal, "remove_run", remove_run)
    monkeypatch.setattr(kind_removal, "wait_for_namespaces", lambda _: None)
    return ids


def run(ending: BaseException | None = None, **flags: Any) -> None:
    with KindProvider().bring_up(load_settings(flags), Progress(), "r1"):
        assert left() == ["r1"], "what is made can be found after a kill"
        if ending:
            raise ending


class TestKindProvider:
    def test_a_run_removes_what_it_made(self, removed: list[str]) -> None:
        run()
        assert removed == ["r1"]

    @pytest.mark.parametrize("keep", [True, False])
    @pytest.mark.parametrize("ending", [KeyboardInterrupt(), ValueError(), SystemExit(1)])
    def test_so_does_one_that_ends_early(
        self, removed: list[str], ending: BaseException, keep: bool
    ) -> None:
        with pytest.raises(type(ending)):
            run(ending, keep=keep)
        assert removed == ["r1"]

    def test_what_a_failed_bring_up_made_is_removed(
        self, removed: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def make(*_: object) -> None:
            raise LandfastError("kind failed")

        monkeypatch.setattr(kind_provider, "_make", make)
        with pytest.raises(LandfastError, match="kind failed"):
            run(keep=True)
        assert removed == ["r1"]

    def test_a_kept_cluster_stays_and_is_in_use_meanwhile(self, removed: list[str]) -> None:
        with KindProvider().bring_up(load_settings({"keep": True}), Progress(), "r1"):
            assert records()[0].in_use
        assert removed == []
        assert (records()[0].kept, records()[0].in_use) == (True, False)


class TestExistingProvider:
    @pytest.fixture
    def connected(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
        """The runs for which the cluster was connected, and whether with default classes."""
        seen: list[tuple[str, bool]] = []

        def connect(
            _kubeconfig: Path, _context: str, run_id: str, *, default_classes: bool
        ) -> object:
            seen.append((run_id, default_classes))
            return SimpleNamespace(run_id=run_id)

        monkeypatch.setattr(existing, "connect", connect)
        return seen

    @pytest.fixture
    def removed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        ids: list[str] = []
        monkeypatch.setattr(existing_provider, "remove", lambda kube, *_: ids.append(kube.run_id))
        return ids

    def test_dead_runs_go_and_their_records_with_them(
        self, connected: list[tuple[str, bool]], removed: list[str]
    ) -> None:
        record("living", existing=(Path("k"), "staging"))
        record("dead", dead=True, existing=(Path("k"), "staging"))
        assert ExistingProvider().sweep(Progress()) == ["dead"]
        assert (removed, connected, left()) == (["dead"], [("dead", False)], ["living"])

    def test_only_who_took_default_classes_may_change_them_to_restore_them(
        self,
        connected: list[tuple[str, bool]],
        removed: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(existing_provider, "restore_default_classes", lambda *_: [])
        dead = record("dead", dead=True, existing=(Path("k"), "staging"))
        (dead.folder / "default-classes.json").write_text("{}")
        ExistingProvider().sweep(Progress())
        assert connected == [("dead", True)]

    def test_a_cluster_out_of_reach_keeps_the_record(
        self, removed: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def connect(*_: object, **__: object) -> None:
            raise BadInput("the API server cannot be reached")

        monkeypatch.setattr(existing, "connect", connect)
        record("dead", dead=True, existing=(Path("k"), "staging"))
        with pytest.raises(LandfastError, match="what run dead left on staging: .*remove .*dead"):
            ExistingProvider().sweep(Progress())
        assert left() == ["dead"]

    def test_what_a_failed_start_made_is_removed(
        self,
        connected: list[tuple[str, bool]],
        removed: list[str],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        def start(*_: object) -> None:
            raise BadInput("the export cannot be mounted")

        kubeconfig = tmp_path / "config"
        kubeconfig.touch()
        monkeypatch.setattr(existing_provider, "_start", start)
        monkeypatch.setattr(existing_plan, "make_plan", lambda *_: "a plan")
        settings = load_settings(
            {
                "cluster": "existing",
                "context": "staging",
                "kubeconfig": kubeconfig,
                "nfs_server": "10.9.8.7:/srv",
            }
        )
        up = ExistingProvider().bring_up(settings, Progress(), "r1")
        with pytest.raises(BadInput, match="cannot be mounted"), contextlib.ExitStack() as stack:
            stack.enter_context(up)
        assert (removed, left()) == (["r1"], [])
