"""What removal does to data: PVs are retained first, and nothing of others is touched."""

import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeFencedKube, FakeKube, refusal

from landfast.cluster.existing_removal import remove
from landfast.errors import LandfastError
from landfast.images import Images
from landfast.kube import Object
from landfast.kube.removal import wait_gone
from landfast.manifests import Overlay
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.run import RUN_LABEL
from landfast.stack import Stack, temporary_stack
from landfast.waiting import WaitTimeout

RUN = "1123-200000-9f3a"
OWN = f"landfast-{RUN}"
EXPORT = Export(server="10.9.8.7", path="/srv", kind="external")
IMAGES = Images("kit", "", "", "prov:1", "db:1", "box:1", "rec:1")
MADE = {"pv.kubernetes.io/provisioned-by": "nfs-client"}
CLASS = "nfs-ssd"


def obj(kind: str, name: str, namespace: str | None = None, **fields: Any) -> Object:
    meta = {"name": name, "labels": fields.pop("labels", {}), **fields.pop("metadata", {})}
    if namespace:
        meta["namespace"] = namespace
    return {"kind": kind, "metadata": meta, **fields}


def pv(name: str, policy: str, pvc: str, of_class: str = "", **metadata: Any) -> Object:
    namespace, _, claim = pvc.partition("/")
    spec = {
        "persistentVolumeReclaimPolicy": policy,
        "storageClassName": of_class,
        "claimRef": {"namespace": namespace, "name": claim},
    }
    return obj("PersistentVolume", name, spec=spec, metadata=metadata)


def reclaiming(kube: FakeKube) -> list[str]:
    """Reclaim as a controller would: return the PVs whose data goes with their PVCs."""
    lost: list[str] = []

    def reclaim(kind: str, name: str) -> None:
        for there in kube.list("PersistentVolume") if kind == "PersistentVolumeClaim" else []:
            spec = there["spec"]
            if (
                spec["claimRef"]["name"] == name
                and spec["persistentVolumeReclaimPolicy"] != "Retain"
            ):
                lost.append(there["metadata"]["name"])

    kube.before["delete"] = reclaim
    return lost


def names(kube: FakeKube) -> set[str]:
    return {f"{kind} {name}" for kind, _, name in kube.objects}


# --- a stack


def stack_of(
    kube: FakeKube,
    root: Path,
    *,
    subtree: str = "",
    suffix: str = "",
    storage_class: str | None = None,
) -> Stack:
    def execute(argv: Sequence[str]) -> str:
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    inspector = ExportInspector(execute, PurePosixPath(root), "here")
    env: Any = SimpleNamespace(
        cluster=SimpleNamespace(kube=kube), inspector=inspector, subtree="", run_id=RUN
    )
    namespace = f"landfast{suffix}" if suffix else "default"
    overlay = Overlay(EXPORT, IMAGES, RUN, subtree, suffix, namespace, storage_class=storage_class)
    return Stack(env, overlay)


def stack_objects(stack: Stack) -> list[Object]:
    labels, space = stack.overlay.labels, stack.namespace
    return [
        obj("StatefulSet", "mysql", space, labels=labels),
        obj("Pod", "mysql-0", space, labels=labels),
        obj("PersistentVolumeClaim", "nfs-pvc", space, labels=labels),
        obj("PersistentVolumeClaim", "data-mysql-0", space, labels=labels),
        pv("nfs-pv", "Recycle", f"{space}/nfs-pvc", labels=labels),
        pv("nfs-pv-data", "Delete", f"{space}/data-mysql-0", labels=labels),
        pv("pvc-1", "Retain", f"{space}/gone", stack.storage_class, annotations=MADE),
        obj("StorageClass", stack.storage_class, labels=labels),
        obj("ClusterRole", f"runner{stack.overlay.suffix}", labels=labels),
    ]


