"""A kept cluster gets its default classes back from the next run, or from `landfast cleanup`."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from landfast import cli, paths
from landfast.cluster import kind_removal
from landfast.cluster.provider import Environment
from landfast.errors import BadInput
from landfast.kit import engine
from landfast.progress import Progress
from landfast.run import RunRecord, default_classes_file, new_record

ENGINE: Any = None  # nothing is removed here


class Kube:
    """The API of a cluster, if it answers."""

    def __init__(self) -> None:
        self.answers = True

    def server_version(self) -> str:
        if not self.answers:
            raise BadInput("it cannot be reached")
        return "v1.37.2"


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kube:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    kube = Kube()
    env = SimpleNamespace(cluster=SimpleNamespace(kube=kube))
    monkeypatch.setattr(Environment, "model_validate_json", lambda _: env)
    return kube


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    ids: list[str] = []

    def restore(_kube: Kube, run_id: str) -> None:
        default_classes_file(run_id).unlink()
        ids.append(run_id)

    monkeypatch.setattr(kind_removal, "restore_default_classes", restore)
    return ids


def kept(run_id: str) -> RunRecord:
    """Return the record of a kept cluster on which a test was killed."""
    record = new_record(run_id=run_id)
    record.kept = True
    record.save()
    (record.folder / "environment.json").write_text("{}")
    default_classes_file(run_id).write_text("{}")
    return record


def test_a_kept_cluster_gets_back_what_a_killed_test_took(kube: Kube, restored: list[str]) -> None:
    record = kept("r1")
    assert record.owes_default_classes
    assert kind_removal.sweep(Progress(), ENGINE) == []
    assert restored == ["r1"]
    assert not record.owes_default_classes
    kind_removal.sweep(Progress(), ENGINE)
    assert restored == ["r1"]


def test_not_while_a_run_uses_it(kube: Kube, restored: list[str]) -> None:
    with kept("r1").lock():
        kind_removal.sweep(Progress(), ENGINE)
    assert restored == []


def test_a_cluster_of_ours_that_does_not_answer_is_no_error(
    kube: Kube, restored: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    kept("r1")
    kube.answers = False
    kind_removal.sweep(Progress(), ENGINE)
    assert restored == []
    assert (
        "cannot restore the default StorageClasses of landfast-r1: it cannot be reached"
        in capsys.readouterr().err
    )


def test_cleanup_looks_at_kept_clusters_that_are_owed_something(
    kube: Kube, restored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ensure", lambda _: ENGINE)
    kept("r1")
    cli.cleanup()
    assert restored == ["r1"]
