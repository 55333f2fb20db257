"""The NFS server's disk: what a power loss takes, and what it takes to have such a disk."""

from dataclasses import replace
from typing import Any

import pytest
from fakes import RUNNING, result
from fault_place import EXITED, Place, unproven

from landfast.errors import LandfastError
from landfast.faults.power import NfsPowerLoss
from landfast.nfs.disk_server import start_disk_server
from landfast.verdict import MissingCapability

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize(
    ("inode", "greps", "missing"),
    [
        ("8", [0, 1], ""),
        ("7", [0, 1], "the server to have lost its memory"),
        ("8", [0, 0], "last state: [True, True]"),  # what was not synced is there: no power loss
        ("8", [1, 1], "last state: [False, False]"),  # what was synced is gone
    ],
)
def test_power_loss_takes_what_was_not_synced_and_nothing_else(
    place: Place, inode: str, greps: list[int], missing: str
) -> None:
    place.engine.answer("execute", "server", "cat", "/disk/mode", with_=result("honest"))
    place.engine.answer("image_of", with_="nfs:1")
    place.engine.answer("run_once", "nfs:1", "stat", with_=result("7"))
    fault = NfsPowerLoss(place.site)
    fault.note()
    assert ("execute", "server", "sync", "/data/share/landfast-canary-synced") in place.engine.calls
    place.engine.answer("state", "server", with_=EXITED)
    place.engine.answer("execute", fault.aim["from"], "timeout", with_=result(code=1))
    place.engine.answer("run_once", "nfs:1", "stat", with_=result(inode))
    answers = [result(code=code) for code in greps]
    place.engine.answer("run_once", "nfs:1", "grep", with_=lambda: answers[fault_greps(place)])
    if missing:
        assert missing in unproven(fault)
    else:
        shown = f"inode {inode} (before: its disk is the file with the inode 7)"
        assert shown in fault.prove_effect()


def fault_greps(place: Place) -> int:
    """Return whether the newest search is the second of its pair."""
    searches = [words for words in place.engine.asked("run_once") if words[1] == "grep"]
    return int("unsynced" in searches[-1][-2])


def test_disk_that_cannot_be_searched_is_an_error(place: Place) -> None:
    place.engine.answer("run_once", with_=result(stderr="no disk", code=2))
    with pytest.raises(LandfastError, match="cannot be searched: no disk"):
        place.server.disk_holds("x")


def test_lying_server_flushes_for_the_last_time(place: Place) -> None:
    place.engine.answer("execute", "server", "cat", "/disk/mode", with_=result("lying"))
    place.engine.answer("run_once", with_=result("7"))
    NfsPowerLoss(place.site).note()
    assert any("fsfreeze" in words[3] for words in place.engine.asked("execute") if len(words) > 3)


def test_server_that_comes_back_elsewhere_is_not_healed(place: Place) -> None:
    place.engine.answer("address", with_="10.0.0.3")
    place.engine.answer("state", "server", with_=replace(RUNNING, status="paused"))
    with pytest.raises(LandfastError, match="came back as 10.0.0.3; clients know 10.0.0.2"):
        place.server.start()
    assert place.engine.asked("unpause") == [("server",)]


@pytest.mark.parametrize(
    ("mode", "filters", "wrong"), [("lying", 1, False), ("lying", 0, True), ("honest", 1, True)]
)
def test_server_has_to_be_in_its_mode(place: Place, mode: Any, filters: int, wrong: bool) -> None:
    status = result(f"Seccomp_filters:\t{filters}\n0: 00:0801 0:0 0A x")
    place.engine.answer("execute", "server", "cat", with_=status)
    if wrong:
        with pytest.raises(LandfastError, match=f"server is not in the mode {mode}: its syncs"):
            place.server.set_mode(mode)
    else:
        place.server.set_mode(mode)


def test_engine_without_loop_devices_is_a_missing_capability(place: Place) -> None:
    place.engine.answer("state", "server", with_=EXITED)
    listening = place.engine.execute("server", "cat", "/proc/net/tcp")
    place.engine.answer("execute", "server", with_=[result(code=1), listening])
    place.engine.answer("logs", with_="mount: failed\n")
    with pytest.raises(MissingCapability, match=r"^nfs.disk: mount: failed$"):
        start_disk_server(place.engine, "nfs:1", name="server", network="n", label="l=1")
    assert place.engine.asked("remove_volume") == [("server",)] * 2
    place.engine.answer("state", "server", with_=RUNNING)
    found = start_disk_server(place.engine, "nfs:1", name="server", network="n", label="l=1")
    assert found.address == "10.0.0.2"
