"""The settings that a failover's budget rests on, as objects of the cluster have them."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import FakeKube

from landfast.faults.base import Site
from landfast.nfs.server import GRACE_SECONDS, LEASE_SECONDS
from landfast.survival.terms import read_terms, readiness, seconds, toleration

Object = dict[str, Any]


def pod(**spec: Any) -> Object:
    containers = spec.pop("containers", [{"name": "mysql"}])
    return {
        "spec": {"nodeName": "worker", "containers": containers, **spec},
        "status": {"containerStatuses": [{"name": "mysql"}]},
    }


def site(*command: str, own: bool = True, **spec: Any) -> Site:
    manager: Object = {
        "kind": "Pod",
        "metadata": {
            "name": "kube-controller-manager-control-plane",
            "namespace": "kube-system",
            "labels": {"component": "kube-controller-manager"},
        },
        "spec": {"containers": [{"command": ["kube-controller-manager", *command]}]},
    }
    lease: Object = {
        "kind": "Lease",
        "metadata": {"name": "worker", "namespace": "kube-node-lease"},
        "spec": {"leaseDurationSeconds": 60},
    }
    kube = FakeKube(*([manager, lease] if own else []))
    found = {
        "kube": kube,
        "own_server": own or None,
        "pod": lambda: pod(**spec),
        "node": lambda: "worker",
    }
    return cast(Site, SimpleNamespace(**found))


def test_own_cluster_is_read() -> None:
    terms = read_terms(
        site("--node-monitor-grace-period=1m10s", terminationGracePeriodSeconds=7), returns=True
    )
    assert (terms.monitor_grace, terms.renewal, terms.termination) == (70, 15, 7)
    assert terms.monitor_source == "read from kube-controller-manager's static pod"
    assert (terms.lease, terms.grace) == (LEASE_SECONDS, GRACE_SECONDS)
    assert terms.returns


def test_setting_that_nobody_set_is_assumed() -> None:
    terms = read_terms(site(), returns=False)
    assert terms.monitor_grace == 50
    assert terms.monitor_source.startswith("not set in")


def test_cluster_of_others_is_asked_for_the_pod_only() -> None:
    others = site(own=False)
    terms = read_terms(others, returns=False)
    assert cast(FakeKube, others.kube).verbs == []
    assert (terms.lease, terms.grace, terms.termination) == (None, None, 30)
    assert terms.monitor_source == "assumed: Kubernetes' default"


@pytest.mark.parametrize(
    ("text", "number"), [("50s", 50), ("1m30s", 90), ("1h", 3600), ("1.5s", 1.5), ("500ms", 0.5)]
)
def test_duration(text: str, number: float) -> None:
    assert seconds(text) == number


UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("tolerations", "tolerated"),
    [
        (None, 300),
        ([UNREACHABLE | {"tolerationSeconds": 5}], 5),
        ([UNREACHABLE], None),
        ([{"key": "node.kubernetes.io/not-ready", "tolerationSeconds": 1}], 300),
        ([{"operator": "Exists"}], None),
        ([UNREACHABLE | {"effect": "NoSchedule"}], 300),
    ],
)
def test_pod_tolerates_an_unreachable_node(
    tolerations: list[Object] | None, tolerated: float | None
) -> None:
    assert toleration(pod(tolerations=tolerations)) == tolerated


@pytest.mark.parametrize(
    ("probe", "found"),
    [(None, 0), ({}, 0), ({"periodSeconds": 3}, 3), ({"initialDelaySeconds": 15, "x": 1}, 25)],
)
def test_readiness_probe_of_mysqls_container(probe: Object | None, found: float) -> None:
    beside = {"name": "hand", "readinessProbe": {"periodSeconds": 99}}
    mysql = {"name": "mysql", "readinessProbe": probe}
    assert readiness(pod(containers=[beside, mysql])) == found
