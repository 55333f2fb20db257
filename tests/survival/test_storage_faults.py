"""Faults of the export, the server's disk and clock, the StatefulSet and the data: their proofs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fakes import RUNNING, result
from fault_place import EXITED, NODE, Object, Place, impatient, pod

from landfast.errors import LandfastError
from landfast.faults.base import NotProven
from landfast.faults.control_plane import ControllerManagerKill, SchedulerKill
from landfast.faults.data import DataDirectorySwapped
from landfast.faults.export import ExportFull, ExportReadOnly, ExportWithdrawn
from landfast.faults.nfs_server import NfsMoved, NfsRestart, ServerClockStep
from landfast.faults.node_services import ContainerdRestart, NodeLogDiskFull
from landfast.faults.nodes import NodePauseEvicted, NodeRestart
from landfast.faults.pods import ImageRestartLoop, PodDelete, StatefulSetRecreate
from landfast.faults.power import NfsPowerLoss
from landfast.faults.processes import MysqldOom
from landfast.faults.takeover import SplitBrain
from landfast.nfs.disk_server import start_disk_server
from landfast.verdict import MissingCapability
from landfast.waiting import WaitTimeout

READ_ONLY = result(stderr="dd: closing: Read-only file system", code=1)
FULL = result(stderr="dd: No space left on device", code=1)
UNMOUNTED = result(stderr="mount.nfs: access denied", code=32)


@pytest.fixture(autouse=True)
def hurry() -> Iterator[None]:
    yield from impatient()


@pytest.fixture
def place() -> Place:
    found = Place()
    found.engine.answer("address", with_="10.0.0.2")
    found.engine.answer("execute", "server", "cat", with_=result("0: 00:0801 0:0 0A x"))
    return found


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
    with pytest.raises(NotProven, match="a probe to be refused because"):
        subject.prove_effect()
    place.engine.answer("execute", NODE, "sh", with_=answer)
    assert said in subject.prove_effect()
    assert subject.still_there()
    place.engine.answer("execute", NODE, "sh", with_=result())
    assert not subject.still_there()
    subject.heal()
    assert place.engine.asked("kill") == [("server", "HUP")]


def test_full_export_has_no_byte_free_and_refuses_a_write(place: Place) -> None:
    fault = ExportFull(place.site)
    fault.inject()
    place.engine.answer("execute", "server", "df", with_=result("Avail\n4096\n"))
    assert not fault.still_there()
    place.engine.answer("execute", "server", "df", with_=result("Avail\n0\n"))
    place.engine.answer("execute", NODE, "sh", with_=FULL)
    assert fault.prove_effect().startswith("0 bytes are free; the server answers")
    fault.heal()
    assert ("execute", "server", "rm", "-f", "/data/share/landfast-filler") in place.engine.calls


def test_what_is_written_has_to_be_on_the_server(place: Place) -> None:
    place.inspector.read_as = "another text"
    with pytest.raises(WaitTimeout, match="a file written through NFS to be on the server"):
        ExportReadOnly(place.site).prove_healed()


def echo(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server have what the next probe writes."""
    monkeypatch.setattr("secrets.token_hex", lambda _n: "t0ken")
    place.inspector.read_as = "t0ken"


def test_filler_has_to_be_gone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    echo(place, monkeypatch)
    place.inspector.files["landfast-filler"] = "x"
    place.engine.answer("execute", "server", "df", with_=result("Avail\n900M\n"))
    with pytest.raises(WaitTimeout, match="landfast-filler to be gone"):
        ExportFull(place.site).prove_healed()
    place.inspector.remove("landfast-filler")
    assert ExportFull(place.site).prove_healed().endswith("; 900M are free")


def test_restarted_server_has_another_start_time(place: Place) -> None:
    fault = NfsRestart(place.site)
    fault.note()
    fault.inject()
    with pytest.raises(NotProven, match="another start time"):
        fault.prove_effect()
    place.engine.answer("state", "server", with_=replace(RUNNING, started_at="later"))
    assert "was started at later" in fault.prove_effect()


def test_moved_server_answers_elsewhere_and_comes_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    echo(place, monkeypatch)
    shown = result("2: eth0 inet 10.0.0.2/24 brd x")
    place.engine.answer("execute", "server", "ip", "-4", "-o", with_=shown)
    route = result("default via 10.0.0.1 dev eth0")
    place.engine.answer("execute", "server", "ip", "-4", "route", with_=route)
    fault = NfsMoved(place.site)
    assert (fault.aim["own"], fault.aim["other"]) == ("10.0.0.2/24", "10.0.0.254/24")
    assert fault.aim["gateway"] == "10.0.0.1"
    fault.inject()
    probes = [result(), result(code=1)]  # the new address answers, the old one does not
    place.engine.answer("execute", NODE, "timeout", with_=probes)
    assert fault.prove_effect().startswith("the server has moved from 10.0.0.2 to 10.0.0.254")
    fault.heal()
    place.engine.answer("execute", NODE, "timeout", with_=result())
    assert fault.prove_healed().endswith("it has no address but 10.0.0.2/24")
    moves = [words for words in place.engine.asked("execute") if "addr replace" in "".join(words)]
    assert [move[-3:-1] for move in moves] == [
        ("10.0.0.2/24", "10.0.0.254/24"),
        ("10.0.0.254/24", "10.0.0.2/24"),
    ]


