"""Two database servers on a disk of one node."""

from typing import Any

from cases_writers import BLOCK, RECREATE
from objects_to_audit import NFS, RWOP, Case, bound, controller, pod, pvc, storage_class

HOST: dict[str, Any] = {"nfs": None, "hostPath": {"path": "/srv/a"}}
LOCAL: dict[str, Any] = {"nfs": None, "local": {"path": "/srv/a"}}
PATH: dict[str, Any] = {"storageClassName": "local-path"}
K3S = storage_class("nfs", provisioner="rancher.io/local-path", parameters={})
KUMA = "louislam/uptime-kuma:2"

ONE_NODE: list[Case] = [
    Case(
        "database-twice-on-one-node",
        [*bound("a", **HOST), controller("Deployment", "a", KUMA, replicas=2, **RECREATE)],
        [*bound("a", **HOST), controller("Deployment", "a", KUMA)],  # SQLite's locks work
        "2 of its pods can run on PersistentVolumeClaim shop/a at the same time: replicas is 2",
        "warning",
    ),
    Case(
        "database-twice-on-one-node",
        [*bound("a", **LOCAL), controller("Deployment", "a", "postgres:17")],
        [*bound("a", **LOCAL), controller("Deployment", "a", "postgres:17", **RECREATE)],
        "a rolling update starts the new pod before the old one is gone",
        "warning",
    ),
    Case(
        "database-twice-on-one-node",
        [pvc("a", **PATH), controller("Deployment", "a")],
        [pvc("a", storageClassName="gp3"), controller("Deployment", "a")],
        "before the old one is gone. MySQL refuses the second one",
        "warning",
    ),
    Case(
        "database-twice-on-one-node",
        [pvc("a", **NFS), K3S, controller("Deployment", "a")],
        [pvc("a", **NFS), BLOCK, controller("Deployment", "a")],
        "2 of its pods",
        "warning",
    ),
    Case(
        "database-twice-on-one-node",
        [*bound("a", **HOST), pod("one", "a"), pod("two", "a")],
        [*bound("a", **HOST), pod("one", "a"), pod("two", "a", "nginx")],
        "Pod shop/one and Pod shop/two are servers on PersistentVolumeClaim shop/a",
        "warning",
    ),
    Case(
        "database-twice-on-one-node",
        [pvc("a", **PATH), controller("Deployment", "a", replicas=2)],
        [pvc("a", **{**PATH, **RWOP}), controller("Deployment", "a", replicas=2)],
        "3 of its pods",
        "warning",
    ),
]