OTHERS = [
    obj("Namespace", "shop", labels={RUN_LABEL: "another"}),
    obj("PersistentVolumeClaim", "nfs-pvc", "shop", labels={RUN_LABEL: "another"}),
    obj("Pod", "mysql-0", "shop"),
    pv("theirs", "Delete", "shop/data", "fast"),
    pv("of-another-stack", "Retain", "x/y", "nfs-ssd-other", labels={RUN_LABEL: RUN}),
    obj("StorageClass", "fast", metadata={"labels": None}),
    obj("StorageClass", "nfs-ssd-other", labels={RUN_LABEL: RUN, "landfast/stack": "other"}),
]
THEIR_NAMES = {f"{there['kind']} {there['metadata']['name']}" for there in OTHERS}


class TestStack:
    def test_no_data_is_reclaimed_when_its_pvcs_go(self, tmp_path: Path) -> None:
        kube = FakeKube()
        stack = stack_of(kube, tmp_path)
        for there in stack_objects(stack):
            kube.put(there)
        lost = reclaiming(kube)
        stack.remove()
        assert lost == [], "Recycle scrubs the whole export, Delete removes it"
        assert ("patch", "PersistentVolume", "nfs-pv") in kube.verbs
        assert ("patch", "PersistentVolume", "pvc-1") not in kube.verbs

    @pytest.mark.parametrize("policy", ["Delete", "Retain"])
    def test_of_a_class_of_others_only_its_own_volumes_go(
        self, policy: str, tmp_path: Path
    ) -> None:
        kube = FakeKube(*OTHERS)
        before = {key: dict(there) for key, there in kube.objects.items()}
        stack = stack_of(kube, tmp_path, suffix="-t1", storage_class="fast")
        space = stack.namespace
        pvc = obj("PersistentVolumeClaim", "data", space, labels=stack.overlay.labels)
        kube.put(pvc)
        kube.put(pv("pvc-2", policy, f"{space}/data", "fast", annotations=MADE))

        def reclaim(kind: str, name: str) -> None:  # as the class's own provisioner
            if (kind, name, policy) == ("PersistentVolumeClaim", "data", "Delete"):
                del kube.objects["PersistentVolume", None, "pvc-2"]

        kube.before["delete"] = reclaim
        stack.remove()
        assert kube.objects == before
        deleted = ("delete", "PersistentVolume", "pvc-2") in kube.verbs
        assert deleted is (policy == "Retain"), "deleted before its provisioner could reclaim it"

    def test_it_removes_its_own_and_nothing_else(self, tmp_path: Path) -> None:
        kube = FakeKube(*OTHERS)
        before = {key: dict(there) for key, there in kube.objects.items()}
        stack = stack_of(kube, tmp_path)
        for there in stack_objects(stack):
            kube.put(there)
        stack.remove()
        assert kube.objects == before

    def test_the_provisioner_goes_after_the_pvcs(self, tmp_path: Path) -> None:
        kube = FakeKube()
        stack = stack_of(kube, tmp_path)
        labels = stack.overlay.labels
        kube.put(obj("Deployment", "prov", "nfs-system", labels=labels))
        kube.put(obj("PersistentVolumeClaim", "c", "default", labels=labels))
        stack.remove()
        deleted = [kind for verb, kind, _ in kube.verbs if verb == "delete"]
        assert deleted == ["PersistentVolumeClaim", "Deployment"]

    def test_on_the_export_the_reference_removes_only_what_it_made(self, tmp_path: Path) -> None:
        made = ["mysql/ibdata1", "hello.txt", "default-data-pvc-1/f", "archived-default-c-pvc-2/f"]
        kept = ["precious", "t1/f", "landfast-t1-c-pvc-3/f", "archived-landfast-t1-c-pvc-4/f"]
        for name in made + kept:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        stack_of(FakeKube(), tmp_path).remove()
        assert sorted(str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file()) == (
            sorted(kept)
        )

    def test_a_throw_away_stack_removes_its_subtree_alone(self, tmp_path: Path) -> None:
        for name in ("t1/mysql", "t2/mysql", "mysql"):
            (tmp_path / name).mkdir(parents=True)
        stack_of(FakeKube(), tmp_path, subtree="t1", suffix="-t1").remove()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["mysql", "t2"]

    def test_files_stay_as_long_as_an_object_does(self, tmp_path: Path) -> None:
        (tmp_path / "mysql").mkdir()
        kube = FakeKube()
        stack = stack_of(kube, tmp_path)
        kube.put(obj("Pod", "mysql-0", "default", labels=stack.overlay.labels))

        def refuse(kind: str, name: str) -> None:
            raise refusal(403, f"{kind} {name} is locked")

        kube.before["delete"] = refuse
        with pytest.raises(LandfastError, match="Pod mysql-0 is locked"):
            stack.remove()
        assert (tmp_path / "mysql").is_dir()

    def test_a_temporary_stack_is_removed_after_an_error(self, tmp_path: Path) -> None:
        kube = FakeKube()
        stack = stack_of(kube, tmp_path)
        kube.put(obj("Pod", "mysql-0", stack.namespace, labels=stack.overlay.labels))
        with pytest.raises(ZeroDivisionError), temporary_stack(stack.env, stack.overlay):
            _ = 1 / 0
        assert kube.objects == {}

    def test_its_export_starts_at_its_subtree(self, tmp_path: Path) -> None:
        stack = stack_of(FakeKube(), tmp_path, subtree="t1", suffix="-t1")
        stack.export.make_folder("mysql")
        stack.export.write("mysql/f", "x")
        assert (tmp_path / "t1" / "mysql" / "f").read_text() == "x"
        assert list(stack.export.list()) == ["mysql", "mysql/f"]


