"""Pods that a run keeps from starting on purpose."""

from typing import Any

import pytest
from fakes import FakeKube, refusal

from fixtures.obstruction import OBSTACLES, obstructing
from landfast.kube.client import KubeError


def pod() -> dict[str, Any]:
    meta = {"name": "user", "namespace": "ns"}
    return {"kind": "Pod", "metadata": meta, "spec": {"containers": [{"image": "busybox"}]}}


def deployment() -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"image": "busybox"}]}}}
    return {"kind": "Deployment", "metadata": {"name": "user", "namespace": "ns"}, "spec": spec}


@pytest.mark.parametrize("how", ["unschedulable", "unpullable"])
def test_pods_and_what_makes_pods_are_obstructed(how: str) -> None:
    kube = FakeKube()
    with obstructing(kube, OBSTACLES[how]):
        bare = kube.create(pod())["spec"]
        made = kube.create(deployment())["spec"]["template"]["spec"]
    assert bare == made
    assert bare != pod()["spec"]
    assert kube.create({**pod(), "metadata": {"name": "free"}})["spec"] == pod()["spec"]


@pytest.fixture
def kube() -> FakeKube:
    """A cluster that enforces quotas, but not those of the first look."""
    kube, looks = FakeKube(), []

    def enforce(kind: str, _name: str) -> None:
        if kind == "Pod" and any(of == "ResourceQuota" for of, _, _ in kube.objects):
            looks.append(kind)
            if len(looks) > 1:
                raise refusal(403, 'pods "user" is forbidden: exceeded quota')

    kube.before["create"] = enforce
    return kube


def test_a_quota_is_enforced_before_the_first_pod_and_removed_at_the_end(kube: FakeKube) -> None:
    with obstructing(kube, OBSTACLES["over-quota"]):
        kube.create({"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "ns"}})
        assert kube.list("ResourceQuota") == []
        with pytest.raises(KubeError, match="exceeded quota"):
            kube.create(pod())
        kube.create(deployment())
        (quota,) = kube.list("ResourceQuota", "ns")
        assert quota["spec"]["hard"] == {"pods": "0"}
    assert kube.list("ResourceQuota") == []


def test_dry_runs_are_left_alone(kube: FakeKube) -> None:
    with obstructing(kube, OBSTACLES["over-quota"]):
        kube.create(pod(), dry_run=True)
        assert kube.list("ResourceQuota") == []
