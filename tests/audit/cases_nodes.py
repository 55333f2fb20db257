"""Nodes and drivers of a cluster."""

from cases_csi import made, volume_under_database
from objects_to_audit import Case, pv, storage_class

from landfast.kube.client import Object


def node(name: str, machine_id: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {"nodeInfo": {"machineID": machine_id}},
    }


DRIVER: Object = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "CSIDriver",
    "metadata": {"name": "nfs.csi.k8s.io"},
}
TWO, ONE = [node("a", "1"), node("b", "1")], [node("a", "1"), node("b", "2")]
BLOCK = pv("c", nfs=None, hostPath={"path": "/srv"})

NODES: list[Case] = [
    Case(
        "nodes-cloned",
        [pv("c"), *TWO],
        [pv("c"), *ONE],
        "it has the machine id of b",
        "warning",
    ),
    Case(
        "nodes-cloned",
        [storage_class("nfs"), *TWO, node("c", "1")],
        [storage_class("nfs"), node("a", ""), node("b", "")],
        "it has the machine id of b and c",
        "warning",
    ),
    Case(
        "nodes-cloned",
        [pv("c"), *TWO],
        [BLOCK, *TWO],  # nothing is on NFS
        "it has the machine id of a",
        "warning",
    ),
    Case(
        "csi-driver-not-there",
        [made({})],
        [made({}), DRIVER],
        "the cluster has no CSIDriver nfs.csi.k8s.io",
    ),
    Case(
        "csi-driver-not-there",
        volume_under_database("nas#exports#a##"),
        [storage_class("block", provisioner="ebs.csi.aws.com", parameters={})],
        "the cluster has no CSIDriver nfs.csi.k8s.io",
    ),
]