# --- an existing cluster


def run_objects() -> list[Object]:
    ours, other = {RUN_LABEL: RUN}, f"{OWN}-t1"
    inspector = inspector_pod.volume_name(OWN)
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    return [
        obj("Namespace", OWN, labels=ours),
        obj("Namespace", other, labels=ours),
        obj("ServiceAccount", "default", OWN),
        obj("StatefulSet", "mysql", OWN),
        obj("Pod", "mysql-0", OWN),
        obj("Pod", inspector_pod.NAME, OWN, status=ready),
        obj("PersistentVolumeClaim", inspector_pod.NAME, OWN),
        obj("PersistentVolumeClaim", "data", OWN),
        obj("PersistentVolumeClaim", "dynamic", other),
        pv("nfs-pv", "Recycle", f"{OWN}/data", labels=ours),
        pv("pvc-1", "Delete", f"{other}/dynamic", CLASS, annotations=MADE),
        pv(inspector, "Retain", f"{OWN}/{inspector_pod.NAME}", labels=ours),
        obj("StorageClass", CLASS, labels=ours),
        obj("ClusterRole", "runner", labels=ours),
        obj("ClusterRoleBinding", "runner", labels=ours),
    ]


THEIRS = [
    obj("Namespace", "shop", labels={RUN_LABEL: "another"}),
    obj("Pod", "shop-0", "shop", labels={RUN_LABEL: RUN}),
    obj("PersistentVolumeClaim", "their-data", "shop"),
    pv("theirs", "Delete", "shop/their-data"),
    pv("theirs-bound-to-ours", "Recycle", f"{OWN}/no-such"),
    pv("made-for-them", "Delete", "shop/their-dynamic", annotations=MADE),
    pv("of-another-run", "Retain", "x/y", labels={RUN_LABEL: "another"}),
    obj("StorageClass", "fast"),
]


@pytest.fixture
def cluster() -> FakeFencedKube:
    kube = FakeFencedKube(RUN, *THEIRS, *run_objects())

    def collect(kind: str, name: str) -> None:
        if kind == "Namespace":  # what is in it goes with it
            kube.objects = {key: o for key, o in kube.objects.items() if key[1] != name}

    kube.before["delete"] = collect
    return kube


def remove_run(kube: FakeFencedKube) -> None:
    remove(kube, OWN, (EXPORT, OWN), "box:1")


