"""Which nodes a run's pods may go to, and what each pod carries there."""

from typing import Any

import pytest

from landfast.kube.placement import Placement, Toleration
from landfast.kube.request import Object, Request

TAINT = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}


def node(*taints: Object, ready: str = "True", closed: bool = False, **more: str) -> Object:
    return {
        "metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux", **more}},
        "spec": {"taints": [*taints], "unschedulable": closed},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def windows() -> Object:
    found = node()
    found["metadata"]["labels"] = {"kubernetes.io/os": "windows"}
    return found


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (node(), True),
        (node(ready="False"), False),
        (node(ready="Unknown"), False),
        (node(closed=True), False),
        (windows(), False),
        (node(TAINT), False),
        (node({**TAINT, "effect": "NoExecute"}), False),
        (node({**TAINT, "effect": "PreferNoSchedule"}), True),
    ],
)
def test_pods_go_to_nodes_that_are_ready_run_linux_and_have_no_taint(
    there: Object, taken: bool
) -> None:
    assert Placement().takes(there) is taken


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("dedicated", True),
        ("dedicated=db", True),
        ("dedicated=db:NoSchedule", True),
        ("dedicated:NoSchedule", True),
        ("dedicated=", False),
        ("dedicated=web", False),
        ("dedicated:NoExecute", False),
        ("other", False),
    ],
)
def test_a_taint_that_is_tolerated_keeps_no_pod_away(text: str, taken: bool) -> None:
    toleration = Toleration.parse(text)
    assert Placement(tolerations=(toleration,)).takes(node(TAINT)) is taken


def test_a_selector_leaves_other_nodes_out() -> None:
    placement = Placement(node_selector={"disk": "ssd"})
    assert placement.takes(node(disk="ssd"))
    assert not placement.takes(node(disk="hdd"))
    assert not placement.takes(node())


def stamped(placement: Placement, spec: Object, kind: str = "Pod") -> Any:
    body = {"kind": kind, "spec": spec if kind == "Pod" else {"template": {"spec": spec}}}
    before = repr(body)
    request = placement.stamped(Request("create", kind, "x", "ns", body))
    assert request is not None
    assert request.body is not None
    assert repr(body) == before, "the caller's object stays as it is"
    return request.body["spec"] if kind == "Pod" else request.body["spec"]["template"]["spec"]


@pytest.mark.parametrize("kind", ["Pod", "StatefulSet", "Deployment"])
def test_every_pod_carries_what_was_asked_for(kind: str) -> None:
    placement = Placement(
        node_selector={"disk": "ssd"},
        tolerations=(Toleration.parse("dedicated=db:NoSchedule"), Toleration.parse("spot")),
        pull_secret="key",
    )
    given = {"tolerations": [{"key": "own"}], "containers": [{}], "initContainers": [{}]}
    spec = stamped(placement, given, kind)
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert spec["imagePullSecrets"] == [{"name": "key"}]
    assert spec["tolerations"] == [
        {"key": "own"},
        {"key": "dedicated", "operator": "Equal", "value": "db", "effect": "NoSchedule"},
        {"key": "spot", "operator": "Exists"},
    ]
    for container in (*spec["containers"], *spec["initContainers"]):
        assert container["resources"]["limits"] == {"cpu": "1", "memory": "192Mi"}
        assert container["resources"]["requests"] == {"cpu": "10m", "memory": "32Mi"}


def test_a_pod_that_names_its_node_does_not_pass_the_scheduler() -> None:
    spec = stamped(Placement(node_selector={"a": "b"}), {"nodeName": "n1", "containers": []})
    assert "nodeSelector" not in spec


def test_a_pods_own_choice_of_a_node_stays() -> None:
    own = {"kubernetes.io/hostname": "n1"}
    spec = stamped(Placement(), {"nodeSelector": own, "containers": []})
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", **own}


def test_resources_that_are_given_stay() -> None:
    given = {"limits": {"memory": "16Mi"}, "requests": {"cpu": "5m"}}
    (container,) = stamped(Placement(), {"containers": [{"resources": given}]})["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "5m"},  # without one of its own, it requests its limit
        "limits": {"cpu": "1", "memory": "16Mi"},
    }


@pytest.mark.parametrize(("verb", "kind"), [("create", "Service"), ("patch", "Pod")])
def test_other_requests_stay_as_they_are(verb: str, kind: str) -> None:
    assert Placement().stamped(Request(verb, kind, "x", "ns", {"kind": kind, "spec": {}})) is None


@pytest.mark.parametrize(
    ("kind", "spec", "placed"),
    [
        ("Pod", {"containers": []}, False),
        ("Pod", {"containers": [], "volumes": [{"name": "v", "emptyDir": {}}]}, False),
        ("Pod", {"containers": [], "volumes": [{"name": "v", "nfs": {}}]}, True),
        ("Pod", {"volumes": [{"name": "v", "persistentVolumeClaim": {}}], "nodeName": "n"}, False),
        ("StatefulSet", {"template": {"spec": {}}, "volumeClaimTemplates": [{}]}, True),
        ("StatefulSet", {"template": {"spec": {}}}, False),
        (
            "Deployment",
            {"template": {"spec": {"volumes": [{"name": "v", "nfs": {}}]}}},
            True,
        ),
    ],
)
def test_only_pods_with_volumes_go_to_the_nodes_of_volumes(
    kind: str, spec: Object, placed: bool
) -> None:
    request = Request("create", kind, "x", "ns", body={"kind": kind, "spec": spec})
    found = Placement(node_selector={"k": "v"}).volumes_placed(request)
    assert (found is not None) is placed
    if found and found.body:
        assert "{'k': 'v'}" in str(found.body)
        assert "'k'" not in str(request.body), "the caller's object is not changed"


def test_a_pod_keeps_the_node_that_it_asks_for() -> None:
    spec = {"volumes": [{"name": "v", "nfs": {}}], "nodeSelector": {"host": "h", "k": "own"}}
    request = Request("create", "Pod", "x", body={"kind": "Pod", "spec": spec})
    found = Placement(node_selector={"k": "v"}).volumes_placed(request)
    assert found is not None
    assert found.body is not None
    assert found.body["spec"]["nodeSelector"] == {"host": "h", "k": "own"}
