"""The reference's objects: the values are the article's, and an overlay changes what it may."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast import paths
from landfast.errors import BadInput
from landfast.images import Images
from landfast.kube.client import KubeError, Object
from landfast.manifests import MANIFESTS, Overlay, load, validate
from landfast.nfs.export import Export

ALL = [obj for name in MANIFESTS for obj in load(name)]
CLUSTER_WIDE = {
    "Namespace",
    "ClusterRole",
    "ClusterRoleBinding",
    "StorageClass",
    "PersistentVolume",
}
IMAGES = Images("kit", "lf/node", "lf/nfs", "lf/prov:1", "lf/db:1", "lf/box:1", "lf/rec:1")
WORD = st.from_regex(r"\A[a-z][a-z0-9]{0,8}\Z")
OVERLAYS = st.builds(
    Overlay,
    export=st.builds(
        Export,
        server=st.sampled_from(["10.9.8.7", "nfs.example", "fd00::7"]),
        path=st.sampled_from(["/", "/export", "/data/share", "/data/share/deep"]),
        kind=st.just("external"),
    ),
    images=st.just(IMAGES),
    run_id=WORD,
    subtree=st.one_of(st.just(""), WORD, st.builds("{}/{}".format, WORD, WORD)),
    suffix=st.one_of(st.just(""), WORD.map("-{}".format)),
    namespace=st.one_of(st.just("default"), WORD),
    node_port=st.booleans(),
)


def fitted(overlay: Overlay) -> list[Object]:
    return [overlay.fit(obj) for obj in ALL]


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def identity(obj: Object) -> tuple[str, str | None, str]:
    return obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"]


@given(OVERLAYS)
def test_nothing_of_the_references_site_is_left(overlay: Overlay) -> None:
    text = json.dumps(fitted(overlay))
    assert "192.168.3.133" not in text
    assert {d["image"] for o in fitted(overlay) for d in walk(o) if "image" in d} == {
        IMAGES.provisioner,
        IMAGES.busybox,
        IMAGES.mysql,
    }


@given(OVERLAYS)
def test_mysql_and_only_mysql_gets_arguments_with_which_it_fits_the_references_memory(
    overlay: Overlay,
) -> None:
    containers = [d for o in fitted(overlay) for d in walk(o) if "image" in d]
    (mysql,) = (c for c in containers if c["image"] == IMAGES.mysql)
    assert mysql["resources"]["limits"] == {"memory": "512Mi"}, "the reference's"
    assert "--loose-innodb-buffer-pool-size=64M" in mysql["args"]
    assert "--loose-performance-schema=OFF" in mysql["args"]
    assert all(arg.startswith("--loose-") for arg in mysql["args"]), "5.7 and MariaDB know fewer"
    others = [c.get("args") for c in containers if c is not mysql]
    assert others == [
        d.get("args") for o in ALL for d in walk(o) if "image" in d and d["name"] != "mysql"
    ]


@given(OVERLAYS)
def test_every_volume_lies_inside_the_part_of_the_export_that_was_given(overlay: Overlay) -> None:
    root = overlay.root.rstrip("/")
    volumes = [d["nfs"] for o in fitted(overlay) for d in walk(o) if "nfs" in d]
    assert len(volumes) == 3
    for nfs in volumes:
        assert nfs["server"] == overlay.export.server
        assert nfs["path"] in (root or "/", f"{root}/mysql")
        assert "//" not in nfs["path"]
    environment = {d["name"]: d["value"] for o in fitted(overlay) for d in walk(o) if "value" in d}
    assert environment["NFS_SERVER"] == overlay.export.server
    assert environment["NFS_PATH"] == (root or "/")


@given(OVERLAYS)
def test_every_object_and_what_it_makes_carries_the_runs_labels(overlay: Overlay) -> None:
    for obj in fitted(overlay):
        places = [obj["metadata"]]
        if obj["kind"] in ("Deployment", "StatefulSet"):
            places.append(obj["spec"]["template"]["metadata"])
        if obj["kind"] == "StatefulSet":
            places += [t["metadata"] for t in obj["spec"]["volumeClaimTemplates"]]
        for place in places:
            assert overlay.labels.items() <= place["labels"].items()
        assert place["labels"]["landfast/run"] == overlay.run_id


@given(OVERLAYS)
def test_selectors_still_find_the_pods_and_volumes_they_are_for(overlay: Overlay) -> None:
    objects = fitted(overlay)
    for obj in objects:
        if obj["kind"] in ("Deployment", "StatefulSet"):
            wanted = obj["spec"]["selector"]["matchLabels"]
            assert wanted.items() <= obj["spec"]["template"]["metadata"]["labels"].items()
    by_kind = {
        kind: [o for o in objects if o["kind"] == kind] for kind, _, _ in map(identity, objects)
    }
    (pod_template,) = [o["spec"]["template"]["metadata"]["labels"] for o in by_kind["StatefulSet"]]
    for service in by_kind["Service"]:
        assert service["spec"]["selector"].items() <= pod_template.items()
    (pvc,) = by_kind["PersistentVolumeClaim"]
    pv = next(
        o for o in by_kind["PersistentVolume"] if o["metadata"]["name"] == f"nfs-pv{overlay.suffix}"
    )
    assert pvc["spec"]["selector"]["matchLabels"].items() <= pv["metadata"]["labels"].items()


@given(OVERLAYS)
def test_references_between_objects_hold(overlay: Overlay) -> None:
    objects = fitted(overlay)
    known = set(map(identity, objects))
    (storage_class,) = [o for o in objects if o["kind"] == "StorageClass"]
    for obj in objects:
        for part in walk(obj.get("spec", {})):
            if "storageClassName" in part:
                assert part["storageClassName"] == storage_class["metadata"]["name"]
            if "serviceAccountName" in part:
                account = (
                    "ServiceAccount",
                    obj["metadata"]["namespace"],
                    part["serviceAccountName"],
                )
                assert account in known
        if "roleRef" in obj:
            role = obj["roleRef"]
            namespace = None if role["kind"] == "ClusterRole" else obj["metadata"]["namespace"]
            assert (role["kind"], namespace, role["name"]) in known
            for subject in obj["subjects"]:
                assert (subject["kind"], subject["namespace"], subject["name"]) in known
    names = [d["value"] for o in objects for d in walk(o) if d.get("name") == "PROVISIONER_NAME"]
    assert names == [storage_class["provisioner"]]


@given(OVERLAYS, OVERLAYS)
def test_two_stacks_with_other_suffixes_and_namespaces_do_not_meet(
    one: Overlay, other: Overlay
) -> None:
    if one.suffix == other.suffix or one.namespace == other.namespace:
        return
    assert set(map(identity, fitted(one))).isdisjoint(map(identity, fitted(other)))


@given(OVERLAYS)
def test_no_two_objects_of_a_stack_are_the_same(overlay: Overlay) -> None:
    assert len(set(map(identity, fitted(overlay)))) == len(ALL)


@given(OVERLAYS)
def test_only_what_lies_in_a_namespace_has_one(overlay: Overlay) -> None:
    for obj in fitted(overlay):
        assert ("namespace" in obj["metadata"]) == (obj["kind"] not in CLUSTER_WIDE)


@given(OVERLAYS)
def test_the_node_port_is_asked_for_only_where_it_is_ours(overlay: Overlay) -> None:
    ports = [d["nodePort"] for o in fitted(overlay) for d in walk(o) if "nodePort" in d]
    assert ports == ([30306] if overlay.node_port else [])


@given(OVERLAYS)
def test_the_reference_itself_is_never_changed(overlay: Overlay) -> None:
    before = copy.deepcopy(ALL)
    results = fitted(overlay)
    for obj in results:
        obj["metadata"]["labels"]["changed"] = "yes"
        obj.get("spec", {}).clear()
    assert before == ALL


def test_without_a_suffix_the_names_are_the_references() -> None:
    export = Export(server="10.0.0.1", path="/data/share", kind="container")
    for obj in ALL:
        name = Overlay(export=export, images=IMAGES, run_id="r").fit(obj)["metadata"]["name"]
        assert name == obj["metadata"]["name"]


def test_an_image_that_is_none_of_ours_is_left_alone() -> None:
    export = Export(server="10.0.0.1", path="/x", kind="container")
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"image": "a/b:1"}]}}
    fit = Overlay(export=export, images=IMAGES, run_id="r").fit(pod)
    assert fit["spec"]["containers"] == [{"image": "a/b:1"}]


def test_another_program_in_mysqls_image_keeps_its_arguments() -> None:
    export = Export(server="10.0.0.1", path="/x", kind="container")
    container = {"image": "mysql", "command": ["sh"], "args": ["-c", "true"]}
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    fit = Overlay(export=export, images=IMAGES, run_id="r").fit(pod)
    assert fit["spec"]["containers"] == [container | {"image": IMAGES.mysql}]


def find(kind: str, name: str) -> Object:
    return next(o for o in ALL if o["kind"] == kind and o["metadata"]["name"] == name)


SPOT_CHECKS = [
    ("Deployment", "nfs-client-provisioner", "spec.replicas", 1),
    ("Deployment", "nfs-client-provisioner", "spec.strategy.type", "Recreate"),
    (
        "Deployment",
        "nfs-client-provisioner",
        "spec.template.spec.containers.0.env",
        [
            {"name": "PROVISIONER_NAME", "value": "nfs-client"},
            {"name": "NFS_SERVER", "value": "192.168.3.133"},
            {"name": "NFS_PATH", "value": "/data/share"},
        ],
    ),
    (
        "Deployment",
        "nfs-client-provisioner",
        "spec.template.spec.containers.0.volumeMounts.0.mountPath",
        "/persistentvolumes",
    ),
    ("StorageClass", "nfs-ssd", "provisioner", "nfs-client"),
    ("StorageClass", "nfs-ssd", "parameters", {"archiveOnDelete": "true"}),
    ("StorageClass", "nfs-ssd", "mountOptions", ["hard", "nfsvers=4"]),
    ("PersistentVolume", "nfs-pv", "metadata.labels", {"app": "nfs-pv-test"}),
    ("PersistentVolume", "nfs-pv", "spec.persistentVolumeReclaimPolicy", "Recycle"),
    ("PersistentVolume", "nfs-pv", "spec.capacity.storage", "1Gi"),
    ("PersistentVolume", "nfs-pv", "spec.accessModes", ["ReadWriteOnce"]),
    ("PersistentVolume", "nfs-pv", "spec.nfs.path", "/data/share"),
    ("PersistentVolumeClaim", "nfs-pvc", "spec.resources.requests.storage", "3Mi"),
    (
        "PersistentVolumeClaim",
        "nfs-pvc",
        "spec.selector.matchLabels",
        {"app": "nfs-pv-test"},
    ),
    ("Pod", "nfs-test-all", "spec.containers.0.args", ["-c", "touch /nfs/hello.txt"]),
    ("Pod", "nfs-test-all", "spec.restartPolicy", "Never"),
    ("ConfigMap", "mysql-config-map", "data", {"MYSQL_ROOT_PASSWORD": "666666"}),
    ("PersistentVolume", "nfs-pv-data-mysql", "spec.persistentVolumeReclaimPolicy", "Retain"),
    ("PersistentVolume", "nfs-pv-data-mysql", "spec.nfs.path", "/data/share/mysql"),
    ("StatefulSet", "mysql", "spec.serviceName", "mysql-service"),
    ("StatefulSet", "mysql", "spec.template.spec.containers.0.image", "mysql:5.7"),
    (
        "StatefulSet",
        "mysql",
        "spec.template.spec.containers.0.resources",
        {"requests": {"memory": "512Mi"}, "limits": {"memory": "512Mi"}},
    ),
    ("StatefulSet", "mysql", "spec.volumeClaimTemplates.0.metadata.name", "mysql-data"),
    ("StatefulSet", "mysql", "spec.volumeClaimTemplates.0.spec.storageClassName", "nfs-ssd"),
    ("Service", "mysql-service", "spec.clusterIP", "None"),
    ("Service", "mysql-external-service", "spec.type", "NodePort"),
    ("Service", "mysql-external-service", "spec.ports.0.nodePort", 30306),
    ("ClusterRoleBinding", "run-nfs-client-provisioner", "subjects.0.namespace", "nfs-system"),
    (
        "Role",
        "leader-locking-nfs-client-provisioner",
        "rules.0.verbs",
        ["get", "list", "watch", "create", "update", "patch"],
    ),
]


@pytest.mark.parametrize(("kind", "name", "path", "value"), SPOT_CHECKS)
def test_the_values_are_the_articles(kind: str, name: str, path: str, value: object) -> None:
    found: Any = find(kind, name)
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else found[part]
    assert found == value


def test_the_rights_of_the_provisioner_are_the_articles() -> None:
    rules = find("ClusterRole", "nfs-client-provisioner-runner")["rules"]
    assert [(rule["resources"], rule["verbs"]) for rule in rules] == [
        (["persistentvolumes"], ["get", "list", "watch", "create", "delete"]),
        (["persistentvolumeclaims"], ["get", "list", "watch", "update"]),
        (["storageclasses"], ["get", "list", "watch"]),
        (["events"], ["create", "update", "patch"]),
    ]


def test_every_manifest_is_loaded_by_some_name() -> None:
    files = {path.name for path in paths.MANIFESTS.iterdir() if path.is_file()}
    assert files == set(MANIFESTS.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: [", "cannot be read: while parsing"),
        ("just words", "object 1 has no kind or no metadata"),
        ("kind: Pod\nmetadata: {name: a}\n---\nkind: Pod\n", "object 2 has no kind"),
    ],
)
def test_a_broken_manifest_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / MANIFESTS["pv"]).write_text(text)
    with pytest.raises(BadInput, match=message) as caught:
        load("pv", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_manifest_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"4-pv.yaml cannot be read: .*No such file"):
        load("pv", tmp_path)


class Refusing:
    """An API server of which only the answer to a dry run is wanted."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message
        self.tried: list[Object] = []

    def create(self, obj: Object, *, dry_run: bool = False) -> Object:
        assert dry_run
        self.tried.append(obj)
        if self.code:
            answer = type("Answer", (), {"status": self.code, "body": None, "reason": self.message})
            raise KubeError("create", answer())
        return obj


@pytest.mark.parametrize(
    ("code", "message"),
    [(0, ""), (409, "already exists"), (422, "provided port is already allocated")],
)
def test_what_is_only_taken_is_valid(code: int, message: str) -> None:
    kube = Refusing(code, message)
    namespaced: Object = {"kind": "Pod", "metadata": {"name": "p", "namespace": "not-made-yet"}}
    validate(kube, [namespaced, find("StorageClass", "nfs-ssd")], "default")  # type: ignore[arg-type]
    assert [o["metadata"].get("namespace") for o in kube.tried] == ["default", None]
    assert namespaced["metadata"]["namespace"] == "not-made-yet"


def test_a_typo_is_one_sentence_that_names_the_object() -> None:
    kube = Refusing(400, 'strict decoding error: unknown field "spec.replicsa"')
    deployment = find("Deployment", "nfs-client-provisioner")
    with pytest.raises(
        BadInput, match=r'refuses Deployment nfs-client-provisioner: .*"spec.replicsa"$'
    ):
        validate(kube, [deployment], "default")  # type: ignore[arg-type]
