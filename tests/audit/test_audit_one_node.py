"""Servers on a local disk, or in a bucket, are found whatever the engine and the names are."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import pv, pvc, storage_class
from workloads_to_vary import MODES, engines, found, kinds, two_names, workload

from landfast.audit.engines import Engine
from landfast.kube.client import Object

DISKS: list[list[Object]] = [
    [pv("v", nfs=None, hostPath={"path": "/srv"}, accessModes=MODES)],
    [pv("v", nfs=None, local={"path": "/srv"}, accessModes=MODES)],
]
BUCKETS = ["ru.yandex.s3.csi", "ch.ctrox.csi.s3-driver", "blob.csi.azure.com", "csi-rclone"]
OTHERS = ["ebs.csi.aws.com", "nfs.csi.k8s.io", "csi.juicefs.com", "rancher.io/local-path"]


@given(st.data(), two_names, st.lists(kinds, min_size=2, max_size=2), engines, engines)
def test_two_servers_on_one_disk_are_both_named(
    data: Any, names: list[str], of: list[str], one: Engine, other: Engine
) -> None:
    objects = [
        *data.draw(st.sampled_from(DISKS)),
        pvc("a", volumeName="v", accessModes=[data.draw(st.sampled_from(MODES))]),
        workload(of[0], names[0], one, "a"),
        workload(of[1], names[1], other, "a"),
    ]
    shuffled = data.draw(st.permutations(objects))
    assert found(shuffled, "database-twice-on-one-node") == {(name, "warning") for name in names}
    assert found(shuffled, "database-twice-on-one-pvc") == set()
    alone = [o for o in objects if o["metadata"]["name"] != names[1] or o["kind"] != of[1]]
    several = of[0] == "DaemonSet"
    if of[0] != of[1]:
        assert bool(found(alone, "database-twice-on-one-node")) is several


@given(engines, kinds, st.sampled_from(BUCKETS), st.sampled_from(OTHERS))
def test_a_database_in_a_bucket_is_found(
    engine: Engine, kind: str, bucket: str, other: str
) -> None:
    for provisioner, there in ((bucket, True), (other, False)):
        made = storage_class("c", provisioner=provisioner, parameters={"protocol": "fuse"})
        objects = [made, pvc("a", storageClassName="c"), workload(kind, "db", engine, "a")]
        assert bool(found(objects, "database-in-a-bucket")) is there
