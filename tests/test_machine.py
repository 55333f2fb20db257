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
from landfast.process import ProcessError
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


def provide(engine: FakeEngine, image: str = "node:1", *, made: bool = False) -> str:
    engine.answer("run_once", with_=result(code=0 if made else 1))
    return disk.provide(engine, image, Path(__file__), Progress())


def test_a_disk_that_cannot_be_made_is_an_error_with_its_reason(engine: FakeEngine) -> None:
    engine.answer("state", with_=ContainerState("exited", 1, "", ""))
    engine.answer("logs", with_="mke2fs: no space left\n")
    with pytest.raises(LandfastError, match="disk of node:1 cannot be made: mke2fs: no space left"):
        provide(engine)
    assert engine.asked("remove_containers")[-1] == ("landfast-machine-disk",)


def test_older_disks_go_once_the_new_one_is_made(engine: FakeEngine) -> None:
    engine.answer("state", with_=ENDED)
    engine.answer("volumes", with_=("older",))
    volume = provide(engine)
    assert engine.asked("remove_volume") == [("older",)]
    assert engine.asked("create_volume") == [(volume,)]


def test_an_older_disk_that_a_machine_has_stays(engine: FakeEngine) -> None:
    engine.answer("state", with_=ENDED)
    engine.answer("volumes", with_=("older",))
    engine.answer("remove_volume", with_=ProcessError(["docker"], "failed", "it is in use"))
    assert provide(engine)


def test_a_disk_is_made_once_and_anew_when_its_image_changes(engine: FakeEngine) -> None:
    engine.answer("state", with_=ENDED)
    assert len({provide(engine, f"node:{n}") for n in (1, 1, 2)}) == 2
    made = len(engine.asked("start"))
    provide(engine, made=True)
    assert len(engine.asked("start")) == made


def test_no_kernel_on_another_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(LandfastError, match="x86_64.*does not run on aarch64"):
        kernel.build(Cache(tmp_path), Progress(), "7.3")
