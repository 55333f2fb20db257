"""The rules about writers hold for every engine, kind, access mode and order of objects."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import pvc, storage_class
from workloads_to_vary import (
    JOBS,
    KINDS,
    NAMES,
    engines,
    found,
    kinds,
    modes,
    tied,
    two_names,
    workload,
)

from landfast.audit.engines import Engine, Kind


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


@given(st.data(), two_names, engines, st.sampled_from(sorted({**KINDS, **JOBS})), modes)
def test_another_writer_on_a_database_is_found(
    data: Any, names: list[str], engine: Engine, kind: str, access: list[str]
) -> None:
    objects = [
        *tied("a", "/exports/a", access),
        workload("StatefulSet", names[0], engine, "a"),
        workload(kind, names[1], "nginx", "a"),
    ]
    shuffled = data.draw(st.permutations(objects))
    assert found(shuffled, "other-writer-on-database") == {(names[1], "warning")}
    assert found(shuffled, "database-twice-on-one-pvc") == set()
    assert found(shuffled, "pvc-of-several-pods") == set()


@given(
    NAMES,
    st.sampled_from(sorted(({**KINDS, **JOBS}).keys() - {"Pod"})),
    st.integers(2, 5),
    st.sampled_from(["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"]),
    st.sampled_from(["nginx", "acme/app:1", "mysql/mysql-shell", "registry.example.com/mysql/api"]),
)
def test_several_pods_on_a_pvc_are_found_whatever_they_run(
    name: str, kind: str, replicas: int, mode: str, image: str
) -> None:
    objects = [*tied("a", "/exports/a", [mode]), workload(kind, name, image, "a", replicas)]
    once = {(name, "warning")} if mode == "ReadWriteOnce" else set()
    assert found(objects, "pvc-of-several-pods") == once
    assert found(objects, "database-twice-on-one-pvc") == set()
