"""The health gate: what is complained of, and that it is waited for while nobody answers."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import RUNNING
from survival_fakes import raising

from landfast.errors import LandfastError, Unreachable
from landfast.faults.base import Site
from landfast.faults.health import complaints, wait_healthy
from landfast.mysql.client import MysqlError
from landfast.waiting import WaitTimeout

Object = dict[str, Any]
_CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def ready(
    name: str,
    labels: Object | None = None,
    *,
    is_ready: bool = True,
    spec: Object | None = None,
) -> Object:
    """Give a node or a pod."""
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec or {},
        "status": {"conditions": [{"type": "Ready", "status": str(is_ready)}]},
    }


class Whole:
    """A site on which everything is well."""

    def __init__(self) -> None:
        self.nodes = [ready("n1"), ready("n2")]
        self.pods = [ready(name, {"component": name}) for name in _CONTROL_PLANE]
        self.pods.append(ready("coredns", {"k8s-app": "kube-dns"}))
        self.replicas: dict[str, int | None] = {"nfs-client-provisioner": 1, "mysql": 1}
        self.container = "running"
        self.answer: Any = bool
        self.looks = 0
        self.pod_name = "mysql-0"

    def list(self, kind: str, _namespace: str | None = None) -> list[Object]:
        self.looks += 1
        return self.nodes if kind == "Node" else self.pods

    def find(self, _kind: str, name: str, _namespace: str) -> Object | None:
        if name not in self.replicas:
            return None
        return {"status": {"availableReplicas": self.replicas[name]}}

    @property
    def site(self) -> Site:
        mysql = SimpleNamespace(query=lambda _sql, **_: self.answer())
        stack = SimpleNamespace(namespace="default", system_namespace="kube-system", mysql=mysql)
        state = replace(RUNNING, status=self.container)
        server = SimpleNamespace(state=lambda: state)
        names = {"pod_name": self.pod_name}
        return cast(
            Site, SimpleNamespace(kube=self, stack=stack, server=server, own_server=server, **names)
        )


@pytest.fixture
def whole() -> Whole:
    return Whole()


def test_nothing_is_to_be_complained_of(whole: Whole) -> None:
    assert complaints(whole.site) == []
    wait_healthy(whole.site, timeout=1)


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (ready("n", is_ready=False), ["node n is not Ready"]),
        (ready("n", spec={"unschedulable": True}), ["node n is cordoned"]),
        (ready("n", spec={"taints": [{"key": "mine"}]}), []),
        (
            ready("n", spec={"taints": [{"key": "node.kubernetes.io/unreachable"}]}),
            ["node n has the taints node.kubernetes.io/unreachable"],
        ),
    ],
)
def test_a_node_that_is_not_well_is_told(whole: Whole, node: Object, found: list[str]) -> None:
    whole.nodes.append(node)
    assert complaints(whole.site) == found


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({"component": "etcd"}, ["pod p is not Ready"]),
        ({"k8s-app": "kube-proxy"}, ["pod p is not Ready"]),
        ({"k8s-app": "something-else"}, []),
        ({}, []),
    ],
)
def test_only_essential_pods_are_told(
    whole: Whole, labels: dict[str, str], found: list[str]
) -> None:
    whole.pods.append(ready("p", labels, is_ready=False))
    assert complaints(whole.site) == found


def test_a_workload_without_replica_is_told(whole: Whole) -> None:
    whole.replicas = {"mysql": None}
    assert complaints(whole.site) == [
        "Deployment nfs-client-provisioner has no available replica",
        "StatefulSet mysql has no available replica",
    ]


def test_a_server_that_does_not_answer_is_told(whole: Whole) -> None:
    whole.container = "paused"
    whole.answer = raising(MysqlError(ConnectionRefusedError("refused")))
    first, second = complaints(whole.site)
    assert first == "the NFS server's container is paused"
    assert second.startswith("MySQL does not write: ")
    assert "refused" in second


def test_without_mysql_nothing_is_missed(whole: Whole) -> None:
    whole.replicas, whole.answer = {}, raising(MysqlError(OSError("refused")))
    whole.pod_name = "holder"
    assert complaints(whole.site) == []


def test_what_does_not_get_well_is_in_the_sentence(whole: Whole) -> None:
    whole.container = "exited"
    with pytest.raises(WaitTimeout, match="state: the NFS server's container is exited$"):
        wait_healthy(whole.site, timeout=0.05)


@pytest.mark.parametrize(
    "error", [LandfastError("etcdserver: leader changed"), Unreachable("no answer")]
)
def test_an_api_server_that_is_away_is_waited_for(
    whole: Whole, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    list_objects = whole.list

    def look(kind: str, namespace: str | None = None) -> list[Object]:
        if not whole.looks:
            whole.looks = 1
            raise error
        return list_objects(kind, namespace)

    monkeypatch.setattr(whole, "list", look)
    wait_healthy(whole.site, timeout=5)
    assert whole.looks > 1
