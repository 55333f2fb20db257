"""The health gate: the cluster has to be healthy before a fault, and again after it."""

from landfast.errors import LandfastError
from landfast.faults.base import MYSQL_POD, Site
from landfast.kube.status import is_ready
from landfast.mysql.client import MysqlError
from landfast.waiting import wait_until

_ESSENTIAL = {
    "component": {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"},
    "k8s-app": {"kube-dns", "kube-proxy"},
}

# mysqld answers queries after it has lost its locks, and ends at its next write.
_WRITES = ("CREATE DATABASE IF NOT EXISTS landfast_health", "DROP DATABASE landfast_health")


def complaints(site: Site) -> list[str]:
    """Return what is wrong with a site; empty if it is healthy.

    Raises:
        LandfastError: the API server or the engine refuses.
    """
    if site.own_server is None:
        return _complaints_of_mysql(site)
    found = []
    for node in site.kube.list("Node"):
        name = node["metadata"]["name"]
        if not is_ready(node):
            found.append(f"node {name} is not Ready")
        if node["spec"].get("unschedulable"):
            found.append(f"node {name} is cordoned")
        taints = [taint["key"] for taint in node["spec"].get("taints") or []]
        if any(key.startswith("node.kubernetes.io/") for key in taints):
            found.append(f"node {name} has the taints {', '.join(taints)}")
    for pod in site.kube.list("Pod", "kube-system"):
        labels = pod["metadata"].get("labels") or {}
        essential = any(labels.get(key) in names for key, names in _ESSENTIAL.items())
        if essential and not is_ready(pod):
            found.append(f"pod {pod['metadata']['name']} is not Ready")
    if not (state := site.server.state()).is_running:
        found.append(f"the NFS server's container is {state.status}")
    return found + (_complaints_of_mysql(site) if site.pod_name == MYSQL_POD else [])


def _complaints_of_mysql(site: Site) -> list[str]:
    found = []
    needed = [("StatefulSet", "mysql", site.stack.namespace)]
    if site.own_server:
        needed.insert(0, ("Deployment", "nfs-client-provisioner", site.stack.system_namespace))
    for kind, name, namespace in needed:
        obj = site.kube.find(kind, name, namespace)
        if obj is None or obj.get("status", {}).get("availableReplicas") != 1:
            found.append(f"{kind} {name} has no available replica")
    try:
        for statement in _WRITES:
            site.stack.mysql.query(statement)
    except MysqlError as error:
        found.append(f"MySQL does not write: {error}")
    return found


def wait_healthy(site: Site, *, timeout: float) -> None:
    """Wait until a site is healthy.

    Raises:
        WaitTimeout: it is not; the message says what is wrong.
    """
    wait_until(
        "the cluster to be healthy",
        lambda: complaints(site),
        until=lambda found: not found,
        timeout=timeout,
        interval=0.5,
        ignoring=(LandfastError,),
        describe="; ".join,
    )
