"""What the run's own NFS server exports, and what becomes of one that does not serve."""

import re
import subprocess
from pathlib import Path

import pytest
from fakes import FakeEngine, result
from programs_on_path import Put

from landfast import paths, timeouts
from landfast.docker import ContainerState
from landfast.errors import LandfastError
from landfast.nfs.disk_server import start_disk_server
from landfast.nfs.export import Export
from landfast.nfs.server import (
    CONFIG,
    EXPORT_PATH,
    GRACE_SECONDS,
    LEASE_SECONDS,
    SQUASHED_PATH,
    container_inspector,
    squashed,
    start_server,
    wait_for_server,
)
from landfast.verdict import MissingCapability
from landfast.waiting import WaitTimeout

OWN = Export(server="10.0.0.5", path=EXPORT_PATH, kind="container", container="nfs")


def test_one_folder_is_exported_twice_and_once_without_rights_for_root() -> None:
    config = (paths.PROJECT / "landfast/nfs/ganesha.conf").read_text()
    exports = {
        path: squash
        for folder, path, squash in re.findall(
            r"^    Path = (\S+);\n    Pseudo = (\S+);\n(?:.*\n)*?    Squash = (\S+);", config, re.M
        )
        if folder == EXPORT_PATH
    }
    assert exports == {EXPORT_PATH: "No_Root_Squash", SQUASHED_PATH: "Root_Squash"}


def test_a_restarted_server_gives_its_clients_time_to_claim_their_locks() -> None:
    assert "Graceless = false;" in CONFIG.read_text()
    assert GRACE_SECONDS >= LEASE_SECONDS > 0, "a client may need a lease to notice the restart"


def test_the_squashed_export_is_the_same_folder_on_the_same_server() -> None:
    assert squashed(OWN).at("tenant") == "/data/squashed/tenant"
    assert squashed(OWN).server == OWN.server
    assert squashed(OWN).container == OWN.container


def test_nobody_elses_server_is_asked_for_root_squash() -> None:
    with pytest.raises(MissingCapability, match=r"nfs\.owned"):
        squashed(Export(server="10.0.0.5", path="/export", kind="external"))


def test_its_files_go_where_every_image_has_a_folder() -> None:
    engine = FakeEngine()
    engine.answer("execute", with_=result(LISTENS))
    start_server(engine, "image", name="nfs", network="net", label="l=1")
    start_disk_server(engine, "image", name="disk", network="net", label="l=1")
    targets = [target for _, _, target in engine.asked("copy_into")]
    assert len(targets) == 3
    assert {target.rpartition("/")[0] for target in targets} == {""}


@pytest.mark.parametrize("tool", ["mkfs.ext4", "fsfreeze", "python3", "libfaketime"])
def test_an_image_without_the_disk_servers_tools_lacks_the_capability(
    tool: str, tmp_path: Path, put: Put
) -> None:
    engine = FakeEngine()
    engine.answer("execute", with_=result(LISTENS))
    start_disk_server(engine, "image", name="disk", network="net", label="l=1")
    ((_, _, script),) = engine.asked("create_container")
    for program in {"mkfs.ext4", "mount", "fsfreeze", "python3"} - {tool}:
        put(program)
    put("find", "" if tool == "libfaketime" else "echo /usr/lib/libfaketimeMT.so.1")
    only = {"PATH": str(tmp_path / "programs")}
    done = subprocess.run(
        ["/bin/sh", "-c", script], env=only, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == f"this NFS server image has no {tool}\n"


LISTENS = "   0: 00000000:0801 00000000:0000 0A 00000000:00000000\n"
ENDED = ContainerState("exited", 1, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")


@pytest.mark.parametrize(
    ("table", "listens"),
    [
        (LISTENS, True),
        (LISTENS.replace("00000000:0", "0" * 32 + ":0"), True),
        (LISTENS.replace(" 0A ", " 01 "), False),  # somebody's connection to it
        (LISTENS.replace("0801", "0802"), False),
        ("", False),
    ],
    ids=["tcp", "tcp6", "a connection", "another port", "nothing"],
)
def test_a_server_serves_once_it_listens(
    monkeypatch: pytest.MonkeyPatch, table: str, listens: bool
) -> None:
    monkeypatch.setattr(timeouts, "SERVER_START", 0.01)
    engine = FakeEngine()
    engine.answer("execute", "nfs", "cat", with_=result(table))
    engine.answer("logs", with_="ganesha: no export")
    if listens:
        wait_for_server(engine, "nfs")
    else:
        with pytest.raises(WaitTimeout, match="NFS server nfs to listen; .*ganesha: no export"):
            wait_for_server(engine, "nfs")


def test_a_server_that_ended_is_not_waited_for_and_its_log_is_shown() -> None:
    engine = FakeEngine()
    engine.answer("state", with_=ENDED)
    engine.answer("logs", with_="ganesha: bad config")
    with pytest.raises(WaitTimeout, match="gave up .* it ended; last state: ganesha: bad config"):
        wait_for_server(engine, "nfs")


@pytest.mark.parametrize("status", ["exited", "running"])
def test_only_a_disk_server_that_ended_means_that_this_host_has_no_loop_device(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(timeouts, "SERVER_START", 0.01)
    engine = FakeEngine()
    engine.answer("state", with_=ContainerState(status, 1, "", ""))
    engine.answer("logs", with_="mount: /data/share:\n  failed to setup loop device")
    error = MissingCapability if status == "exited" else WaitTimeout
    with pytest.raises(error, match="failed to setup loop device"):
        start_disk_server(engine, "image", name="disk", network="net", label="l=1")
    removed = engine.asked("remove_volume").count(("disk",))
    assert removed == (2 if status == "exited" else 1), "one that hangs stays, to be looked at"


def test_the_inspector_says_what_failed_on_the_server() -> None:
    engine = FakeEngine()
    inspector = container_inspector(engine, "nfs")
    engine.answer("execute", "nfs", "cat", with_=result("abc"))
    assert inspector.read("f") == "abc"
    assert engine.asked("execute")[-1][-1] == f"{EXPORT_PATH}/f"
    engine.answer("execute", "nfs", "cat", with_=result(stderr="cat: Input/output error\n", code=1))
    with pytest.raises(
        LandfastError, match="^cat on the NFS server failed: cat: Input/output error$"
    ):
        inspector.read("f")