def log(clock: str) -> str:
    return f"2026-01-01T10:00:00.000000000Z 01/01/2026 {clock} : epoch 1 : x"


def test_stepped_clock_is_seen_in_the_servers_log(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    echo(place, monkeypatch)
    place.engine.answer("execute", "server", "cat", "/disk/mode", with_=result("clock"))
    fault = ServerClockStep(place.site)
    assert "libfaketime is not loaded" in str(fault.available())
    place.engine.answer("execute", "server", "cat", "/proc/1/maps", with_=result("libfaketimeMT"))
    assert fault.available() is None
    fault.inject()
    place.engine.answer("logs", "server", with_=log("10:00:00"))
    assert not fault.still_there()
    with pytest.raises(NotProven, match="an hour ahead"):
        fault.prove_effect()
    place.engine.answer("logs", "server", with_=log("11:00:01"))
    assert fault.still_there()
    assert "is 3601.0 s ahead" in fault.prove_effect()
    fault.heal()
    place.engine.answer("logs", "server", with_=log("10:00:00"))
    assert fault.prove_healed().startswith("the server's log is 0.0 s off")
    place.engine.answer("logs", "server", with_="no time")
    with pytest.raises(LandfastError, match="a line without a time: no time"):
        place.server.clock_offset()


def test_clock_of_another_mode_cannot_be_stepped(place: Place) -> None:
    assert (
        ServerClockStep(place.site).available() == "the server runs in the mode honest, not clock"
    )


@pytest.mark.parametrize(
    ("inode", "greps", "proven"),
    [
        ("8", [0, 1], True),
        ("7", [0, 1], False),  # the same disk
        ("8", [0, 0], False),  # what was not synced is there: no power loss
        ("8", [1, 1], False),  # what was synced is gone
    ],
)
def test_power_loss_takes_what_was_not_synced_and_nothing_else(
    place: Place, inode: str, greps: list[int], proven: bool
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
    if proven:
        assert f"its disk is the copy (inode {inode}, before: 7)" in fault.prove_effect()
    else:
        with pytest.raises(NotProven):
            fault.prove_effect()


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


# --- StatefulSet, node, data


def stateful_set(**spec: Any) -> Object:
    containers = [{"name": "mysql", "image": "mysql:8"}]
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "mysql", "namespace": "default", "generation": 1},
        "spec": {"replicas": 1, "template": {"spec": {"containers": containers}}, **spec},
        "status": {"observedGeneration": 1, "updateRevision": "r1"},
    }


def running_pod() -> Object:
    obj = pod(containerID="x", state={"running": {}})
    obj["metadata"]["labels"] = {"controller-revision-hash": "r1"}
    obj["status"]["startTime"] = "then"
    obj["spec"]["containers"] = [{"image": "mysql:8"}]
    return obj


def test_pod_has_to_run_as_its_set_wants_it() -> None:
    place = Place(running_pod())
    with pytest.raises(WaitTimeout, match="no StatefulSet mysql"):
        PodDelete(place.site).prove_healed()
    place.kube.put(stateful_set(replicas=0))
    with pytest.raises(WaitTimeout, match="StatefulSet mysql wants 0"):
        PodDelete(place.site).prove_healed()
    place.kube.put(stateful_set())
    assert "runs on l-worker, since then" in PodDelete(place.site).prove_healed()
    changes: list[tuple[Object, str]] = [
        ({"status": {"containerStatuses": [{"state": {"waiting": {}}}]}}, "its container is"),
        ({"metadata": {"labels": {"controller-revision-hash": "r0"}}}, "has the revision r0"),
        ({"metadata": {"deletionTimestamp": "now"}}, "is being deleted"),
    ]
    for change, said in changes:
        place.kube.patch("Pod", "mysql-0", change, "default")
        with pytest.raises(WaitTimeout, match=said):
            PodDelete(place.site).prove_healed()


def test_set_is_created_again_from_its_manifest() -> None:
    place = Place(stateful_set())
    place.manifest = [stateful_set()]
    fault = StatefulSetRecreate(place.site)
    fault.inject()
    assert fault.still_there()
    with pytest.raises(NotProven, match="pod mysql-0 to be gone"):
        fault.prove_effect()
    place.kube.delete("Pod", "mysql-0", "default")
    assert fault.prove_effect().startswith("there is neither")
    fault.heal()
    assert not fault.still_there()
    fault.heal()  # it is there
    assert [verb for verb, kind, _ in place.kube.changes() if kind == "StatefulSet"] == [
        "delete",
        "create",
    ]


