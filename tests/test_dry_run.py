"""`--plan` says what a run would make and ask for, reads, and changes nothing."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeFencedKube
from rich.console import Console

from landfast.cluster import dry_run, existing
from landfast.errors import BadInput
from landfast.kube import Object
from landfast.settings import load_settings

Plan = Callable[..., str]
BAKED = [{"names": [f"docker.io/landfast/{n}:1"]} for n in ("busybox", "mysql", "nfs-provisioner")]
NODE: Object = {
    "kind": "Node",
    "metadata": {"name": "n1", "labels": {"kubernetes.io/os": "linux"}},
    "spec": {},
    "status": {"conditions": [{"type": "Ready", "status": "True"}], "images": BAKED},
}


class Cluster(FakeFencedKube):
    """Answers reviews of rights; `denied` holds those that the user lacks."""

    denied: tuple[str, ...] = ()

    def create(self, obj: Object, *, dry_run: bool = False) -> Object:
        assert obj["kind"] == "SelfSubjectAccessReview", "the plan changes something"
        asked = obj["spec"]["resourceAttributes"]
        right = f"{asked['verb']} {asked['resource']}"
        allowed = right not in self.denied and (asked["verb"] != "*" or not self.denied)
        return {"status": {"allowed": allowed}}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    account = {"name": "default", "namespace": "team-a"}
    made = Cluster("r1", NODE, {"kind": "ServiceAccount", "metadata": account})
    monkeypatch.setattr(existing, "reach", lambda *_, **__: made)
    return made


@pytest.fixture
def plan(cluster: Cluster, tmp_path: Path) -> Plan:
    """Return a function that shows the plan of a run with some flags."""
    kubeconfig = tmp_path / "config"
    kubeconfig.touch()

    def show(out: io.StringIO | None = None, **flags: Any) -> str:
        out = out or io.StringIO()
        given = {"cluster": "existing", "context": "staging", "images": "kit", **flags}
        settings = load_settings({**given, "kubeconfig": kubeconfig})
        dry_run.show(settings, 34, Console(file=out, width=140))
        return out.getvalue()

    return show


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_class_in_namespaces_of_the_runs_own(cluster: Cluster, plan: Plan) -> None:
    text = plan(storage_class="fast")
    assert "a run of 34 tests" in text
    assert ["namespaces", "create", "delete", "get", "list", "the", "cluster", "-"] in rows(text)
    assert ["Namespace", "landfast-TEST-XXXX"] in rows(text)
    assert ["StatefulSet", "NAME", "landfast-TEST-XXXX"] in rows(text)
    assert "ClusterRole" not in text
    assert cluster.changes() == []


def test_a_guest_makes_no_namespace(cluster: Cluster, plan: Plan) -> None:
    text = plan(storage_class="fast", namespace="team-a")
    assert ["Pod", "NAME-RUN-TEST-XXXX", "team-a"] in rows(text)
    assert not [row for row in rows(text) if row[:1] in (["Namespace"], ["namespaces"])]


@pytest.mark.parametrize("where", [{}, {"namespace": "team-a"}])
def test_writers_in_pods_take_the_right_to_make_jobs(plan: Plan, where: dict[str, str]) -> None:
    text = plan(storage_class="fast", writers=16, writer_pods=2, **where)
    (row,) = [row for row in rows(text) if row[:1] == ["jobs.batch"]]
    assert row[1:5] == ["create", "delete", "get", "list"]
    assert ("team-a" in row) == bool(where)
    assert [row for row in rows(text) if row[:1] == ["Job"]]
    assert "jobs" not in plan(storage_class="fast", **where)


def test_a_namespace_must_be_there(plan: Plan) -> None:
    with pytest.raises(BadInput, match="--namespace team-b: --context staging has no such"):
        plan(storage_class="fast", namespace="team-b")


@pytest.mark.parametrize("flags", [{"node_selector": "disk=ssd"}, {}])
def test_a_cluster_without_a_node_for_pods_is_bad_input(
    cluster: Cluster, plan: Plan, flags: dict[str, str]
) -> None:
    if not flags:
        taint = {"key": "a", "effect": "NoExecute"}
        cluster.put({**NODE, "spec": {"taints": [taint]}})
        plan(storage_class="fast", toleration="a")
    with pytest.raises(BadInput, match="no node of --context staging takes pods"):
        plan(storage_class="fast", **flags)


def test_the_references_objects_are_named_exactly(cluster: Cluster, plan: Plan) -> None:
    text = plan(nfs_server="h:/p")
    assert ["StorageClass", "nfs-ssd"] in rows(text)
    assert ["Deployment", "nfs-client-provisioner", "nfs-system"] in rows(text)


def test_a_right_that_is_missing_is_shown_and_bad_input(cluster: Cluster, plan: Plan) -> None:
    cluster.denied = ("delete pods",)
    out = io.StringIO()
    with pytest.raises(BadInput, match="staging may not delete pods$"):
        plan(out, storage_class="fast")
    assert [row[-1] for row in rows(out.getvalue()) if row[:1] == ["pods"]] == ["delete"]