class TestExisting:
    def test_no_data_is_reclaimed_when_its_pvcs_go(self) -> None:
        kube = FakeFencedKube(RUN, *THEIRS, *run_objects())
        lost = reclaiming(kube)
        remove_run(kube)
        assert lost == []

    def test_volume_of_a_class_of_others_is_left_to_its_provisioner(
        self, cluster: FakeFencedKube
    ) -> None:
        cluster.put(obj("PersistentVolumeClaim", "judged", f"{OWN}-t1"))
        cluster.put(pv("pvc-3", "Delete", f"{OWN}-t1/judged", "fast", annotations=MADE))
        reclaimed: list[str] = []

        def reclaim(kind: str, name: str) -> None:
            if (kind, name) == ("PersistentVolumeClaim", "judged"):
                found = cluster.objects.pop(("PersistentVolume", None, "pvc-3"))
                reclaimed.append(found["spec"]["persistentVolumeReclaimPolicy"])

        cluster.before["delete"] = reclaim
        remove_run(cluster)
        assert reclaimed == ["Delete"], "its policy was changed, so that its directory is leaked"

    def test_what_is_provisioned_meanwhile_is_retained_too(self, cluster: FakeFencedKube) -> None:
        policies: list[str] = []

        def late(kind: str, name: str) -> None:
            if (kind, name) == ("StatefulSet", "mysql"):
                cluster.put(pv("pvc-2", "Delete", f"{OWN}/late", CLASS, annotations=MADE))
            if name == "pvc-2":
                spec = cluster.objects["PersistentVolume", None, name]["spec"]
                policies.append(spec["persistentVolumeReclaimPolicy"])

        cluster.before["delete"] = late
        remove_run(cluster)
        assert policies == ["Retain"]

    def test_nothing_of_others_is_asked_to_change(self, cluster: FakeFencedKube) -> None:
        before = FakeKube(*THEIRS).objects
        remove_run(cluster)
        assert names(cluster) == {f"{kind} {name}" for kind, _, name in before}
        theirs = {there["metadata"]["name"] for there in THEIRS}
        assert not theirs & {name for _, _, name in cluster.changes()}
        for key, there in before.items():
            assert cluster.objects[key].get("spec") == there.get("spec")

    def test_the_run_s_folder_alone_is_removed_once_nothing_can_write(
        self, cluster: FakeFencedKube
    ) -> None:
        running: list[str] = []
        cluster.before["execute"] = lambda *_: running.extend(
            name for kind, space, name in cluster.objects if kind == "Pod" and space == OWN
        )
        remove_run(cluster)
        assert cluster.executed == [(inspector_pod.NAME, "rm", "-rf", f"/export/{OWN}")]
        assert running == [inspector_pod.NAME]

    def test_without_a_folder_nothing_is_run_on_the_export(self, cluster: FakeFencedKube) -> None:
        remove(cluster, OWN, None, "")
        assert cluster.executed == []
        assert f"Namespace {OWN}" not in names(cluster)

    @pytest.mark.parametrize("verb", ["patch", "delete", "execute"])
    def test_it_can_be_tried_again_after_any_refusal(
        self, cluster: FakeFencedKube, verb: str
    ) -> None:
        obeyed = cluster.before.get(verb)
        calls = iter(range(100))

        def refuse_once(kind: str, name: str) -> None:
            if next(calls) == 1 or verb == "execute":
                raise refusal(500, "etcdserver: request timed out")
            if obeyed:
                obeyed(kind, name)

        cluster.before[verb] = refuse_once
        with pytest.raises(LandfastError, match="timed"):
            remove_run(cluster)
        cluster.before.pop(verb)
        if obeyed:
            cluster.before[verb] = obeyed
        remove_run(cluster)
        assert names(cluster) == names(FakeKube(*THEIRS))


def test_what_does_not_go_is_named_with_what_holds_it() -> None:
    held = {"finalizers": ["kubernetes.io/pv-protection"]}
    kube = FakeKube(obj("PersistentVolume", "p", metadata=held))
    kube.delete("PersistentVolume", "p")
    with pytest.raises(WaitTimeout, match=r"p is being deleted, held by kubernetes.io/pv-prot"):
        wait_gone(kube, [("PersistentVolume", "p", None)], timeout=0)
