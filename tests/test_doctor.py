"""The doctor looks and changes nothing, on hosts that have and hosts that lack."""

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, die, result
from programs_on_path import INFO

from landfast import paths
from landfast.docker import Engine
from landfast.doctor import HostCheck, examine
from landfast.errors import BadInput
from landfast.kit import debian, programs
from landfast.kit import engine as engines
from landfast.kit.cache import Cache
from landfast.run import new_record


@pytest.fixture(autouse=True)
def bare_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine, no tools, an empty cache; Debian and root."""
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(engines, "find", lambda: None)
    monkeypatch.setattr(debian, "refusal", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("kind_on_path", "go_on_path"):
        monkeypatch.setattr(programs, name, lambda: None)


def found() -> dict[str, HostCheck]:
    return {finding.what: finding for finding in examine()}


def test_a_bare_debian_will_get_the_kit(tmp_path: Path) -> None:
    findings = found()
    assert findings["Docker engine"] == HostCheck(
        "Docker engine", "none answers; Landfast will start its own", None
    )
    assert findings["kit"].found.startswith("will be built first, in about")
    assert findings["a run will take"].found == "--images kit, --nfs-client auto"
    assert findings["NFS client"].found == "the engine's kernel is asked when a run begins"
    assert not [finding for finding in findings.values() if finding.ok is False]
    assert not list(tmp_path.iterdir())


def own_engine(monkeypatch: pytest.MonkeyPatch, **info: Any) -> FakeEngine:
    engine = FakeEngine("28.2")
    engine.answer("info", with_={**INFO, **info})
    monkeypatch.setattr(engines, "find", lambda: engine)
    return engine


def test_a_host_with_its_own_engine_takes_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = own_engine(monkeypatch)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    findings = found()
    assert findings["Docker engine"].found == "28.2, the host's own"
    assert findings["user"].ok
    assert findings["a run will take"].found == "--images registry, --nfs-client auto"
    assert findings["NFS client"].found == "the engine's kernel is asked when a run begins"
    assert "kit" not in findings
    assert engine.asked("run_once") == engine.asked("pull_image") == []


def test_the_engines_host_is_looked_at_and_not_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = own_engine(monkeypatch, CgroupVersion="1")
    engine.answer("image_digest", with_="sha256:1")
    engine.answer("run_once", with_=result(f"kernel-nfs\n1048576 {time.time():.0f}\n"))
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    findings = found()
    assert findings["system"].ok
    assert findings["its host"].found == "Debian 6.1 x86_64"
    assert findings["memory"] == HostCheck("memory", "8.0 GiB, 2 processors", True)
    assert findings["cgroups"].found.startswith("v1: nodes of Kubernetes 1.35")
    assert findings["disk"].found.startswith("1.0 GiB free where the engine keeps its data, 3 ")
    assert findings["disk"].ok is False
    assert findings["a run will take"].found == "--images registry, --nfs-client kernel"


def kits_engine(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    engine = FakeEngine("26.1", from_kit=True)
    engine.answer("info", with_=INFO)
    engine.answer("run_once", with_=result(f"fuse\n9999999 {time.time():.0f}\n"))
    monkeypatch.setattr(engines, "find", lambda: engine)
    monkeypatch.setattr(
        FakeEngine,
        "image_digest",
        lambda _self, image: None if any(f"/{m}:" in image for m in missing) else "sha256:1",
    )


def test_a_kit_that_is_whole_says_its_kubernetes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kits_engine(monkeypatch)
    monkeypatch.setattr(Cache, "path", lambda _self, _name, _key: tmp_path)
    findings = found()
    assert findings["Docker engine"].found == "26.1, the kit's"
    assert findings["kit"] == HostCheck(
        "kit", f"built, Kubernetes {programs.kubernetes_version()}", True
    )
    assert findings["a run will take"].found == "--images kit, --nfs-client fuse"


def test_what_has_changed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kits_engine(monkeypatch, "busybox")
    monkeypatch.setattr(
        Cache, "path", lambda _self, name, _key: tmp_path / ("none" if name == "podnet" else "")
    )
    assert found()["kit"].found.endswith("will rebuild what has changed: podnet, image busybox")


def _no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(debian, "refusal", lambda: "installing Debian packages needs root")


def _dead_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def find() -> Engine:
        raise BadInput("DOCKER_HOST is unix:///x, and no Docker engine\nanswers there")

    monkeypatch.setattr(engines, "find", find)


def _no_fuse(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = own_engine(monkeypatch)
    engine.answer("image_digest", with_="sha256:1")
    engine.answer("run_once", with_=result(f"9999999 {time.time():.0f}\n"))


def _broken_record(_monkeypatch: pytest.MonkeyPatch) -> None:
    (paths.records() / "r").mkdir(parents=True)
    (paths.records() / "r" / "record.json").write_text("{}")


def _foreign_record(_monkeypatch: pytest.MonkeyPatch) -> None:
    lock = new_record("r").folder / "alive"
    lock.unlink()
    lock.mkdir()


@pytest.mark.parametrize(
    ("make", "what", "said"),
    [
        (_foreign_record, "runs", "r/alive cannot be locked"),
        (_no_root, "user", "only root can start"),
        (_no_root, "Docker engine", "none can be started: installing Debian packages needs root"),
        (_dead_engine, "Docker engine", "no Docker engine answers there"),
        (_no_fuse, "NFS client", "has no /dev/fuse"),
        (_broken_record, "runs", "is not the record of a run"),
    ],
)
def test_what_stands_in_the_way_is_marked(
    make: Callable[[pytest.MonkeyPatch], None],
    what: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(monkeypatch)
    finding = found()[what]
    assert finding.ok is False
    assert said in finding.found
    assert "\n" not in finding.found


def test_too_little_disk_for_the_kit_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landfast.doctor.free_gib", lambda _: 1.0)
    cache = found()["cache"]
    assert cache.ok is False
    assert "1.0 GiB free in " in cache.found


def test_runs_are_listed_by_what_they_are() -> None:
    new_record(run_id="r1")
    kept = new_record(run_id="r2")
    kept.kept = True
    kept.save()
    die(new_record(run_id="r3"))
    findings = found()
    assert findings["another run"].found.startswith("r1, process")
    assert "landfast down" in findings["kept cluster"].found
    assert findings["dead run"].found.startswith("r3; `landfast cleanup`")


def test_where_no_engine_can_run_it_says_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    _dead_engine(monkeypatch)
    findings = found()
    assert "`--cluster existing` and `landfast audit` work" in findings["a run will take"].found
    assert "kit" not in findings
