"""The rules about NFS servers in pods hold for every image, kind, name and order of objects."""

from typing import Any

from cases_nfs_servers import HOST, SRV, VOLUME_NFS
from cases_servers import CLAIM, EMPTY, run
from cases_writers import BLOCK
from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import NFS, pvc
from workloads_to_vary import NAMES, found

from landfast.kube.client import Object

IMAGES = st.sampled_from(
    [
        VOLUME_NFS,
        "k8s.gcr.io/volume-nfs:0.8",
        "itsthenetwork/nfs-server-alpine:12",
        "docker.io/erichough/nfs-server:2.2.1",
        "obeone/nfs-server",
        "registry:5000/x/nfs-ganesha:V4",
        "registry.k8s.io/sig-storage/nfs-provisioner:v4.0.8",
    ]
)
PATHS = st.sampled_from(["/exports", "/export", "/nfsshare", "/some/where"])
RULES = ["nfs-server-without-volume", "nfs-server-twice", "nfs-server-on-any-node"]


def server(kind: str, name: str, image: str, mounts: dict[str, Object], **more: Any) -> Object:
    made = run(image, mounts, kind=kind, **more)[-1]
    made["metadata"]["name"] = name
    return made


@given(st.data(), NAMES, IMAGES, PATHS)
def test_one_that_rolls_over_itself_is_found(data: Any, name: str, image: str, path: str) -> None:
    rolling = server("Deployment", name, image, {path: CLAIM})
    rolling["spec"]["strategy"] = {"type": data.draw(st.sampled_from(["RollingUpdate", ""]))}
    objects = data.draw(st.permutations([BLOCK, pvc("a", **NFS), rolling]))
    assert found(objects, "nfs-server-twice") == {(name, "warning")}
    assert found(objects, "pvc-of-several-pods") == set()


@given(st.sampled_from(["Deployment", "StatefulSet", "ReplicaSet"]), NAMES, IMAGES, PATHS)
def test_one_server_on_a_block_device_is_sound(kind: str, name: str, image: str, path: str) -> None:
    modules = {"hostPath": {"path": "/lib/modules"}}
    sound = server(kind, name, image, {"/lib/modules": modules, path: CLAIM})
    for rule in [*RULES, "nfs-server-on-nfs"]:
        assert found([BLOCK, pvc("a", **NFS), sound], rule) == set()


@given(st.sampled_from(["Deployment", "StatefulSet", "Pod"]), NAMES, IMAGES, PATHS, st.booleans())
def test_a_host_path_counts_where_no_node_is_named(
    kind: str, name: str, image: str, path: str, named: bool
) -> None:
    more: dict[str, Any] = {"pod_nodeSelector": HOST} if named else {}
    made = server("Deployment" if kind == "Pod" else kind, name, image, {path: SRV}, **more)
    if kind == "Pod":
        made = {**made, "apiVersion": "v1", "kind": "Pod", "spec": made["spec"]["template"]["spec"]}
    hit = set() if named else {(name, "warning")}
    assert found([made], "nfs-server-on-any-node") == hit
    assert found([made], "nfs-server-without-volume") == set()


@given(NAMES, IMAGES, PATHS, st.booleans())
def test_what_the_node_lends_is_no_volume(name: str, image: str, path: str, empty: bool) -> None:
    mounts = {"/lib/modules": {"hostPath": {"path": "/lib/modules"}}}
    mounts |= {path: EMPTY} if empty else {}
    made = server("Deployment", name, image, mounts)
    assert found([made], "nfs-server-without-volume") == {(name, "error")}


@given(NAMES, IMAGES, st.sampled_from([{"value": "nas"}, {"valueFrom": {"fieldRef": {}}}]))
def test_what_is_told_of_a_server_is_its_client(name: str, image: str, told: Object) -> None:
    """As a provisioner is, whose image an audit of the reference itself took for a server."""
    root = {"nfs": {"server": "nas", "path": "/volumes"}}
    made = server("Deployment", name, image, {"/persistentvolumes": root})
    assert found([made], "nfs-server-on-nfs") == {(name, "warning")}
    made["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "NFS_SERVER", **told}]
    for rule in [*RULES, "nfs-server-on-nfs"]:
        assert found([made], rule) == set()
