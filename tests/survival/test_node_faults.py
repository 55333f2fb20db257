"""Faults of a node, its programs and its disk: what they ask for, and what proves them."""

from dataclasses import replace

import pytest
from fakes import RUNNING, refusal, result
from fault_place import CONTROL, EXITED, NODE, Object, Place, unproven

from landfast.errors import LandfastError
from landfast.faults.node_services import ContainerdRestart, KubeletStop, NodeLogDiskFull
from landfast.faults.nodes import (
    NodeDrain,
    NodePause,
    NodePauseEvicted,
    NodePowerOff,
    NodeRestart,
    NodeStop,
)
from landfast.waiting import WaitTimeout

pytestmark = pytest.mark.usefixtures("impatient")

FULL = result(stderr="dd: No space left on device", code=1)


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
        assert "to have ended" in unproven(subject)


def test_node_that_runs_has_not_lost_its_power(place: Place) -> None:
    assert "status='running'" in unproven(NodePowerOff(place.site))


def test_node_whose_kubelet_answers_has_not_lost_its_power(place: Place) -> None:
    place.engine.answer("state", NODE, with_=EXITED)
    place.engine.answer("execute", CONTROL, with_=result("HTTP"))
    assert f"the kubelet of {NODE} not to answer" in unproven(NodePowerOff(place.site))


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


def test_restarted_node_has_a_later_start_time(place: Place) -> None:
    fault = NodeRestart(place.site)
    fault.note()
    fault.inject()
    assert "a later start time" in unproven(fault)
    place.engine.answer("state", NODE, with_=replace(RUNNING, started_at="2026-01-02T00:00:00Z"))
    assert "was started at 00:00:00" in fault.prove_effect()


def test_only_a_frozen_node_is_thawed(place: Place) -> None:
    fault = NodePause(place.site)
    fault.heal()
    assert place.engine.asked("unpause") == []
    place.engine.answer("state", NODE, with_=replace(RUNNING, status="paused"))
    assert fault.still_there()
    fault.heal()
    assert place.engine.asked("unpause") == [(NODE,)]


def test_pod_of_a_frozen_node_has_to_be_evicted(place: Place) -> None:
    place.engine.answer("state", NODE, with_=replace(RUNNING, status="paused"))
    fault = NodePauseEvicted(place.site)
    assert "to be given up and MySQL's pod to be evicted" in unproven(fault)
    place.kube.patch("Node", NODE, {"status": {"conditions": []}})
    place.kube.patch("Pod", "mysql-0", {"metadata": {"deletionTimestamp": "now"}}, "default")
    assert "Ready is Unknown, and pod mysql-0 is being deleted" in fault.prove_effect()


def test_drained_node_loses_its_pods_and_is_uncordoned(place: Place) -> None:
    fault = NodeDrain(place.site)
    fault.note()
    fault.inject()
    assert fault.still_there()
    assert ("evict", "Pod", "mysql-0") in place.kube.verbs
    assert "another pod mysql-0 on another node" in unproven(fault)
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


def test_kubelet_is_stopped_watched_and_started(place: Place) -> None:
    fault = KubeletStop(place.site)
    fault.inject()
    place.engine.answer("execute", NODE, "systemctl", "show", with_=result("inactive\n"))
    assert fault.still_there()
    fault.heal()
    verbs = [words[2] for words in place.engine.asked("execute") if words[1] == "systemctl"]
    assert verbs == ["stop", "show", "start"]


def test_restarted_containerd_is_another_process(place: Place) -> None:
    fault = ContainerdRestart(place.site)
    place.engine.answer("execute", NODE, "systemctl", "show", with_=result("7\n"))
    fault.note()
    fault.inject()
    assert "another containerd" in unproven(fault)


def test_full_log_disk_refuses_a_write_and_a_pod(place: Place) -> None:
    fault = NodeLogDiskFull(place.site)
    fault.inject()
    assert "a write to /var/log/pods to be refused" in unproven(fault)
    place.engine.answer("execute", NODE, "bash", with_=FULL)
    place.engine.answer("execute", NODE, "df", with_=result("IFree Inodes\n0 1\n"))
    assert "a new pod not to start" in unproven(fault)
    fault.heal()
    assert place.kube.find("Pod", "log-disk-probe", "default") is None
    assert "is no longer a mount" in fault.prove_healed()
    assert place.kube.find("Pod", "log-disk-probe", "default") is None


def test_log_disk_is_unmounted_as_often_as_it_is_mounted(place: Place) -> None:
    mounted = result("landfast /var/log/pods tmpfs rw 0 0")
    place.engine.answer("execute", NODE, "cat", with_=[mounted, mounted, result()])
    NodeLogDiskFull(place.site).heal()
    unmounts = [words for words in place.engine.asked("execute") if words[1] == "umount"]
    assert len(unmounts) == 2
