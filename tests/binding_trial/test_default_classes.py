"""Default classes of a cluster: taken away for a while, and given back exactly, come what may."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from landfast import paths
from landfast.errors import LandfastError
from landfast.kube import Kube, KubeError, Object
from landfast.kube.default_classes import (
    default_classes,
    no_default_classes,
    restore_default_classes,
)
from landfast.run import RUN_LABEL, default_classes_file

GA = "storageclass.kubernetes.io/is-default-class"
BETA = "storageclass.beta.kubernetes.io/is-default-class"


class Refused:
    def __init__(self, status: int) -> None:
        self.status, self.reason, self.body = status, "Refused", None


class Cluster(Kube):
    """A cluster that has nothing but StorageClasses."""

    def __init__(self, *classes: Object) -> None:
        self.classes = {obj["metadata"]["name"]: obj for obj in classes}
        self.refuses_from = 1000
        self.patches = 0

    def list(self, kind: str, namespace: str | None = None, **_: Any) -> Any:
        return copy.deepcopy([*self.classes.values()])

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object:
        if name not in self.classes:
            raise KubeError(f"get {name}", Refused(404))
        return self.classes[name]

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> Object:
        there = self.get(kind, name)
        self.patches += 1
        if self.patches > self.refuses_from:
            raise KubeError(f"patch {name}", Refused(500))
        annotations = there["metadata"].setdefault("annotations", {})
        for key, value in body["metadata"]["annotations"].items():
            if value is None:
                annotations.pop(key, None)
            else:
                annotations[key] = value
        return there

    def delete(self, kind: str, name: str, namespace: str | None = None, **_: Any) -> bool:
        return self.classes.pop(name, None) is not None

    @property
    def annotations(self) -> dict[str, dict[str, str]]:
        return {n: dict(o["metadata"].get("annotations") or {}) for n, o in self.classes.items()}


def storage_class(name: str, created: str = "2026-01-01T00:00:00Z", **marks: str) -> Object:
    known = {"ga": GA, "beta": BETA}
    annotations = {known.get(key, f"example.com/{key}"): value for key, value in marks.items()}
    meta = {"name": name, "creationTimestamp": created, "annotations": annotations, "labels": {}}
    return {"kind": "StorageClass", "metadata": meta}


@pytest.fixture
def cluster() -> Cluster:
    bare = storage_class("bare")
    del bare["metadata"]["annotations"]
    return Cluster(
        storage_class("both", ga="true", beta="true", owner="them"),
        storage_class("odd", ga="false", beta="true"),
        storage_class("plain", ga="true"),
        storage_class("not-one", ga="false", owner="them"),
        storage_class("wrong-case", ga="True"),
        bare,
    )


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that holds the marks of run r1."""
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    default_classes_file("r1").parent.mkdir(parents=True)
    return default_classes_file("r1")


def test_the_newest_counts_then_the_first_by_name() -> None:
    later = "2026-01-01T00:00:01Z"
    cluster = Cluster(
        storage_class("a", ga="true"),
        storage_class("c", later, ga="true"),
        storage_class("b", later, beta="true"),
    )
    assert [c["metadata"]["name"] for c in default_classes(cluster)] == ["b", "c", "a"]


def test_nothing_is_a_default_class_meanwhile_and_all_is_as_before_afterwards(
    cluster: Cluster, file: Path
) -> None:
    before = cluster.annotations
    with no_default_classes(cluster, "r1"):
        assert default_classes(cluster) == []
        assert cluster.annotations["both"] == {"example.com/owner": "them"}
        assert cluster.annotations["not-one"] == before["not-one"]
    assert cluster.annotations == before
    assert not file.exists()


def test_what_they_had_is_on_disk_before_the_first_change(cluster: Cluster, file: Path) -> None:
    cluster.refuses_from = 0
    with pytest.raises(KubeError), no_default_classes(cluster, "r1"):
        pass
    assert json.loads(file.read_text()) == {
        "both": {GA: "true", BETA: "true"},
        "odd": {GA: "false", BETA: "true"},
        "plain": {GA: "true"},
    }


@pytest.mark.parametrize("changed", range(4))
def test_a_run_that_died_after_any_change_is_put_right(
    cluster: Cluster, file: Path, changed: int
) -> None:
    before = cluster.annotations
    cluster.refuses_from = changed  # the run dies in its changes, and cannot restore anything
    with pytest.raises(KubeError), no_default_classes(cluster, "r1"):
        cluster.refuses_from = cluster.patches
    cluster.refuses_from = 1000
    restore_default_classes(cluster, "r1")
    assert cluster.annotations == before
    assert not file.exists()


def test_the_next_test_restores_what_a_killed_one_took(cluster: Cluster) -> None:
    before = cluster.annotations
    manager = no_default_classes(cluster, "r1")
    manager.__enter__()  # and it is killed
    with no_default_classes(cluster, "r1"):
        assert default_classes(cluster) == []
    assert cluster.annotations == before


def test_a_killed_tests_own_default_classes_go(cluster: Cluster) -> None:
    before = cluster.annotations
    manager = no_default_classes(cluster, "r1")
    manager.__enter__()  # and it is killed
    for name, run in (("mine", "r1"), ("anothers", "r2")):
        cluster.classes[name] = storage_class(name, ga="true")
        cluster.classes[name]["metadata"]["labels"] = {RUN_LABEL: run}
    restore_default_classes(cluster, "r1")
    assert cluster.annotations == before | {"anothers": {GA: "true"}}


def test_a_class_that_is_gone_stays_gone(cluster: Cluster, file: Path) -> None:
    with no_default_classes(cluster, "r1"):
        del cluster.classes["odd"]
    assert "odd" not in cluster.annotations
    assert cluster.annotations["plain"] == {GA: "true"}
    assert not file.exists()


def test_a_record_that_cannot_be_read_is_named(cluster: Cluster, file: Path) -> None:
    file.write_text("{")
    with pytest.raises(LandfastError, match="default-classes.json, which lists"):
        restore_default_classes(cluster, "r1")
