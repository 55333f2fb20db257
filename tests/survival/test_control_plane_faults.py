"""Faults of the control plane: what they ask for, and what proves them."""

from typing import Any

import pytest
from fakes import result
from fault_place import CONTAINER, CONTROL, NODE, Object, Place, pod, stat, unproven

from landfast.faults.control_plane import (
    ControllerManagerKill,
    EtcdKill,
    ProvisionerKill,
    SchedulerKill,
)
from landfast.waiting import WaitTimeout

pytestmark = pytest.mark.usefixtures("impatient")


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
    assert "process 1 of kube-controller-manager to be gone" in unproven(fault)
    place.engine.answer("execute", CONTROL, "sh", with_=process(2))
    assert fault.prove_effect() == (
        "kube-controller-manager is process 2, started at 18:00:02 "
        "(before: process 1, started at 18:00:01)"
    )


@pytest.mark.parametrize(
    ("fault", "work"),
    [
        (ControllerManagerKill, "to observe a new ReplicaSet"),
        (SchedulerKill, "to look at a new pod"),
    ],
)
def test_program_has_to_do_its_work(
    place: Place, fault: type[ControllerManagerKill], work: str
) -> None:
    place.engine.answer("execute", CONTROL, "sh", with_=process(1))
    place.engine.answer("execute", CONTROL, "kubectl", with_=result("ok"))
    with pytest.raises(WaitTimeout, match=work):
        fault(place.site).prove_healed()
    assert [verb for verb, *_ in place.kube.changes()][-2:] == ["create", "delete"]
    assert not [key for key in place.kube.objects if "landfast-" in key[2]]  # removed again


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
    place.engine.answer("execute", NODE, "sh", with_=result(stat(7, "nfs-client-prov")))
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
    place.engine.answer("execute", NODE, "sh", with_=result(stat(7, "nfs-client-prov")))
    fault = ProvisionerKill(place.site)
    fault.note()
    if proven:
        assert "ended with exit code 137 at now" in fault.prove_effect()
    else:
        assert "ended with exit code 1, not 137" in unproven(fault)
