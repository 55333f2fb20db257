"""The kernel's NFS server in a machine, without an engine."""

import re
import time

import pytest
from fakes import FakeEngine, result

from landfast import paths
from landfast.docker import ContainerState
from landfast.errors import LandfastError
from landfast.machine.parts import Parts
from landfast.nfs.kernel_server import KernelServer, start_kernel_server
from landfast.nfs.server import EXPORT_PATH, GRACE_SECONDS, LEASE_SECONDS, SQUASHED_PATH

FILES = paths.KIT / "images" / "kernel-nfs-server" / "files"
LISTENS = "0: 00:0801 0:0 0A listening"


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.answer("execute", "nfs", "cat", "/proc/net/tcp", with_=result(LISTENS))
    engine.answer("address", with_="10.0.0.2")
    return engine


def server(engine: FakeEngine) -> KernelServer:
    return KernelServer(engine, "nfs", "10.0.0.2", "system:1")


def test_its_files_say_what_landfast_expects() -> None:
    exported = re.findall(r"^(\S+) \*\((.*)\)$", (FILES / "etc/exports").read_text(), re.M)
    assert dict(exported) == {
        EXPORT_PATH: "rw,sync,no_subtree_check,no_root_squash",  # the reference's own line
        SQUASHED_PATH: "rw,sync,no_subtree_check,root_squash,fsid=2",
    }
    settings = (FILES / "etc/nfs.conf.d/landfast.conf").read_text()
    assert f"lease-time={LEASE_SECONDS}\n" in settings
    assert f"grace-time={GRACE_SECONDS}\n" in settings


def test_it_starts_with_an_empty_disk_in_its_volume(engine: FakeEngine) -> None:
    parts = Parts(image="machine:1", disk="disk", system="system:1")
    started = start_kernel_server(engine, parts, name="nfs", network="n", label="l", size="8G")
    assert engine.asked("run_once") == [("system:1", "truncate", "-s", "8G", "/disk/disk.img")]
    assert started.export.container == "nfs"
    assert started.engine.machines == {"nfs"}


@pytest.mark.parametrize(
    ("access", "asked"),
    [
        ("rw", ("-ra",)),
        ("ro", ("-o", "ro,sync,no_subtree_check,no_root_squash", "*:/data/share")),
        ("none", ("-ua",)),
    ],
)
def test_the_export_is_served_otherwise(engine: FakeEngine, access: str, asked: object) -> None:
    server(engine).serve(access)  # type: ignore[arg-type]
    assert engine.asked("execute")[-1] == ("nfs", "exportfs", *asked)  # type: ignore[misc]


def test_a_mode_that_is_not_exported_is_an_error(engine: FakeEngine) -> None:
    engine.answer("execute", "nfs", "sh", with_=result("/data/share  *(async,wdelay,rw)\n"))
    server(engine).set_mode("lying")
    with pytest.raises(LandfastError, match="not in the mode honest: it exports /data/share"):
        server(engine).set_mode("honest")


def test_its_mode_is_honest_unless_it_was_set(engine: FakeEngine) -> None:
    assert server(engine).mode() == "honest"
    engine.answer("execute", "nfs", "cat", "/etc/landfast-mode", with_=result("lying\n"))
    assert server(engine).mode() == "lying"


def test_its_clock_is_compared_with_this_hosts(engine: FakeEngine) -> None:
    assert server(engine).why_clock_stays() is None
    engine.answer("execute", "nfs", "date", with_=result(f"{time.time() + 10:.3f}\n"))
    assert 9 < server(engine).clock_offset() < 11


def test_a_power_loss_is_the_end_of_its_kernel(engine: FakeEngine) -> None:
    before = server(engine).last_power_loss()
    server(engine).cut_power()
    engine.answer("state", with_=ContainerState("exited", 137, "", "2026-01-01T00:00:09Z"))
    assert engine.asked("kill") == [("nfs",)]
    assert server(engine).last_power_loss() == "its kernel ended at 2026-01-01T00:00:09Z" != before