def test_bad_release_loops_is_watched_and_rolled_back() -> None:
    place = Place(stateful_set(), running_pod())
    place.manifest = [stateful_set()]
    fault = ImageRestartLoop(place.site)
    fault.inject()
    assert fault.still_there()
    with pytest.raises(NotProven, match="in a restart loop"):
        fault.prove_effect()
    looping = {
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}},
        "restartCount": 2,
    }
    place.kube.put(
        pod(**looping) | {"spec": {"nodeName": NODE, "containers": [{"image": "busybox:1"}]}}
    )
    assert "ended with exit code 1, restarted 2 times" in fault.prove_effect()
    ImageRestartLoop(place.site, fault.aim).heal()
    assert not fault.still_there()
    assert ("delete", "Pod", "mysql-0") in place.kube.verbs


def test_restarted_node_has_a_later_start_time(place: Place) -> None:
    fault = NodeRestart(place.site)
    fault.note()
    fault.inject()
    with pytest.raises(NotProven, match="a later start time"):
        fault.prove_effect()
    place.engine.answer("state", NODE, with_=replace(RUNNING, started_at="2026-01-02T00:00:00Z"))
    assert "was started at 00:00:00" in fault.prove_effect()


def test_pod_of_a_frozen_node_has_to_be_evicted(place: Place) -> None:
    place.engine.answer("state", NODE, with_=replace(RUNNING, status="paused"))
    fault = NodePauseEvicted(place.site)
    with pytest.raises(NotProven, match="to be given up and MySQL's pod to be evicted"):
        fault.prove_effect()
    place.kube.patch("Node", NODE, {"status": {"conditions": []}})
    place.kube.patch("Pod", "mysql-0", {"metadata": {"deletionTimestamp": "now"}}, "default")
    assert "Ready is Unknown, and pod mysql-0 is being deleted" in fault.prove_effect()


def test_restarted_containerd_is_another_process(place: Place) -> None:
    fault = ContainerdRestart(place.site)
    place.engine.answer("execute", NODE, "systemctl", "show", with_=result("7\n"))
    fault.note()
    fault.inject()
    with pytest.raises(NotProven, match="another containerd"):
        fault.prove_effect()


def test_full_log_disk_refuses_a_write_and_a_pod(place: Place) -> None:
    fault = NodeLogDiskFull(place.site)
    fault.inject()
    with pytest.raises(NotProven, match="a write to /var/log/pods to be refused"):
        fault.prove_effect()
    place.engine.answer("execute", NODE, "bash", with_=FULL)
    place.engine.answer("execute", NODE, "df", with_=result("IFree Inodes\n0 1\n"))
    with pytest.raises(NotProven, match="a new pod not to start"):
        fault.prove_effect()
    fault.heal()
    assert place.kube.find("Pod", "log-disk-probe", "default") is None
    assert "is no longer a mount" in fault.prove_healed()
    assert place.kube.find("Pod", "log-disk-probe", "default") is None


def test_swapped_directory_gives_mysql_another_id(place: Place) -> None:
    fault = DataDirectorySwapped(place.site)
    fault.note()
    with pytest.raises(NotProven, match="another id"):
        fault.prove_effect()
    fault.inject()
    assert set(place.inspector.files) == {"share/mysql", fault.aim["kept"]}
    place.mysql.uuid = None
    with pytest.raises(NotProven, match="another id"):
        fault.prove_effect()
    place.mysql.uuid = "new"
    assert fault.prove_effect() == "MySQL answers as new; before, it was old"
    fault.heal()
    assert list(place.inspector.files) == ["share/mysql"]
    assert fault.prove_healed() == "MySQL answers"


def test_mysqld_that_was_killed_otherwise_was_not_out_of_memory() -> None:
    ended = {"containerID": "x://c1", "exitCode": 137, "startedAt": "a", "finishedAt": "b"}
    place = Place(pod(containerID="x://c1", state={"terminated": ended}))
    fault = MysqldOom(place.site)
    fault.inject()
    with pytest.raises(NotProven, match="ended for the reason None"):
        fault.prove_effect()
    ended["reason"] = "OOMKilled"
    place.kube.put(pod(containerID="x://c1", state={"terminated": ended}))
    assert fault.prove_effect().endswith("was OOMKilled at b")


def test_old_mysqld_has_to_run_before_anything_else(place: Place) -> None:
    with pytest.raises(NotProven, match="the old mysqld to run"):
        SplitBrain(place.site).prove_effect()


@pytest.mark.parametrize("fault", [ControllerManagerKill, SchedulerKill])
def test_program_has_to_do_its_work(place: Place, fault: type[ControllerManagerKill]) -> None:
    running = result("1 Wed Nov 25 18:00:01 2026")
    place.engine.answer("execute", "l-control-plane", "sh", with_=running)
    place.engine.answer("execute", "l-control-plane", "kubectl", with_=result("ok"))
    subject = fault(place.site)
    with pytest.raises((WaitTimeout, KeyError)):
        subject.prove_healed()
    made = {kind for verb, kind, _ in place.kube.changes() if verb == "create"}
    assert made <= {"ReplicaSet", "Pod"}
    assert not [key for key in place.kube.objects if "landfast-" in key[2]]  # removed again
