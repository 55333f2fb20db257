"""Waits for what hangs on a pod: they end soon, with the cluster's own reason."""

import dataclasses
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import FakeKube

from landfast import timeouts
from landfast.environment import Environment
from landfast.images import Images
from landfast.kube.pods import PodCannotStart, PodCrashes
from landfast.manifests import Overlay
from landfast.mysql.client import Identity, MysqlError, MysqlServer
from landfast.nfs.export import Export
from landfast.stack import Stack
from landfast.waiting import WaitTimeout

NS, SYSTEM = "ns", "nfs-system-x"
NOWHERE = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
UNBOUND = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube()


@pytest.fixture
def stack(kube: FakeKube) -> Stack:
    overlay = Overlay(
        export=Export(server="10.0.0.1", path="/", kind="external"),
        images=Images("kit", *["none"] * 6),
        run_id="run",
        suffix="-x",
        namespace=NS,
    )
    cluster = SimpleNamespace(kube=kube, mysql_port=3306)
    stack = Stack(cast("Environment", SimpleNamespace(cluster=cluster)), overlay)
    stack.mysql = FakeServer(3306, "")
    return stack


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "POD_CANNOT_START", 0)


@dataclasses.dataclass(frozen=True)
class FakeServer(MysqlServer):
    """Answers once it has been asked twice, if it is up."""

    up: bool = False
    began: float = 0.0
    asked: list[int] = dataclasses.field(default_factory=list)

    def identity(self) -> Identity:
        self.asked.append(1)
        if self.up and len(self.asked) > 1:
            return Identity("8.4", "uuid")
        raise MysqlError(OSError("refused"))

    def uptime(self) -> int:
        return int(time.monotonic() - self.began)


def pod(name: str, namespace: str = NS, *, refused: str = "", **status: Any) -> dict[str, Any]:
    if refused:
        scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        status["conditions"] = [scheduled | {"message": refused}]
    meta = {"name": name, "namespace": namespace, "labels": {"app": "nfs-client-provisioner"}}
    return {"kind": "Pod", "metadata": meta, "status": {"phase": "Pending", **status}}


def mysql_set(kube: FakeKube) -> None:
    made = kube.put({"kind": "StatefulSet", "metadata": {"name": "mysql", "namespace": NS}})
    kube.put(
        {
            "kind": "Event",
            "metadata": {"name": "e", "namespace": NS, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "involvedObject": {"name": "mysql", "uid": made["metadata"]["uid"]},
            "reason": "FailedCreate",
            "message": "exceeded quota: small",
        }
    )


def deployment(kube: FakeKube, **status: Any) -> None:
    meta = {"name": "nfs-client-provisioner", "namespace": SYSTEM}
    kube.put({"kind": "Deployment", "metadata": meta, "status": status})


def test_a_pod_that_has_the_phase_is_returned(stack: Stack, kube: FakeKube) -> None:
    kube.put(pod("user", phase="Running"))
    assert stack.wait_for_pod("user", "Running")["status"]["phase"] == "Running"


def test_a_pod_that_cannot_be_scheduled(stack: Stack, kube: FakeKube) -> None:
    kube.put(pod("user", refused=NOWHERE))
    with pytest.raises(PodCannotStart, match="pod user cannot start: Unschedulable: 0/3 nodes"):
        stack.wait_for_pod("user", "Running")


def test_a_pod_that_waits_for_its_pvc_is_a_matter_of_time(stack: Stack, kube: FakeKube) -> None:
    kube.put(pod("user", refused=UNBOUND))
    with pytest.raises(WaitTimeout, match="last state: Pending: Unschedulable: .*unbound") as error:
        stack.wait_for_pod("user", "Running", timeout=0.1)
    assert not isinstance(error.value, PodCrashes)


@pytest.mark.parametrize("ended", ["Failed", "Succeeded"])
def test_a_pod_that_ended_otherwise_is_not_waited_for(
    stack: Stack, kube: FakeKube, ended: str
) -> None:
    kube.put(pod("user", phase=ended))
    with pytest.raises(WaitTimeout, match=f"gave up .* pod user to be Running .*: it is {ended}"):
        stack.wait_for_pod("user", "Running")


def test_a_pod_that_was_refused_to_its_set(stack: Stack, kube: FakeKube) -> None:
    mysql_set(kube)
    said = "a pod of StatefulSet mysql cannot start: FailedCreate: exceeded quota: small"
    with pytest.raises(PodCannotStart, match=said):
        stack.wait_for_pod("mysql-0", "Running")
    with pytest.raises(PodCannotStart, match=said):
        stack.wait_for_mysql()


def test_a_pod_of_nobody_that_does_not_exist(stack: Stack) -> None:
    with pytest.raises(WaitTimeout, match="last state: no such pod"):
        stack.wait_for_pod("user", "Running", timeout=0.1)


def test_the_next_pod_is_another_one(stack: Stack, kube: FakeKube) -> None:
    before = kube.put(pod("mysql-0"))
    with pytest.raises(WaitTimeout, match=f"a pod mysql-0 other than {before['metadata']['uid']}"):
        stack.wait_for_next_pod(before, timeout=0.1)
    after = kube.put(pod("mysql-0"))
    assert stack.wait_for_next_pod(before) == after


def test_the_provisioner(stack: Stack, kube: FakeKube) -> None:
    deployment(kube, availableReplicas=1)
    assert stack.wait_for_provisioner()["status"] == {"availableReplicas": 1}
    quota = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    deployment(kube, conditions=[quota])
    with pytest.raises(PodCannotStart, match="of Deployment nfs-client-provisioner cannot start"):
        stack.wait_for_provisioner()
    deployment(kube)
    with pytest.raises(WaitTimeout, match="the provisioner to be available"):
        stack.wait_for_provisioner(timeout=0.1)
    kube.put(pod("elsewhere", "another", refused=NOWHERE))
    kube.put(pod("p-1", SYSTEM, refused=NOWHERE))
    with pytest.raises(PodCannotStart, match="pod p-1 cannot start"):
        stack.wait_for_provisioner()


def test_mysql_answers(stack: Stack) -> None:
    stack.mysql = FakeServer(3306, "", up=True)
    assert stack.wait_for_mysql() == Identity("8.4", "uuid")


def test_mysql_of_a_pod_that_was_deleted_by_force_does_not_count(
    stack: Stack, kube: FakeKube
) -> None:
    deleted = time.monotonic()
    stack.mysql = FakeServer(3306, "", up=True, began=deleted - 5)
    with pytest.raises(WaitTimeout, match="last state: the server from before still answers"):
        stack.wait_for_mysql(since=deleted, timeout=0.1)
    stack.mysql = FakeServer(3306, "", up=True, began=deleted)
    assert stack.wait_for_mysql(since=deleted) == Identity("8.4", "uuid")


def test_mysql_that_does_not_answer_says_where_its_pod_is(stack: Stack, kube: FakeKube) -> None:
    kube.put(pod("mysql-0", phase="Running"))
    with pytest.raises(WaitTimeout, match="last state: pod mysql-0 is Running; MySQL: refused"):
        stack.wait_for_mysql(timeout=0.1)


def test_mysql_that_crashes(stack: Stack, kube: FakeKube) -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    container = {"name": "mysql", "state": state, "lastState": ended}
    kube.put(pod("mysql-0", phase="Running", containerStatuses=[container]))
    with pytest.raises(PodCrashes, match="container mysql, .*: ended with exit code 1: Error"):
        stack.wait_for_mysql()
