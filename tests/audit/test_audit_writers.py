"""The rules about writers hold for every engine, kind, access mode and order of objects."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import audited, pv, pvc, storage_class

from landfast.audit.engines import Engine, Kind, table
from landfast.kube.client import Object

ENGINES = [e for e in table().engines if e.kind is not Kind.FILE_SERVER and e.data]
KINDS = {
    "Pod": "v1",
    "ReplicationController": "v1",
    "ReplicaSet": "apps/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1beta2",
    "DaemonSet": "extensions/v1beta1",
    "DeploymentConfig": "apps.openshift.io/v1",
}
MODES = ["ReadWriteOnce", "ReadWriteMany"]
NAMES = st.from_regex(r"\A[a-z][a-z0-9]{0,8}\Z")

engines = st.sampled_from(ENGINES)
kinds = st.sampled_from(sorted(KINDS))
modes = st.lists(st.sampled_from(MODES), min_size=1, max_size=2, unique=True)


def workload(kind: str, name: str, engine: Engine, claim: str | None) -> Object:
    """A workload with one pod at a time, which mounts a PVC where its engine has its data."""
    mounts = [{"name": "data", "mountPath": engine.data[0]}] if claim else []
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
    spec: Object = {
        "containers": [{"name": "c", "image": engine.images[0], "volumeMounts": mounts}],
        "volumes": [volume] if claim else [],
    }
    if kind != "Pod":
        spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "template": {"spec": spec}}
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": KINDS[kind], "kind": kind, "metadata": metadata, "spec": spec}


def tied(name: str, path: str, access: list[str]) -> list[Object]:
    ref = {"namespace": "shop", "name": name}
    volume = pv(name, path, accessModes=access, claimRef=ref)
    return [volume, pvc(name, accessModes=access, volumeName=name)]


def found(objects: list[Object], rule: str) -> set[tuple[str, str]]:
    hits = [f for f in audited(*objects, complete=False) if f.rule.id == f"audit.{rule}"]
    return {(f.name, str(f.severity)) for f in hits}


two_names = st.lists(NAMES, min_size=2, max_size=2, unique=True)


@given(st.data(), two_names, st.lists(kinds, min_size=2, max_size=2), engines, engines, modes)
def test_two_servers_on_one_pvc_are_both_named(
    data: Any, names: list[str], of: list[str], one: Engine, other: Engine, access: list[str]
) -> None:
    objects = [
        *tied("a", "/exports/a", access),
        workload(of[0], names[0], one, "a"),
        workload(of[1], names[1], other, "a"),
    ]
    shuffled = data.draw(st.permutations(objects))
    assert found(shuffled, "database-twice-on-one-pvc") == {(name, "error") for name in names}
    assert found(shuffled, "shared-directory") == set()
    assert found(shuffled, "pvc-of-several-pods") == set()


@given(st.data(), two_names, kinds, engines, modes, st.sampled_from(["/x", "//x/", "/x/./y/.."]))
def test_a_database_on_a_directory_of_two_volumes_is_an_error(
    data: Any, names: list[str], kind: str, engine: Engine, access: list[str], path: str
) -> None:
    objects = [
        *tied("a", "/x", access),
        *tied("b", path, access),
        workload(kind, names[0], engine, "a"),
    ]
    shuffled = data.draw(st.permutations(objects))
    [(name, severity)] = found(shuffled, "shared-directory")
    assert name in ("a", "b")
    assert severity == "error"


@given(st.data(), two_names, kinds, engines, modes)
def test_servers_with_a_directory_each_are_left_alone(
    data: Any, names: list[str], kind: str, engine: Engine, access: list[str]
) -> None:
    one, other = ("Pod", "Pod") if kind == "DaemonSet" else (kind, kind)
    objects = [
        *tied("a", "/exports/a", access),
        *tied("b", "/exports/b", access),
        workload(one, names[0], engine, "a"),
        workload(other, names[1], engine, "b"),
    ]
    shuffled = data.draw(st.permutations(objects))
    for rule in ("database-twice-on-one-pvc", "shared-directory", "pvc-of-several-pods"):
        assert found(shuffled, rule) == set()


@given(
    engines,
    st.sampled_from(
        [
            "ebs.csi.aws.com",
            "pd.csi.storage.gke.io",
            "disk.csi.azure.com",
            "kubernetes.io/aws-ebs",
            "rbd.csi.ceph.com",
            "driver.longhorn.io",
            "rancher.io/local-path",
            "csi.hetzner.cloud",
            "cinder.csi.openstack.org",
        ]
    ),
)
def test_a_database_on_a_block_device_is_left_alone(engine: Engine, provisioner: str) -> None:
    objects = [
        storage_class("fast", provisioner=provisioner, parameters={}),
        pvc("a", storageClassName="fast"),
        workload("Deployment", "one", engine, "a"),
        workload("Deployment", "two", engine, "a"),
    ]
    assert found(objects, "database-twice-on-one-pvc") == set()


@given(kinds, engines.filter(lambda engine: not engine.volume_optional), NAMES)
def test_a_server_without_a_volume_is_found(kind: str, engine: Engine, name: str) -> None:
    [(named, severity)] = found([workload(kind, name, engine, None)], "database-without-volume")
    assert named == name
    if engine.kind is Kind.DATABASE:
        assert severity == "error"


@given(kinds, engines, modes)
def test_a_server_whose_data_is_on_a_pvc_has_all_that_it_needs(
    kind: str, engine: Engine, access: list[str]
) -> None:
    objects = [*tied("a", "/exports/a", access), workload(kind, "db", engine, "a")]
    for rule in ("database-without-volume", "data-directory-not-mounted"):
        assert found(objects, rule) == set()
