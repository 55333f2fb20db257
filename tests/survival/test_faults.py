"""What each family of faults asks of the engine and the API, and what it takes for a proof."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fakes import RUNNING, refusal, result
from fault_place import CONTAINER, CONTROL, EXITED, NODE, Object, Place, impatient, pod

from landfast.errors import LandfastError
from landfast.faults.base import NotProven
from landfast.faults.composite import Composite
from landfast.faults.control_plane import ControllerManagerKill, EtcdKill, ProvisionerKill
from landfast.faults.network import NfsPortDropped, NfsReset
from landfast.faults.nfs_server import NfsFreeze, NfsKill, NfsMoved
from landfast.faults.node_services import KubeletStop, NodeLogDiskFull
from landfast.faults.nodes import NodeDrain, NodePause, NodePowerOff, NodeStop
from landfast.faults.pods import PodForceDelete, StatefulSetScaleToZero
from landfast.faults.power import NfsPowerLoss, PowerLossEverywhere
from landfast.faults.processes import MysqldSigkill, MysqldSigstop
from landfast.faults.takeover import NodeFailover
from landfast.waiting import WaitTimeout

MOVED = {"from": NODE, "own": "10.0.0.2/24", "other": "10.0.0.254/24", "gateway": "10.0.0.1"}


@pytest.fixture(autouse=True)
def hurry() -> Iterator[None]:
    yield from impatient()


@pytest.fixture
def place() -> Place:
    return Place()


# --- nodes


@pytest.mark.parametrize(
    ("fault", "code", "proven"),
    [
        (NodePowerOff, 137, True),
        (NodePowerOff, 0, False),  # it ended by itself: nobody cut its power
        (NodeStop, 0, True),
        (NodeStop, 130, True),
        (NodeStop, 137, False),  # it had to be killed: that was no shutdown
    ],
)
def test_exit_code_tells_a_power_loss_from_a_shutdown(
    place: Place, fault: type[NodePowerOff], code: int, proven: bool
) -> None:
    place.engine.answer("state", NODE, with_=replace(EXITED, exit_code=code))
    subject = fault(place.site)
    if proven:
        assert f"ended with exit code {code} at 00:00:09" in subject.prove_effect()
    else:
        with pytest.raises(NotProven, match="to have ended"):
            subject.prove_effect()


def test_node_that_runs_has_not_lost_its_power(place: Place) -> None:
    with pytest.raises(NotProven, match="status='running'"):
        NodePowerOff(place.site).prove_effect()


def test_node_whose_kubelet_answers_has_not_lost_its_power(place: Place) -> None:
    place.engine.answer("state", NODE, with_=EXITED)
    place.engine.answer("execute", CONTROL, with_=result("HTTP"))
    with pytest.raises(NotProven, match=f"the kubelet of {NODE} not to answer"):
        NodePowerOff(place.site).prove_effect()


def test_node_is_killed_watched_and_started(place: Place) -> None:
    fault = NodePowerOff(place.site)
    fault.inject()
    place.engine.answer("state", NODE, with_=EXITED)
    assert fault.still_there()
    fault.heal()
    place.engine.answer("state", NODE, with_=RUNNING)
    assert not fault.still_there()
    assert place.engine.asked("kill") == [(NODE,)]
    assert place.engine.asked("start") == [(NODE,)]
    place.engine.answer("execute", CONTROL, with_=result("HTTP"))
    assert f"node {NODE} is Ready" in fault.prove_healed()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spec": {"taints": [{"key": "node.kubernetes.io/unreachable"}]}}, "it has the taints"),
        ({"status": {"conditions": []}}, "its condition Ready is Unknown"),
    ],
)
def test_node_that_is_not_ready_is_not_healed(place: Place, change: Object, said: str) -> None:
    place.kube.patch("Node", NODE, change)
    with pytest.raises(WaitTimeout, match=said):
        NodePowerOff(place.site).prove_healed()


def test_only_a_frozen_node_is_thawed(place: Place) -> None:
    fault = NodePause(place.site)
    fault.heal()
    assert place.engine.asked("unpause") == []
    place.engine.answer("state", NODE, with_=replace(RUNNING, status="paused"))
    assert fault.still_there()
    fault.heal()
    assert place.engine.asked("unpause") == [(NODE,)]


def test_drained_node_loses_its_pods_and_is_uncordoned(place: Place) -> None:
    fault = NodeDrain(place.site)
    fault.note()
    fault.inject()
    assert fault.still_there()
    assert ("evict", "Pod", "mysql-0") in place.kube.verbs
    with pytest.raises(NotProven, match="another pod mysql-0 on another node"):
        fault.prove_effect()
    fault.heal()
    assert not fault.still_there()


def test_pod_that_goes_before_its_eviction_is_no_error(place: Place) -> None:
    def gone(_kind: str, _name: str) -> None:
        raise refusal(404, "not found")

    place.kube.before["evict"] = gone
    NodeDrain(place.site).inject()
    place.kube.before["evict"] = lambda *_: (_ for _ in ()).throw(refusal(429, "budget"))
    with pytest.raises(LandfastError, match="budget"):
        NodeDrain(place.site).inject()


def test_log_disk_is_unmounted_as_often_as_it_is_mounted(place: Place) -> None:
    mounted = result("landfast /var/log/pods tmpfs rw 0 0")
    place.engine.answer("execute", NODE, "cat", with_=[mounted, mounted, result()])
    NodeLogDiskFull(place.site).heal()
    unmounts = [words for words in place.engine.asked("execute") if words[1] == "umount"]
    assert len(unmounts) == 2


def test_kubelet_is_stopped_watched_and_started(place: Place) -> None:
    fault = KubeletStop(place.site)
    fault.inject()
    place.engine.answer("execute", NODE, "systemctl", "show", with_=result("inactive\n"))
    assert fault.still_there()
    fault.heal()
    verbs = [words[2] for words in place.engine.asked("execute") if words[1] == "systemctl"]
    assert verbs == ["stop", "show", "start"]


# --- network


@pytest.mark.parametrize(
    ("fault", "code", "said", "proven"),
    [
        (NfsPortDropped, 124, "", True),
        (NfsPortDropped, 1, "connect: Connection refused", False),  # nobody listens: no partition
        (NfsPortDropped, 0, "", False),
        (NfsReset, 1, "connect: Connection refused", True),
        (NfsReset, 124, "", False),
    ],
)
def test_connection_has_to_fail_in_the_faults_own_way(
    place: Place, fault: type[NfsPortDropped], code: int, said: str, proven: bool
) -> None:
    counters = '{"nftables": [{"counter": {"name": "hit", "packets": 3}}]}'
    place.engine.answer("execute", NODE, "nft", with_=result(counters))
    place.engine.answer("execute", NODE, "timeout", with_=result(stderr=said, code=code))
    subject = fault(place.site)
    if proven:
        assert subject.prove_effect().startswith("the rules saw 3 packets; a connection from")
    else:
        with pytest.raises(NotProven, match=f"10.0.0.2:2049: .*, not: {subject.failure}$"):
            subject.prove_effect()


def test_rules_that_saw_no_packet_prove_nothing(place: Place) -> None:
    place.engine.answer("execute", NODE, "timeout", with_=result(code=124))
    with pytest.raises(NotProven, match="the rules to see packets"):
        NfsPortDropped(place.site).prove_effect()


def test_rules_are_loaded_watched_and_removed(place: Place) -> None:
    fault = NfsPortDropped(place.site)
    fault.inject()
    place.engine.answer("execute", NODE, "nft", "list", with_=result("table inet landfast_fault"))
    assert fault.still_there()
    with pytest.raises(WaitTimeout, match="to have no table landfast_fault"):
        fault.prove_healed()
    fault.heal()
    place.engine.answer("execute", NODE, "nft", "list", with_=result())
    assert not fault.still_there()
    assert "no table landfast_fault" in fault.prove_healed()
    added, *_ = [words for words in place.engine.asked("execute") if "add table" in words[-1]]
    assert added[-1] == "add table inet landfast_fault; delete table inet landfast_fault"


# --- NFS server


@pytest.mark.parametrize("state", [RUNNING, replace(EXITED, exit_code=0)])
def test_server_that_was_not_killed_proves_nothing(place: Place, state: Any) -> None:
    place.engine.answer("state", "server", with_=state)
    with pytest.raises(NotProven, match="to have been killed"):
        NfsKill(place.site).prove_effect()


def test_frozen_server_that_answers_proves_nothing(place: Place) -> None:
    place.engine.answer("state", "server", with_=replace(RUNNING, status="paused"))
    fault = NfsFreeze(place.site)
    assert fault.still_there()
    with pytest.raises(NotProven, match="no answer to NFS calls"):
        fault.prove_effect()


def test_server_keeps_the_other_address_until_it_is_healed(place: Place) -> None:
    fault = NfsMoved(place.site, MOVED)
    place.engine.answer("execute", "server", "ip", with_=result("2: eth0 inet 10.0.0.254/24 brd"))
    assert fault.still_there()
    place.engine.answer("execute", "server", "ip", with_=result("2: eth0 inet 10.0.0.2/24 brd"))
    assert not fault.still_there()


# --- pods and mysqld


@pytest.mark.parametrize(("code", "proven"), [(137, True), (0, False), (143, False)])
def test_mysqld_has_to_end_by_sigkill(place: Place, code: int, proven: bool) -> None:
    fault = MysqldSigkill(place.site)
    ended = {"containerID": f"containerd://{CONTAINER}", "exitCode": code}
    ended |= {"startedAt": "then", "finishedAt": "now"}
    place.kube.put(pod(containerID="containerd://next", lastState={"terminated": ended}))
    if proven:
        assert "ended with exit code 137 at now" in fault.prove_effect()
    else:
        with pytest.raises(NotProven, match=f"ended with exit code {code}, not 137"):
            fault.prove_effect()


def test_stopped_mysqld_is_watched_and_continued(place: Place) -> None:
    fault = MysqldSigstop(place.site)
    place.engine.answer("execute", NODE, "sh", with_=result("41 (sh) S 1\n42 (mysqld) T 1\n"))
    assert fault.still_there()
    fault.heal()
    assert place.engine.asked("execute")[-1] == (NODE, "kill", "-CONT", "42")
    place.engine.answer("execute", NODE, "sh", with_=result("42 (mysqld) S 1\n"))
    assert not fault.still_there()


def test_pod_that_stays_was_not_deleted(place: Place) -> None:
    fault = PodForceDelete(place.site)
    fault.note()
    with pytest.raises(NotProven, match=r"pod mysql-0 \(u1\) to be gone"):
        fault.prove_effect()
    fault.inject()
    assert fault.prove_effect() == "pod mysql-0 (u1) is gone; its successor: none"


def test_set_is_scaled_back_to_what_it_was() -> None:
    stateful_set = {
        "kind": "StatefulSet",
        "metadata": {"name": "mysql", "namespace": "default"},
        "spec": {"replicas": 3},
    }
    place = Place(stateful_set)
    fault = StatefulSetScaleToZero(place.site)
    fault.inject()
    assert fault.still_there()
    again = StatefulSetScaleToZero(place.site, fault.aim)  # as another process makes it
    again.heal()
    assert place.kube.get("StatefulSet", "mysql", "default")["spec"]["replicas"] == 3
    assert not fault.still_there()


# --- control plane


def test_program_that_does_not_run_cannot_be_killed(place: Place) -> None:
    assert ControllerManagerKill(place.site).available() == "kube-controller-manager does not run"


def process(pid: int) -> Any:
    return result(f"{pid} Wed Nov 25 18:00:0{pid} 2026\n")


def test_program_with_another_process_was_killed(place: Place) -> None:
    place.engine.answer("execute", CONTROL, "sh", with_=process(1))
    fault = ControllerManagerKill(place.site)
    fault.note()
    fault.inject()
    assert ("execute", CONTROL, "kill", "-KILL", "1") in place.engine.calls
    with pytest.raises(NotProven, match="process 1 of kube-controller-manager to be gone"):
        fault.prove_effect()
    place.engine.answer("execute", CONTROL, "sh", with_=process(2))
    assert fault.prove_effect() == (
        "kube-controller-manager is process 2, started at 18:00:02 "
        "(before: process 1, started at 18:00:01)"
    )


def test_kubelet_is_restarted_only_for_a_program_that_does_not_come_back(place: Place) -> None:
    def restarts() -> int:
        return sum("restart" in words for words in place.engine.asked("execute"))

    place.engine.answer("execute", CONTROL, "sh", with_=process(1))
    fault = ControllerManagerKill(place.site)
    fault.heal()
    assert restarts() == 0
    place.engine.answer("execute", CONTROL, "sh", with_=result())
    EtcdKill(place.site, {"killed": "1"}).heal()  # a new kubelet would hang
    assert restarts() == 0
    fault.heal()
    assert restarts() == 1


def provisioner(**status: Any) -> Object:
    obj = pod(containerID=f"containerd://{CONTAINER}", **status)
    obj["metadata"] |= {"name": "p-1", "namespace": "kube-system"}
    obj["metadata"]["labels"] = {"app": "nfs-client-provisioner"}
    return obj


def test_provisioner_is_killed_on_its_node() -> None:
    place = Place(provisioner())
    place.engine.answer("execute", NODE, "sh", with_=result("7 (nfs-client-prov) S 1\n"))
    fault = ProvisionerKill(place.site)
    fault.note()
    fault.inject()
    assert place.engine.asked("execute")[-1] == (NODE, "kill", "-KILL", "7")
    fault.heal()  # it runs
    assert place.kube.changes() == []
    place.engine.answer("execute", NODE, "sh", with_=result())
    fault.heal()
    assert place.kube.changes() == [("delete", "Pod", "p-1")]


@pytest.mark.parametrize(("code", "proven"), [(137, True), (1, False)])
def test_provisioner_has_to_end_by_sigkill(code: int, proven: bool) -> None:
    ended = {"containerID": f"x://{CONTAINER}", "exitCode": code, "finishedAt": "now"}
    place = Place(provisioner(lastState={"terminated": ended}))
    place.engine.answer("execute", NODE, "sh", with_=result("7 (nfs-client-prov) S 1\n"))
    fault = ProvisionerKill(place.site)
    fault.note()
    if proven:
        assert "ended with exit code 137 at now" in fault.prove_effect()
    else:
        with pytest.raises(NotProven, match="ended with exit code 1, not 137"):
            fault.prove_effect()


# --- composites


def test_aims_of_parts_are_kept_apart(place: Place) -> None:
    fault = PowerLossEverywhere(place.site)
    assert fault.aim == {"nfs-power-loss.from": CONTROL, "node-power-off.node": NODE}
    again = PowerLossEverywhere(place.site, fault.aim)
    assert [member.aim for member in again.members] == [{"from": CONTROL}, {"node": NODE}]


def test_node_comes_back_before_the_server_whose_address_it_could_take(place: Place) -> None:
    fault = PowerLossEverywhere(place.site)
    place.engine.answer("address", with_="10.0.0.2")
    listening = result("0: 00:0801 0:0 0A x\n")
    place.engine.answer("execute", "server", "cat", with_=listening)
    fault.inject()
    assert [words[0] for words in place.engine.asked("kill")] == ["server", NODE]
    fault.heal()
    assert [words[0] for words in place.engine.asked("start")] == [NODE, "server"]


def test_composite_lasts_as_long_as_all_that_last(place: Place) -> None:
    fault = PowerLossEverywhere(place.site)
    place.engine.answer("state", with_=EXITED)
    assert fault.still_there()
    place.engine.answer("state", NODE, with_=RUNNING)
    assert not fault.still_there()


def test_node_that_is_taken_over_from_is_cordoned_after_it_is_lost(place: Place) -> None:
    fault = NodeFailover(place.site)
    assert fault.aim["container"] == CONTAINER
    fault.note()
    fault.inject()
    assert place.engine.asked("kill") == [(NODE,)]
    assert place.kube.changes() == [("patch", "Node", NODE), ("delete", "Pod", "mysql-0")]
    fault.heal()
    assert "unschedulable" not in place.kube.get("Node", NODE)["spec"]
    assert place.engine.asked("start") == [(NODE,)]


def test_every_part_is_asked_for_its_reason(place: Place) -> None:
    place.engine.answer("execute", NODE, "nft", with_=result(stderr="no nft", code=1))

    class Both(Composite):
        name = "both"
        text = "both"
        parts = (NfsPowerLoss, NfsPortDropped)

    assert Both(place.site).available() == "nft does not work: no nft"
