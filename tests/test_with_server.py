"""The NFS server beside the kit's Go tests: found through the environment, and gone afterwards."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import RUNNING, FakeEngine, result

from landfast import paths, process, timeouts
from landfast.errors import BadInput
from landfast.kit import engine as engines
from landfast.nfs import with_server
from landfast.nfs.with_server import control, main, server
from landfast.process import Result
from landfast.waiting import WaitTimeout

NAME = f"landfast-nfs-test-{os.getpid()}"
LISTENS = result("   0: 00000000:0801 00000000:0000 0A 00000000:00000000\n")
PAUSED = replace(RUNNING, status="paused")
KILLED = replace(RUNNING, status="exited", exit_code=137)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(timeouts, "CONTAINER_STATE", 0.01)
    engine = FakeEngine()
    engine.answer("image_digest", with_="sha256:1")
    engine.answer("execute", NAME, "cat", with_=LISTENS)
    engine.answer("address", with_="10.0.0.9")
    engine.answer("networks", with_=(NAME,))
    monkeypatch.setattr(engines, "find", lambda: engine)
    return engine


def test_a_program_is_led_to_its_server_and_the_server_goes_with_it(engine: FakeEngine) -> None:
    with server(engine) as env:
        assert env["NFS_TEST_SERVER"] == "10.0.0.9:2049"
        assert env["NFS_TEST_EXPORT"] == "/data/share"
        assert env["NFS_TEST_CONTROL"].startswith(sys.executable)
        assert env["NFS_TEST_CONTROL"].endswith(f"-m {with_server.__name__} control {NAME}")
        assert engine.asked("remove_containers") == []
    for removal in ("remove_containers", "remove_volume", "remove_network"):
        assert engine.asked(removal) == [(NAME,)]


def test_a_server_that_does_not_come_up_is_removed(engine: FakeEngine) -> None:
    engine.answer("state", with_=KILLED)
    engine.answer("execute", NAME, "cat", with_=result())
    with pytest.raises(WaitTimeout, match="it ended"), server(engine):
        pass
    assert engine.asked("remove_network") == [(NAME,)]


def test_what_killed_processes_left_is_removed_and_nobody_elses_server_is(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.answer("containers", with_=("landfast-nfs-test-4", "landfast-nfs-test-5"))
    monkeypatch.setattr(process, "start_time", lambda pid: None if pid == 4 else 100)
    with server(engine):
        assert engine.asked("remove_containers") == [("landfast-nfs-test-4",)]


def test_each_action_does_what_it_is_called(engine: FakeEngine) -> None:
    for action in ("kill", "restart", "pause", "resume"):
        engine.answer("state", with_=PAUSED if action == "resume" else KILLED)
        engine.calls.clear()
        control(engine, NAME, action)
        changes = [call[0] for call in engine.calls if call[0] not in ("state", "execute")]
        expected = {"kill": ["kill"], "restart": ["kill", "start"], "resume": ["unpause"]}
        assert changes == expected.get(action, [action])


def test_what_is_so_already_stays_so(engine: FakeEngine) -> None:
    control(engine, NAME, "resume")
    engine.answer("state", with_=PAUSED)
    control(engine, NAME, "pause")
    assert not {"pause", "unpause"} & {call[0] for call in engine.calls}


def test_a_server_that_does_not_die_is_not_started(engine: FakeEngine) -> None:
    with pytest.raises(WaitTimeout, match=f"{NAME} to be gone"):
        control(engine, NAME, "restart")
    assert engine.asked("start") == []


def test_the_program_ends_with_its_own_code(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, object] = {}

    def run(argv: list[str], *, env: dict[str, str], **_: object) -> Result:
        seen.update(env, argv=argv)
        return result(code=3)

    monkeypatch.setattr(process, "run", run)
    assert main(["run", "go", "test"]) == 3
    assert seen["argv"] == ["go", "test"]
    assert seen["NFS_TEST_SERVER"] == "10.0.0.9:2049"
    assert main(["control", NAME, "pause"]) == 0
    assert engine.asked("pause") == [(NAME,)]


@pytest.mark.parametrize("arguments", [[], ["run"], ["control", NAME], ["control", NAME, "melt"]])
def test_what_cannot_be_meant_is_bad_input(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == BadInput.exit_code
    assert capsys.readouterr().err.startswith("usage: ")


def test_without_the_kit_the_user_reads_what_to_do(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.answer("image_digest", with_=None)
    assert main(["run", "go"]) == BadInput.exit_code
    assert capsys.readouterr().err.endswith("its NFS server is not built: run `nox -s kit`\n")
    assert engine.asked("remove_containers") == []
    monkeypatch.setattr(engines, "find", lambda: None)
    assert main(["run", "go"]) == BadInput.exit_code
    assert "no Docker engine runs" in capsys.readouterr().err
