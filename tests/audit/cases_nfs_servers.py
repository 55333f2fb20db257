"""NFS servers in pods: what they export, on which node, and how many at once."""

from typing import Any

from cases_servers import CLAIM, EMPTY, run
from cases_writers import BLOCK
from objects_to_audit import NFS, RWOP, RWX, Case, bound, pv, pvc

from landfast.kube.client import Object

VOLUME_NFS = "registry.k8s.io/volume-nfs:0.8"
MODULES: Object = {"hostPath": {"path": "/lib/modules"}}
SRV: Object = {"hostPath": {"path": "/srv/nfs"}}
HOST = {"kubernetes.io/hostname": "node-1"}


def serving(
    volume: Object = CLAIM, replicas: int = 1, strategy: str = "RollingUpdate", **more: Any
) -> Object:
    """A Deployment of an NFS server that exports a volume."""
    found = run(VOLUME_NFS, {"/exports": volume}, **more)[-1]
    found["spec"] |= {"replicas": replicas, "strategy": {"type": strategy}}
    return found


def on_block(**spec: Any) -> list[Object]:
    """A PVC that gets a block device."""
    return [BLOCK, pvc("a", **{**NFS, **spec})]


def required(**term: Any) -> Object:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [term]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def on_host_path(**spec: Any) -> list[Object]:
    """A volume that is a directory of a node, and its PVC."""
    volume, claim = bound("a", nfs=None, hostPath={"path": "/srv/nfs"}, **spec)
    return [volume, claim]


NFS_SERVERS: list[Case] = [
    Case(
        "nfs-server-without-volume",
        run(VOLUME_NFS, {"/exports": EMPTY}),
        run(VOLUME_NFS, {"/exports": CLAIM}),
        "exports an emptyDir (/exports)",
    ),
    Case(
        "nfs-server-without-volume",
        run("itsthenetwork/nfs-server-alpine"),
        run("registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2"),
        "exports its container's own files",
    ),
    Case(
        "nfs-server-without-volume",
        run("erichough/nfs-server", {"/lib/modules": MODULES, "/exports": EMPTY}),
        run("erichough/nfs-server", {"/lib/modules": MODULES, "/nfs": CLAIM}),
        "exports an emptyDir (/exports)",
    ),
    Case(
        "nfs-server-without-volume",
        run("erichough/nfs-server", {"/lib/modules": MODULES}),
        run("erichough/nfs-server", {"/nfs": SRV}),
        "exports its container's own files",
    ),
    Case(
        "nfs-server-without-volume",
        run(
            "itsthenetwork/nfs-server-alpine",
            {"/share": EMPTY, "/other": CLAIM},
            env=[{"name": "SHARED_DIRECTORY", "value": "/share"}],
        ),
        run(
            "itsthenetwork/nfs-server-alpine",
            {"/share": CLAIM, "/other": EMPTY},
            env=[{"name": "SHARED_DIRECTORY", "value": "/share"}],
        ),
        "exports an emptyDir (/share)",
    ),
    Case(
        "nfs-server-twice",
        [*on_block(), serving()],
        [*on_block(), serving(strategy="Recreate")],
        "2 of its pods can serve PersistentVolumeClaim shop/a at the same time: a rolling update",
        "warning",
    ),
    Case(
        "nfs-server-twice",
        [*bound("a", **RWX), serving(replicas=2, strategy="Recreate")],
        [*bound("a", **RWX), serving(replicas=0)],
        "2 of its pods can serve PersistentVolumeClaim shop/a at the same time: replicas is 2",
    ),
    Case(
        "nfs-server-twice",
        [
            *bound("a", **RWX),
            serving(strategy="Recreate"),
            {**serving(strategy="Recreate"), "metadata": {"name": "two", "namespace": "shop"}},
        ],
        [
            *bound("a", **RWX),
            serving(strategy="Recreate"),
            {**run("nginx", {"/exports": CLAIM})[-1], "metadata": {"name": "w", "namespace": "x"}},
        ],
        "Deployment shop/two also serves PersistentVolumeClaim shop/a",
    ),
    Case(
        "nfs-server-twice",
        [*bound("a"), serving()],
        [pv("a", **RWOP), pvc("a", **RWOP, volumeName="a"), serving()],
        "2 of its pods",
        "warning",
    ),
    Case(
        "nfs-server-twice",
        [serving({"nfs": {"server": "nas", "path": "/x"}})],
        [serving(EMPTY)],  # each pod has its own
        "2 of its pods can serve nas:/x at the same time",
        "warning",
    ),
    Case(
        "nfs-server-twice",
        [serving(SRV, pod_nodeSelector=HOST)],
        [
            {**serving(SRV), "kind": "DaemonSet"},  # one on each node
            serving(SRV, strategy="Recreate", pod_nodeSelector=HOST),
        ],
        "2 of its pods can serve /exports of a node at the same time: a rolling update",
        "warning",
    ),
    Case(
        "nfs-server-twice",
        [*on_block(), serving(replicas=2, strategy="Recreate")],  # if they are on one node
        [*on_block(**RWOP), serving(replicas=2, strategy="Recreate")],
        "replicas is 2",
        "warning",
    ),
    Case(
        "nfs-server-on-nfs",
        [*bound("a"), serving()],
        [*on_block(), serving()],
        "it exports /exports, which is on NFS (PersistentVolumeClaim shop/a)",
        "warning",
    ),
    Case(
        "nfs-server-on-nfs",
        [serving({"nfs": {"server": "nas", "path": "/x"}})],
        [pvc("a", storageClassName="unheard-of"), serving()],  # nobody knows
        "which is on NFS",
        "warning",
    ),
    Case(
        "nfs-server-on-any-node",
        [serving(SRV)],
        [serving(SRV, pod_nodeSelector=HOST)],
        "it exports /exports, a hostPath, and may run on any node",
        "warning",
    ),
    Case(
        "nfs-server-on-any-node",
        [serving(SRV, pod_nodeSelector={"kubernetes.io/os": "linux"})],
        [serving(SRV, pod_affinity=required(key="nfs", operator="Exists"))],
        "a hostPath",
        "warning",
    ),
    Case(
        "nfs-server-on-any-node",
        [serving(SRV, pod_affinity={"podAffinity": {}})],
        [serving(SRV, pod_nodeName="node-1")],
        "a hostPath",
        "warning",
    ),
    Case(
        "nfs-server-on-any-node",
        [*on_host_path(), serving()],
        [*on_host_path(nodeAffinity={"required": {"nodeSelectorTerms": []}}), serving()],
        "it exports PersistentVolume a, a hostPath without nodeAffinity, and may run on any node",
        "warning",
    ),
    Case(
        "nfs-server-on-any-node",
        [pv("other"), *on_host_path(), serving()],
        [*on_host_path(), serving(pod_nodeSelector=HOST)],
        "a hostPath without nodeAffinity",
        "warning",
    ),
    Case(
        "nfs-server-on-any-node",
        [serving(SRV)],
        [
            {**serving(SRV), "kind": "DaemonSet"},
            *run("erichough/nfs-server", {"/lib/modules": MODULES, "/exports": CLAIM}),
        ],
        "a hostPath",
        "warning",
    ),
]
