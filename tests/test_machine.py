"""Machines without an engine: what their containers are asked, and how they end."""

from pathlib import Path

import pytest
from fakes import FakeEngine, result

from landfast.docker import ContainerState, Engine
from landfast.errors import LandfastError
from landfast.kit import kernel
from landfast.kit.cache import Cache
from landfast.machine import disk
from landfast.machine.machine import Panic, create_machine
from landfast.progress import Progress
from landfast.waiting import WaitTimeout

ENDED = ContainerState("exited", 0, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
PANICKED = ContainerState("exited", 70, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def create(engine: FakeEngine) -> Engine:
    hosts = {"control-plane": "10.0.0.2"}
    return create_machine(
        engine, "image", "disk", name="m", network="n", label="l", memory_mib=9, hosts=hosts
    )


def test_a_machine_boots_when_its_agent_answers(engine: FakeEngine) -> None:
    engine.answer("execute", with_=[result(code=125), result(code=125), result()])
    assert create(engine).machines == {"m"}
    assert len(engine.asked("execute")) == 3


def test_a_panic_ends_the_wait_with_the_kernels_word(engine: FakeEngine) -> None:
    engine.answer("execute", with_=result(code=1))
    engine.answer("state", with_=PANICKED)
    engine.answer("logs", with_="Booting\nKernel panic - not syncing: no root\nCPU: 0\n")
    with pytest.raises(Panic, match="m panicked: Kernel panic - not syncing: no root$"):
        create(engine)


def test_a_machine_that_ends_is_not_waited_for(engine: FakeEngine) -> None:
    engine.answer("execute", with_=result(code=1))
    engine.answer("state", with_=ENDED)
    engine.answer("logs", with_="uml: cannot open its disk")
    with pytest.raises(WaitTimeout, match=r"(?s)it ended.*cannot open its disk"):
        create(engine)


def test_a_disk_that_cannot_be_made_is_an_error_with_its_reason(engine: FakeEngine) -> None:
    engine.answer("state", with_=ContainerState("exited", 1, "", ""))
    engine.answer("logs", with_="mke2fs: no space left\n")
    with pytest.raises(LandfastError, match="disk of node:1 cannot be made: mke2fs: no space left"):
        disk.provide(engine, "node:1", Path(__file__), Progress())
    assert engine.asked("remove_containers")[-1] == ("landfast-machine-disk",)


def test_older_disks_go_unless_a_machine_has_them(engine: FakeEngine) -> None:
    engine.answer("state", with_=ENDED)
    engine.answer("volumes", with_=("older",))
    volume = disk.provide(engine, "node:1", Path(__file__), Progress())
    assert engine.asked("remove_volume") == [("older",)]
    assert engine.asked("create_volume") == [(volume,)]


def test_a_disk_is_made_anew_when_its_image_changes(engine: FakeEngine) -> None:
    engine.answer("state", with_=ENDED)
    volumes = {disk.provide(engine, f"node:{n}", Path(__file__), Progress()) for n in (1, 1, 2)}
    assert len(volumes) == 2


def test_no_kernel_on_another_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(LandfastError, match="x86_64.*does not run on aarch64"):
        kernel.build(Cache(tmp_path), Progress(), "7.3")
