"""What the engine and a container in it say of the engine's host."""

import subprocess
import time
from pathlib import Path

import pytest
from fakes import FakeEngine, result
from programs_on_path import INFO

from landfast import engine_host
from landfast.engine_host import EngineHost


def test_the_engine_says_what_its_host_has() -> None:
    engine = FakeEngine()
    engine.answer("info", with_=INFO)
    facts = engine_host.facts(engine)
    assert facts.system == "Debian 6.1 x86_64"
    assert (facts.processors, facts.memory, facts.cgroups) == (2, 8.0, "v2")
    assert not facts.rootless


def test_a_rootless_engine_and_an_old_one_are_known() -> None:
    engine = FakeEngine()
    engine.answer("info", with_={**INFO, "SecurityOptions": ["name=rootless"], "CgroupVersion": ""})
    facts = engine_host.facts(engine)
    assert (facts.rootless, facts.cgroups) == (True, "v1")


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("kernel-nfs\nfuse\n2097152", EngineHost(True, True, 2.0, 0)),
        ("fuse\n1048576", EngineHost(False, True, 1.0, 0)),
        ("0", EngineHost(False, False, 0.0, 0)),
    ],
)
def test_a_container_sees_kernel_fuse_and_free_space(said: str, seen: EngineHost) -> None:
    engine = FakeEngine()
    engine.answer("run_once", "busybox:1", with_=result(f"{said} {int(time.time())}\n"))
    assert engine_host.look(engine, "busybox:1") == seen


@pytest.mark.parametrize("ahead", [-60, 60])
def test_a_clock_that_differs_is_seen(ahead: int) -> None:
    engine = FakeEngine()
    engine.answer("run_once", with_=result(f"0 {int(time.time()) + ahead}\n"))
    assert 55 < engine_host.look(engine, "busybox:1").clock_off <= 60


@pytest.mark.parametrize(
    ("release", "filesystems", "found"),
    [
        ("6.1", "nodev\tnfs4\n", True),
        ("6.1", "nodev\tnfs\n\text4\n", True),  # and the module can be loaded
        ("6.2", "nodev\tnfs\n\text4\n", False),  # the module is another kernel's
    ],
)
def test_the_kernel_has_nfs_if_it_is_loaded_or_its_module_is_there(
    tmp_path: Path, release: str, filesystems: str, found: bool
) -> None:
    module = tmp_path / "lib/modules/6.1/kernel/fs/nfs/nfsv4.ko.xz"
    module.parent.mkdir(parents=True)
    module.touch()
    (tmp_path / "filesystems").write_text(filesystems)
    script = engine_host._LOOK.replace("/lib/modules", f"{tmp_path}/lib/modules")
    script = script.replace("/proc/filesystems", f"{tmp_path}/filesystems")
    script = f"uname() {{ echo {release}; }}\n{script}"
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert ("kernel-nfs" in said.split()) == found
    assert int(said.split()[-2]) > 0
    assert abs(int(said.split()[-1]) - time.time()) < 60
