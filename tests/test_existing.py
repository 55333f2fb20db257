"""An existing cluster: which names are taken, what is announced, which rights are needed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from fakes import FakeFencedKube, refusal

from landfast import paths, process
from landfast.cluster import base, existing, existing_plan
from landfast.cluster.rights import FULL, OF_CLASS, ROLES, manifest, missing
from landfast.errors import BadInput
from landfast.image_names import LANDFAST_IMAGE
from landfast.images import Images
from landfast.kube import Object
from landfast.kube.kubeconfig import kubeconfig_path
from landfast.manifests import Overlay, reference_objects
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.nfs.inspector import Entry, ExportInspector
from landfast.run import RUN_LABEL
from landfast.settings import load_settings

RUN = "1123-200000-9f3a"
OWN = f"landfast-{RUN}"
IMAGES = Images("registry", "", "", "r/prov:1", "r/db:1", "r/box:1", "r/rec:1")
OVERLAY = Overlay(
    Export(server="10.9.8.7", path="/srv", kind="external"), IMAGES, RUN, OWN, namespace=OWN
)


def obj(kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    labels = fields.pop("labels", {})
    meta = {"name": name, "labels": labels} | ({"namespace": namespace} if namespace else {})
    return {"kind": kind, "metadata": meta | fields.pop("metadata", {}), **fields}


def volume(name: str, storage_class: str = "", **metadata: Any) -> Object:
    spec = {"storageClassName": storage_class, "claimRef": {"namespace": OWN, "name": "c"}}
    return obj("PersistentVolume", name, spec=spec, metadata=metadata)


def taken(*there: Object) -> list[str]:
    return existing_plan.taken(reference_objects(OVERLAY), there)


class TestTakenNames:
    def test_nothing_is_taken_on_an_empty_cluster(self) -> None:
        assert taken(obj("Namespace", "default"), obj("StorageClass", "standard")) == []

    @pytest.mark.parametrize(
        ("there", "expected"),
        [
            (obj("Namespace", "nfs-system"), "Namespace nfs-system"),
            (obj("StorageClass", "nfs-ssd"), "StorageClass nfs-ssd"),
            (volume("nfs-pv"), "PersistentVolume nfs-pv"),
            (
                obj("ClusterRole", "nfs-client-provisioner-runner"),
                "ClusterRole nfs-client-provisioner-runner",
            ),
            (volume("theirs", "nfs-ssd"), "PersistentVolume theirs (of class nfs-ssd)"),
            (
                obj("PersistentVolumeClaim", "c", "shop", spec={"storageClassName": "nfs-ssd"}),
                "PersistentVolumeClaim c (of class nfs-ssd)",
            ),
            (
                obj("StorageClass", "slow", provisioner="nfs-client"),
                "StorageClass slow (of provisioner nfs-client)",
            ),
        ],
    )
    def test_names_classes_and_provisioners_of_others_are_seen(
        self, there: Object, expected: str
    ) -> None:
        assert taken(there) == [expected]

    def test_names_inside_namespaces_are_free(self) -> None:
        assert taken(obj("Service", "mysql-service", "default")) == []


def plan(*names: str) -> existing_plan.Plan:
    cluster = base.Cluster(
        provider="existing", name="c", kubeconfig=Path("k"), context="staging", nodes=("n",)
    )
    suffix = "-9f3a" if names else ""
    return existing_plan.Plan(cluster, replace(OVERLAY, suffix=suffix), list(names))


class TestPlan:
    def test_it_names_namespaces_cluster_objects_and_folder(self) -> None:
        text = str(plan())
        for said in (
            "staging",
            f"{RUN_LABEL}={RUN}",
            f"{OWN}, nfs-system;",
            "StorageClass nfs-ssd,",
            "PersistentVolume nfs-pv-data-mysql,",
            f"PersistentVolume {OWN}-inspector",
            f"10.9.8.7:/srv/{OWN}",
        ):
            assert said in text
        assert plan().note == ""

    def test_taken_names_are_avoided_and_named(self) -> None:
        text = str(plan("StorageClass nfs-ssd"))
        assert "are taken on this cluster by: StorageClass nfs-ssd." in text
        assert f"{OWN}, nfs-system-9f3a;" in text
        assert "StorageClass nfs-ssd-9f3a," in text


class TestRights:
    def test_an_administrator_is_asked_for_nothing_more(self) -> None:
        asked: list[Object] = []
        assert missing(answering(asked, lambda _: True), FULL) == []
        assert len(asked) == 1

    def test_every_missing_right_is_named(self) -> None:
        denied = missing(
            answering([], lambda a: a["resource"] != "*" and a["subresource"] != "exec"), OF_CLASS
        )
        assert denied == ["create pods/exec", "get pods/exec"]

    def test_a_class_is_judged_with_less_than_everything(self) -> None:
        for (group, resources), verbs in OF_CLASS.items():
            for resource in resources.split():
                granted = {
                    verb
                    for (other, names), these in FULL.items()
                    for verb in these.split()
                    if other == group and resource in names.split()
                }
                assert set(verbs.split()) <= granted, resource

    @pytest.mark.parametrize("name", ROLES)
    def test_documented_role_is_the_one_that_is_checked(self, name: str) -> None:
        file = paths.PROJECT / "docs" / "roles" / f"{name}.yaml"
        assert file.read_text() == manifest(name), f"python -m landfast.cluster.rights {name}"


def answering(asked: list[Object], allowed: Callable[[Object], bool]) -> Any:
    class Server:
        def create(self, review: Object) -> Object:
            attributes = review["spec"]["resourceAttributes"]
            asked.append(attributes)
            return {"status": {"allowed": allowed(attributes)}}

    return Server()


class TestOwner:
    """Consent names the cluster, not the context: what one owns is the cluster."""

    @pytest.fixture
    def kubeconfig(self, tmp_path: Path) -> Path:
        file = tmp_path / "config"
        context = {"name": "staging", "context": {"cluster": "acme-7", "user": "me"}}
        clusters = [{"name": "acme-7", "cluster": {"server": "https://127.0.0.1:1"}}]
        users: list[Object] = [{"name": "me", "user": {}}]
        config = {"contexts": [context], "clusters": clusters, "users": users}
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}))
        return file

    def test_the_right_name_is_consent_and_none_is_none(self, kubeconfig: Path) -> None:
        assert existing.check_owner(kubeconfig, "staging", "acme-7")
        assert not existing.check_owner(kubeconfig, "staging", None)

    def test_another_name_is_told_the_right_one(self, kubeconfig: Path) -> None:
        with pytest.raises(BadInput, match="the cluster of --context staging is acme-7; repeat"):
            existing.check_owner(kubeconfig, "staging", "staging")

    def test_in_a_pod_it_is_the_contexts_name(self, tmp_path: Path) -> None:
        assert existing.check_owner(tmp_path, "in-cluster", "in-cluster")


class TestConnect:
    """An existing cluster is refused before anything is made on it, in one sentence."""

    @pytest.fixture
    def server(self, monkeypatch: pytest.MonkeyPatch) -> FakeFencedKube:
        server = FakeFencedKube(RUN)
        monkeypatch.setattr(existing, "fenced", lambda *_, **__: server)
        monkeypatch.setattr(existing, "check_context", lambda *_: None)
        return server

    @pytest.mark.parametrize(
        ("version", "denied", "said"),
        [
            ("v1.24.9", [], r"is Kubernetes v1\.24\.9: Landfast needs v\d\.\d+ or newer$"),
            ("v1.37.0", ["pods/exec"], "may not .*pods/exec.*, which a run needs$"),
            ("v1.37.0", ["namespaces", "pods"], "may not .* more that a run needs$"),
            ("v1.37.0", [], None),
        ],
        ids=["too old", "a right", "many rights", "fits"],
    )
    def test_one_that_is_too_old_or_grants_too_little_is_refused(
        self,
        server: FakeFencedKube,
        monkeypatch: pytest.MonkeyPatch,
        version: str,
        denied: list[str],
        said: str | None,
    ) -> None:
        def allowed(asked: Object) -> bool:
            name = "/".join(filter(None, (asked["resource"], asked["subresource"])))
            return name not in denied and (name != "*" or not denied)

        reviews = answering([], allowed)
        monkeypatch.setattr(server, "server_version", lambda: version)
        monkeypatch.setattr(server, "create", reviews.create)
        if said is None:
            assert existing.connect(Path("k"), "staging", RUN) is server
        else:
            with pytest.raises(BadInput, match=said):
                existing.connect(Path("k"), "staging", RUN)

    def test_one_that_does_not_answer_reviews_is_refused(
        self, server: FakeFencedKube, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: Object) -> None:
            raise refusal(403, "reviews are forbidden")

        monkeypatch.setattr(server, "create", refuse)
        with pytest.raises(BadInput, match="API server fake refuses: reviews are forbidden"):
            existing.connect(Path("k"), "staging", RUN)


class TestKubeconfig:
    def test_flag_wins_over_variable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("a", "b", "c"):
            (tmp_path / name).write_text(f"contexts: [{{name: {name}}}]")
        monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'b'}:{tmp_path / 'c'}")
        assert kubeconfig_path(tmp_path / "a", "x") == tmp_path / "a"
        with pytest.raises(BadInput, match="is not in .*, which has: b, c$"):
            existing.connect(kubeconfig_path(None, "nope"), "nope", RUN)

    def test_missing_file_is_bad_input(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput, match="there is no such file"):
            kubeconfig_path(tmp_path / "none", "x")

    @pytest.mark.parametrize("content", ["][", "text", "contexts: [1]", "", "contexts: 3"])
    def test_unreadable_file_is_bad_input(self, content: str, tmp_path: Path) -> None:
        (tmp_path / "config").write_text(content)
        with pytest.raises(BadInput, match="is not a readable kubeconfig"):
            existing.connect(tmp_path / "config", "staging", RUN)


@pytest.mark.parametrize(
    ("text", "version"),
    [("v1.37.2", (1, 37)), ("v1.30.1-eks-0a", (1, 30)), ("v2.0.0", (2, 0)), ("odd", (0, 0))],
)
def test_version_of_a_server(text: str, version: tuple[int, int]) -> None:
    assert existing.version_of(text) == version


def node(*names: str) -> Object:
    return {"status": {"images": [{"names": [f"docker.io/landfast/{name}"]} for name in names]}}


class TestKitImages:
    BAKED = ("busybox:1", "mysql:2", "nfs-provisioner:3")

    def test_they_are_those_that_all_nodes_have(self) -> None:
        images = existing_plan.images_on(
            [node(*self.BAKED), node(*self.BAKED, "mysql:9")], "v1.37.0"
        )
        assert (images.source, images.mysql) == ("kit", "landfast/mysql:2")
        assert set(images.all()) == {"provisioner", "mysql", "busybox", "recycler"}

    def test_a_missing_one_is_bad_input(self) -> None:
        with pytest.raises(BadInput, match="do not have the kit's mysql"):
            existing_plan.images_on(
                [node(*self.BAKED), node("busybox:1", "nfs-provisioner:3")], "v1.37.0"
            )
        with pytest.raises(BadInput, match="do not have"):
            existing_plan.images_on([], "v1.37.0")


class TestInspectorPod:
    def test_pvc_and_pv_are_bound_to_each_other_alone(self) -> None:
        pv, pvc, pod = inspector_pod.objects(OVERLAY.export, OWN, "box", RUN)
        assert pvc["spec"]["volumeName"] == pv["metadata"]["name"]
        assert pv["spec"]["claimRef"]["namespace"] == pod["metadata"]["namespace"] == OWN
        assert pv["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
        assert all(o["metadata"]["labels"] == {RUN_LABEL: RUN} for o in (pv, pvc, pod))

    def test_the_error_of_a_mount_is_what_mount_said(self) -> None:
        message = (
            "MountVolume.SetUp failed: exit status 32\nOutput: mount.nfs: No route\n to host\n"
        )
        assert inspector_pod.mount_error(message) == "mount.nfs: No route; to host"
        assert inspector_pod.mount_error("odd") == "odd"


class TestFolder:
    def test_export_that_cannot_be_written_is_bad_input(self) -> None:
        def execute(argv: object) -> str:
            raise BadInput("Read-only file system")

        inspector = ExportInspector(execute, PurePosixPath("/export"), "here", own=OWN)
        with pytest.raises(BadInput, match="10.9.8.7:/srv cannot be written: Read-only"):
            existing.make_folder(inspector, OVERLAY)

    @pytest.mark.parametrize("squashed", [False, True])
    def test_root_squash_is_noted_for_the_report(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, squashed: bool
    ) -> None:
        def execute(argv: Sequence[str]) -> str:
            return process.run(argv, timeout=20).stdout

        stat = ExportInspector.stat

        def seen(self: ExportInspector, path: str) -> Entry | None:
            entry = stat(self, path)
            return entry and replace(entry, uid=65534 if squashed else 0)

        monkeypatch.setattr(ExportInspector, "stat", seen)
        inspector = ExportInspector(execute, PurePosixPath(tmp_path), "here", own=OWN)
        notes = existing.make_folder(inspector, OVERLAY)
        assert [note.partition(" (root_squash)")[1] for note in notes] == (
            [" (root_squash)"] if squashed else []
        )
        assert list(inspector.list()) == [OVERLAY.subtree], "the probe is removed"


@pytest.mark.parametrize("images", ["auto", "registry"])
def test_the_cluster_pulls_by_the_mirrors_own_names(images: str) -> None:
    settings = load_settings(
        {
            "cluster": "existing",
            "context": "staging",
            "nfs_server": "10.9.8.7:/srv",
            "images": images,
            "registry": "mirror.example:5000/hub",
            "mysql_image": "mysql:8.0",
        }
    )
    found = existing_plan.registry_images(settings, "v1.28.3")
    assert found.mysql == "mirror.example:5000/hub/library/mysql:8.0"
    assert found.recycler == "registry.k8s.io/debian-base:v2.0.0", "what 1.28 asks for by itself"
    assert (found.node, found.nfs_server) == ("", "")


def test_the_cluster_is_asked_for_tags_because_loaded_images_have_no_other_name() -> None:
    given = {"cluster": "existing", "context": "staging", "nfs_server": "10.9.8.7:/srv"}
    image = "mysql:8.0@sha256:" + "1" * 64
    found = existing_plan.registry_images(load_settings({**given, "mysql_image": image}), "v1.37.0")
    assert "@" not in found.busybox + found.provisioner
    assert found.mysql.endswith("1" * 64), "the user's own choice stays as it is"


def test_landfasts_own_image_is_for_writers_in_pods_alone() -> None:
    place = {"cluster": "existing", "context": "staging", "storage_class": "fast"}
    mirror = {**place, "registry": "mirror.example:5000"}
    writers = {"writers": "64", "writer_pods": "8"}
    own = {"writer_image": "own.example/landfast:1"}
    found = [
        existing_plan.registry_images(load_settings({**mirror, **more}), "v1.37.0").landfast
        for more in ({}, own, writers, {**writers, **own})
    ]
    assert found == ["", "", f"mirror.example:5000/{LANDFAST_IMAGE}", "own.example/landfast:1"]
    baked = [node(*TestKitImages.BAKED)]
    kit = load_settings({**place, **writers, "images": "kit"})
    assert existing_plan._images(kit, baked, "v1.37.0").landfast == LANDFAST_IMAGE
