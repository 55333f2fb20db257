"""Faults of the NFS server and its export: what they ask for, and what proves them."""

from dataclasses import replace
from typing import Any

import pytest
from fakes import RUNNING, result
from fault_place import EXITED, NODE, Place, unproven

from landfast.errors import LandfastError
from landfast.faults.export import ExportFull, ExportReadOnly, ExportWithdrawn
from landfast.faults.nfs_server import NfsFreeze, NfsKill, NfsMoved, NfsRestart, ServerClockStep
from landfast.process import Result
from landfast.waiting import WaitTimeout

pytestmark = pytest.mark.usefixtures("impatient")

READ_ONLY = result(stderr="dd: closing: Read-only file system", code=1)
FULL = result(stderr="dd: No space left on device", code=1)
UNMOUNTED = result(stderr="mount.nfs: access denied", code=32)


@pytest.fixture
def echo(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server have what probes write."""
    monkeypatch.setattr("secrets.token_hex", lambda _n: "t0ken")
    place.inspector.read_as = "t0ken"


@pytest.mark.parametrize("state", [RUNNING, replace(EXITED, exit_code=0)])
def test_server_that_was_not_killed_proves_nothing(place: Place, state: Any) -> None:
    place.engine.answer("state", "server", with_=state)
    assert "to have been killed" in unproven(NfsKill(place.site))


def test_frozen_server_that_answers_proves_nothing(place: Place) -> None:
    place.engine.answer("state", "server", with_=replace(RUNNING, status="paused"))
    fault = NfsFreeze(place.site)
    assert fault.still_there()
    assert "no answer to NFS calls" in unproven(fault)


def test_restarted_server_has_another_start_time(place: Place) -> None:
    fault = NfsRestart(place.site)
    fault.note()
    fault.inject()
    assert "another start time" in unproven(fault)
    place.engine.answer("state", "server", with_=replace(RUNNING, started_at="later"))
    assert "was started at later" in fault.prove_effect()


def shown(address: str) -> Result:
    return result(f"2: eth0 inet {address}/24 brd x")


@pytest.mark.usefixtures("echo")
def test_moved_server_answers_elsewhere_and_comes_back(place: Place) -> None:
    place.engine.answer("execute", "server", "ip", "-4", "-o", with_=shown("10.0.0.2"))
    route = result("default via 10.0.0.1 dev eth0")
    place.engine.answer("execute", "server", "ip", "-4", "route", with_=route)
    fault = NfsMoved(place.site)
    assert (fault.aim["own"], fault.aim["other"]) == ("10.0.0.2/24", "10.0.0.254/24")
    assert fault.aim["gateway"] == "10.0.0.1"
    fault.inject()
    probes = [result(), result(code=1)]  # the new address answers, the old one does not
    place.engine.answer("execute", NODE, "timeout", with_=probes)
    assert fault.prove_effect().startswith("the server has moved from 10.0.0.2 to 10.0.0.254")
    assert not fault.still_there()
    place.engine.answer("execute", "server", "ip", "-4", "-o", with_=shown("10.0.0.254"))
    assert fault.still_there()
    fault.heal()
    place.engine.answer("execute", "server", "ip", "-4", "-o", with_=shown("10.0.0.2"))
    place.engine.answer("execute", NODE, "timeout", with_=result())
    assert fault.prove_healed().endswith("it has no address but 10.0.0.2/24")
    moves = [words for words in place.engine.asked("execute") if "addr replace" in "".join(words)]
    assert [move[-3:-1] for move in moves] == [
        ("10.0.0.2/24", "10.0.0.254/24"),
        ("10.0.0.254/24", "10.0.0.2/24"),
    ]


def log(clock: str) -> str:
    return f"2026-01-01T10:00:00.000000000Z 01/01/2026 {clock} : epoch 1 : x"


@pytest.mark.usefixtures("echo")
def test_stepped_clock_is_seen_in_the_servers_log(place: Place) -> None:
    place.engine.answer("execute", "server", "cat", "/disk/mode", with_=result("clock"))
    fault = ServerClockStep(place.site)
    assert "libfaketime is not loaded" in str(fault.available())
    place.engine.answer("execute", "server", "cat", "/proc/1/maps", with_=result("libfaketimeMT"))
    assert fault.available() is None
    fault.inject()
    place.engine.answer("logs", "server", with_=log("10:00:00"))
    assert not fault.still_there()
    assert "10 s ahead" in unproven(fault)
    place.engine.answer("logs", "server", with_=log("10:00:11"))
    assert fault.still_there()
    assert "is 11.0 s ahead" in fault.prove_effect()
    fault.heal()
    place.engine.answer("logs", "server", with_=log("10:00:00"))
    assert fault.prove_healed().startswith("the server's clock is 0.0 s off")
    place.engine.answer("logs", "server", with_="no time")
    with pytest.raises(LandfastError, match="a line without a time: no time"):
        place.server.clock_offset()


def test_clock_of_another_mode_cannot_be_stepped(place: Place) -> None:
    assert (
        ServerClockStep(place.site).available() == "the server runs in the mode honest, not clock"
    )


@pytest.mark.parametrize(
    ("fault", "answer", "said"),
    [
        (ExportReadOnly, READ_ONLY, "refuses a write: dd: closing: Read-only"),
        (ExportWithdrawn, UNMOUNTED, "refuses a mount: mount.nfs: access denied"),
    ],
)
def test_export_is_refused_watched_and_restored(
    place: Place, fault: type[ExportReadOnly], answer: Any, said: str
) -> None:
    subject = fault(place.site)
    place.engine.answer("execute", NODE, "sh", with_=FULL)  # refused, but for another reason
    assert "a probe to be refused, for the fault" in unproven(subject)
    place.engine.answer("execute", NODE, "sh", with_=answer)
    assert said in subject.prove_effect()
    assert subject.still_there()
    place.engine.answer("execute", NODE, "sh", with_=result())
    assert not subject.still_there()
    subject.heal()
    assert place.engine.asked("kill") == [("server", "HUP")]
    assert place.kube.find("Pod", "mysql-0", "default") is None


def test_full_export_has_no_byte_free_and_refuses_a_write(place: Place) -> None:
    fault = ExportFull(place.site)
    fault.inject()
    place.engine.answer("execute", "server", "df", with_=result("Avail\n4096\n"))
    assert "to have nothing free" in unproven(fault)
    place.engine.answer("execute", "server", "df", with_=result("Avail\n0\n"))
    place.engine.answer("execute", NODE, "sh", with_=FULL)
    assert fault.prove_effect().startswith("0 bytes are free; the server answers")
    assert not fault.still_there(), "the filler was removed"
    place.inspector.files["landfast-filler"] = "x"
    assert fault.still_there()
    fault.heal()
    assert ("execute", "server", "rm", "-f", "/data/share/landfast-filler") in place.engine.calls
    assert place.kube.find("Pod", "mysql-0", "default") is None


def test_what_is_written_has_to_be_on_the_server(place: Place) -> None:
    place.inspector.read_as = "another text"
    with pytest.raises(WaitTimeout, match="a file written through NFS to be on the server"):
        ExportReadOnly(place.site).prove_healed()


@pytest.mark.usefixtures("echo")
def test_filler_has_to_be_gone(place: Place) -> None:
    place.inspector.files["landfast-filler"] = "x"
    place.engine.answer("execute", "server", "df", with_=result("Avail\n900M\n"))
    with pytest.raises(WaitTimeout, match="landfast-filler to be gone"):
        ExportFull(place.site).prove_healed()
    place.inspector.remove("landfast-filler")
    assert ExportFull(place.site).prove_healed().endswith("; 900M are free")
