"""Evidence is taken where things are broken: that must not break the run."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from fakes import FakeEngine, FakeFencedKube, FakeKube, refusal, result
from urllib3.exceptions import MaxRetryError

from landfast.cluster.base import Cluster
from landfast.environment import Environment
from landfast.evidence import collect
from landfast.images import Images
from landfast.kube.client import Kube, Object
from landfast.nfs.export import Export
from landfast.run import RUN_LABEL

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""


def test_a_cluster_that_is_gone_gives_evidence_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> list[Object]:
        raise MaxRetryError(None, "/api", ConnectionRefusedError("refused"))  # type: ignore[arg-type]

    monkeypatch.setattr(Kube, "list", refuse)
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    env = Environment(
        run_id="r",
        cluster=Cluster(
            provider="kind", name="c", kubeconfig=tmp_path / "kubeconfig", context="c", nodes=("n",)
        ),
        export=Export(server="10.0.0.1", path="/", kind="external"),
        images=Images("kit", *["none"] * 6),
        nfs_client="fuse",
        engine=None,
    )
    pieces = dict(collect(env, []))
    assert pieces
    for text in pieces.values():
        assert text.startswith("could not be collected: ")


def obj(kind: str, name: str, namespace: str | None = "ns", **fields: Any) -> Object:
    meta = {"name": name, "managedFields": [{}]} | ({"namespace": namespace} if namespace else {})
    return {"kind": kind, "metadata": meta, **fields}


EVENT = obj(
    "Event",
    "e",
    type="Warning",
    reason="FailedMount",
    message="access denied",
    involvedObject={"kind": "Pod", "name": "mysql-0"},
    lastTimestamp="2026-01-01T00:00:00Z",
)
MOUNTS = """overlay / overlay rw 0 0
10.0.0.5:/share /var/lib/kubelet/pods/u/volumes/kubernetes.io~nfs/pv nfs4 rw 0 0
tmpfs /run tmpfs rw 0 0
"""


@pytest.fixture
def kube() -> FakeKube:
    pods = [obj("Pod", "mysql-0"), obj("Pod", "gone"), obj("Pod", "theirs", "other")]
    volumes = [obj("PersistentVolume", "pv", None), obj("StorageClass", "nfs-ssd", None)]
    kube = FakeKube(*pods, EVENT, obj("PersistentVolumeClaim", "data"), *volumes)
    kube.log = "InnoDB: ready"

    def refuse(_kind: str, name: str) -> None:
        if name == "gone":
            raise refusal(404, 'pods "gone" not found')

    kube.before["logs"] = refuse
    return kube


def evidence(kube: FakeKube, engine: FakeEngine | None) -> dict[str, str]:
    inspector = SimpleNamespace(list=lambda top, depth: {"f": f"{top}: files of depth {depth}"})
    cluster = SimpleNamespace(kube=kube, nodes=("n1", "n2"))
    env: Any = SimpleNamespace(
        cluster=cluster,
        subtree="mine",
        inspector=inspector,
        engine=engine,
        export=Export(server="h", path="/p", kind="external"),
    )
    stack: Any = SimpleNamespace(namespace="ns", system_namespace="ns", storage_class="judged")
    return dict(collect(env, [stack]))


def test_everything_that_could_explain_a_failure_is_kept(kube: FakeKube) -> None:
    engine = FakeEngine()
    engine.answer("execute", with_=result(MOUNTS))
    found = evidence(kube, engine)
    said = " ".join(found["events in ns"].split())
    assert said == "2026-01-01T00:00:00Z Warning FailedMount Pod/mysql-0: access denied"
    objects = list(yaml.safe_load_all(found["objects in ns"]))
    assert [o["metadata"]["name"] for o in objects] == ["mysql-0", "gone", "data"]
    assert "managedFields" not in found["objects in ns"]
    assert found["export, from the server"] == "mine: files of depth 3"
    assert "name: nfs-ssd" in found["PVs and StorageClasses"]
    for node in ("n1", "n2"):
        assert found[f"mounts of {node}"] == MOUNTS.splitlines()[1]


def test_a_log_that_cannot_be_had_costs_only_itself(kube: FakeKube) -> None:
    logs = evidence(kube, FakeEngine())["pod logs in ns"].splitlines()
    assert logs[:3] == ["--- mysql-0", "InnoDB: ready", "--- gone"]
    assert "could not be collected: " in logs[3]


def test_on_a_cluster_of_others_it_holds_the_runs_own_objects_and_the_judged_class() -> None:
    def mine(kind: str, name: str) -> Object:
        return {"kind": kind, "metadata": {"name": name, "labels": {RUN_LABEL: "r1"}}}

    there = [
        *(mine(kind, "own") for kind in ("PersistentVolume", "StorageClass")),
        *(obj(kind, "theirs", None) for kind in ("PersistentVolume", "StorageClass")),
        *(obj(kind, "judged", None) for kind in ("PersistentVolume", "StorageClass")),
    ]
    found = evidence(FakeFencedKube("r1", *there), None)["PVs and StorageClasses"]
    seen = [(o["kind"], o["metadata"]["name"]) for o in yaml.safe_load_all(found)]
    own = [("PersistentVolume", "own"), ("StorageClass", "own")]
    assert seen == [*own, ("StorageClass", "judged")]


def test_nodes_of_an_existing_cluster_are_not_entered(kube: FakeKube) -> None:
    assert not [title for title in evidence(kube, None) if title.startswith("mounts")]
