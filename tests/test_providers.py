"""A provider removes what it made, however its run ends."""

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeEngine, left, record

from landfast import paths
from landfast.cluster import existing, existing_plan, existing_provider, kind_provider, kind_removal
from landfast.cluster.existing_provider import ExistingProvider
from landfast.cluster.kind_provider import KindProvider
from landfast.errors import BadInput, LandfastError
from landfast.nfs.export import Export
from landfast.progress import Progress
from landfast.run import RunRecord, records
from landfast.settings import load_settings


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were removed; nothing is made of them but a record."""
    ids: list[str] = []

    def remove_run(gone: RunRecord, _engine: object) -> None:
        ids.append(gone.run_id)
        gone.forget()

    env = SimpleNamespace(cluster=SimpleNamespace(kube=None), model_dump_json=lambda: "{}")
    env.export = Export(server="h", path="/", kind="container")
    env.with_export = lambda _: env
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
            _kubeconfig: Path, _context: str, run_id: str, *, default_classes: bool, **_: object
        ) -> object:
            seen.append((run_id, default_classes))
            return SimpleNamespace(run_id=run_id)

        monkeypatch.setattr(existing, "connect", connect)
        return seen

    @pytest.fixture
    def removed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        ids: list[str] = []
        monkeypatch.setattr(
            existing_provider, "remove", lambda kube, *_, **__: ids.append(kube.run_id)
        )
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
