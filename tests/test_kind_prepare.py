"""A run learns what the engine's host can do before it makes anything."""

import time
from pathlib import Path

import pytest
from fakes import FakeEngine, die, result
from programs_on_path import INFO

from landfast import engine_host, paths
from landfast.cluster import built_images, kind_images
from landfast.cluster.kind_provider import _prepare
from landfast.errors import BadInput
from landfast.images import Images
from landfast.kit import engine as engines
from landfast.kit.programs import Programs
from landfast.process import ProcessError
from landfast.progress import Progress
from landfast.run import new_record
from landfast.settings import load_settings

IMAGES = Images("registry", *(f"x/{p}:1" for p in ("node", "nfs", "prov", "db", "box", "rec")))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(built_images, "mount_helper", lambda *_: tmp_path)
    engine = FakeEngine()
    engine.answer("info", with_=INFO)
    monkeypatch.setattr(engines, "ensure", lambda _: engine)
    monkeypatch.setattr(kind_images, "provide", lambda *_: IMAGES)
    monkeypatch.setattr(Programs, "kind", lambda _: Path("kind"))
    return engine


def prepare(engine: FakeEngine, *said: object) -> str:
    now = int(time.time())
    engine.answer("run_once", IMAGES.busybox, with_=result(" ".join(map(str, [*said, now]))))
    return _prepare(load_settings({}), Progress(), Path("work")).nfs_client


def test_the_engines_kernel_chooses_the_client(engine: FakeEngine) -> None:
    assert prepare(engine, "kernel-nfs", "fuse", 9 << 20) == "kernel"
    assert prepare(engine, "fuse", 9 << 20) == "fuse"


def test_too_little_space_where_the_engine_keeps_its_data(engine: FakeEngine) -> None:
    with pytest.raises(BadInput, match=r"3 GiB free in /var/lib/docker on .*, which has 1.0;"):
        prepare(engine, "fuse", 1 << 20)


def test_a_clock_that_is_off(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = engine_host.EngineHost(True, True, 9.0, 60.0)
    monkeypatch.setattr(engine_host, "look", lambda *_: seen)
    with pytest.raises(BadInput, match="host is 60 s off this host's, .* restart the engine's"):
        prepare(engine)


def test_what_a_dead_run_left_and_does_not_go_keeps_no_run_from_its_cluster(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    die(new_record("dead"))
    engine.answer("containers", with_=[["node"]])
    engine.answer("remove_containers", with_=ProcessError(["docker"], "failed", "stuck"))
    assert prepare(engine, "fuse", 9 << 20) == "fuse"
    assert "run dead: the engine cannot remove node" in capsys.readouterr().err
