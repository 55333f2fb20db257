"""What was to be filled in, and was not."""

from typing import Any

from cases_servers import MYSQL, run
from objects_to_audit import Case, parameters, pv

from landfast.kube.client import Object

PATTERN = parameters(pathPattern="${.PVC.labels.your-label}", onDelete="retain")


def efs(handle: str) -> list[Object]:
    return [pv("a", nfs=None, csi={"driver": "efs.csi.aws.com", "volumeHandle": handle})]


def on(node: str) -> list[Object]:
    """A volume of one node."""
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    terms = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return [pv("a", nfs=None, local={"path": "/srv"}, nodeAffinity=terms)]


def inline(server: str, path: str = "/exports/a") -> list[Object]:
    return run("mysql:8.4", {MYSQL: {"nfs": {"server": server, "path": path}}})[-1:]


def nfs(server: str) -> dict[str, Any]:
    return {"nfs": {"server": server, "path": "/exports/a"}}


PLACEHOLDERS: list[Case] = [
    Case(
        "placeholder-left",
        [pv("a", **nfs("<NFS_SERVER>"))],
        [pv("a", **nfs("${NFS_SERVER}"))],  # which somebody fills in before it is applied
        "the server of PersistentVolume a is <NFS_SERVER>",
        "warning",
    ),
    Case(
        "placeholder-left",
        [pv("a", **nfs("NFS_SERVER_IP"))],
        [pv("a", **nfs("NFS.EXAMPLE.COM"))],
        "a is NFS_SERVER_IP",
        "warning",
    ),
    Case(
        "placeholder-left",
        [pv("a", **nfs("192.168.1.x"))],
        [pv("a", **nfs("192.168.1.1")), pv("b", **nfs("max.x"))],
        "a is 192.168.1.x",
        "warning",
    ),
    Case(
        "placeholder-left",
        efs("fs-XXXXXXXX".lower()),
        efs("fs-0b35c55485caa34e6::fsap-0123"),
        "the volumeHandle of PersistentVolume a is fs-xxxxxxxx",
        "warning",
    ),
    Case(
        "placeholder-left",
        on("REPLACE_WITH_NODE_NAME"),
        on("replica-1"),
        "nodeAffinity of PersistentVolume a is REPLACE_WITH_NODE_NAME",
        "warning",
    ),
    Case(
        "placeholder-left",
        [parameters(server="your-nfs-server", archiveOnDelete="true")],
        [parameters(server="yourtown.example.com", archiveOnDelete="true")],
        "the server of StorageClass nfs is your-nfs-server",
        "warning",
    ),
    Case(
        "placeholder-left",
        inline("nas", "/exports/<name>"),
        [*inline("nas", "/exports/xxx"), *inline("nas", "/replacement"), PATTERN],
        "the path of Deployment shop/db is /exports/<name>",
        "warning",
    ),
]
