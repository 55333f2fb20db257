"""Rules for NFS servers that run in pods: what they export, and how many of them at once."""

import re
from collections.abc import Iterator

from landfast.audit.engines import Kind
from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.place import Path
from landfast.audit.rules.servers import called
from landfast.audit.rules.sources import GANESHA, REEXPORT, VOLUMES
from landfast.audit.servers import Mounted, Server
from landfast.audit.storage import on_nfs
from landfast.audit.uses import Use

_STRATEGY: Path = ("spec", "strategy")
_OF_THE_NODE = re.compile(r"/(lib/modules|sys|proc|dev|run|var/run|etc|tmp|var/log)(/|$)")
_ON_A_CLAIM = """
    kind: Deployment
    spec:
      replicas: 1
      strategy: {type: Recreate}       # not RollingUpdate
      template:
        spec:
          containers:
            - name: nfs-server
              image: registry.k8s.io/volume-nfs:0.8
              volumeMounts: [{name: export, mountPath: /exports}]
          volumes:
            - name: export
              persistentVolumeClaim: {claimName: export}    # of a class of block storage
"""


def _nfs_servers(inventory: Inventory) -> Iterator[Server]:
    return (s for s in inventory.servers if s.engine.kind is Kind.FILE_SERVER)


def _exported(server: Server) -> list[Mounted]:
    """Return the mounts that it may export; not what it needs of its node, such as modules."""
    return [
        mounted
        for mounted in server.mounts
        if not mounted.is_configuration
        and not _OF_THE_NODE.match(mounted.path)
        and server.has_data_at(mounted.mount.mount_path)
    ]


def _exports(inventory: Inventory, use: Use) -> bool:
    """Whether an NFS server exports what a container mounts."""
    engine = inventory.engine_at(use.container, use.mount)
    return bool(engine and engine.kind is Kind.FILE_SERVER)


@Rule(
    "audit.nfs-server-without-volume",
    Severity.ERROR,
    "An NFS server without a volume",
    reason=(
        "All that its clients write is in the pod, and goes with it: every volume on this server "
        "is empty, or its files are stale, once the pod has been replaced."
    ),
    fix="Give it a PVC on block storage, mounted at the directory that it exports.",
    example=_ON_A_CLAIM,
    source=VOLUMES,
)
def nfs_server_without_volume(inventory: Inventory) -> Iterator[Hit]:
    for server in _nfs_servers(inventory):
        exported = _exported(server)
        if any(m.stays for m in exported):
            continue
        going = [m for m in exported if m.goes_with_the_pod]
        what = f"{called(going[0])} ({going[0].path})" if going else "its container's own files"
        at = server.workload.container_at(server.container)
        yield Hit(server.workload, f"{server} exports {what}", at)


@Rule(
    "audit.nfs-server-twice",
    Severity.ERROR,
    "Two NFS servers on one directory",
    reason=(
        "Each server knows only what its own clients have open and locked, and the Service sends "
        "a connection to either: two clients get one lock. In a rolling update, clients that come "
        "to the new server lose their locks while the old one still serves others. On a block "
        "device the new pod may wait for the old one for ever."
    ),
    fix="Run one, with strategy Recreate; give each further server a volume and a Service.",
    example=_ON_A_CLAIM,
    source=f"RFC 8881, 8.4.2, Server Failure and Recovery; {GANESHA}",
)
def nfs_server_twice(inventory: Inventory) -> Iterator[Hit]:
    """Find directories of several servers; for a moment, or on a block device, it is a warning."""
    for directory, uses in inventory.uses_by_directory.directories:
        pods: dict[str, Use] = {}
        for use in uses:
            if use.writes and _exports(inventory, use) and not _is_kept_alone(use):
                most = pods.setdefault(use.workload.title, use)
                pods[use.workload.title] = max(most, use, key=lambda one: one.pods)
        servers = list(pods.values())
        if sum(use.pods for use in servers) < 2:
            continue
        lasting = len(servers) > 1 or servers[0].workload.replicas > 1
        surely = lasting and on_nfs(inventory, servers[0]) is not False
        for use in servers:
            others = [other.workload.title for other in servers if other is not use]
            through = use.through if use.claim else str(directory)
            said = _said(use, listed(others), through)
            yield Hit(use.workload, said, _STRATEGY, None if surely else Severity.WARNING)
    for server in _nfs_servers(inventory):
        on_node = [m for m in _exported(server) if m.source == "hostPath"]
        if on_node and server.workload.at_once > 1 and server.workload.kind != "DaemonSet":
            said = f"{server.workload.at_once} of its pods can serve {on_node[0].path} of a node "
            said += f"at the same time: {server.workload.why_several}"
            yield Hit(server.workload, said, _STRATEGY, Severity.WARNING)


def _is_kept_alone(use: Use) -> bool:
    return bool(use.pvc and set(use.pvc.spec.access_modes) == {"ReadWriteOncePod"})


def _said(use: Use, others: str, through: str) -> str:
    if others:
        return f"{others} also serves {through}"
    return (
        f"{use.pods} of its pods can serve {through} at the same time: {use.workload.why_several}"
    )


@Rule(
    "audit.nfs-server-on-nfs",
    Severity.WARNING,
    "An NFS server that exports what is itself on NFS",
    reason=(
        "The kernel's server gives no locks on such an export, and clients cannot get back what "
        "they had open when it restarts; Ganesha does not support it. A database that needs locks "
        "does not start, or runs without them."
    ),
    fix="Export a volume on block storage, or give clients volumes on the first server itself.",
    example=_ON_A_CLAIM,
    source=f"{REEXPORT}; {GANESHA}",
)
def nfs_server_on_nfs(inventory: Inventory) -> Iterator[Hit]:
    for use in inventory.uses:
        if _exports(inventory, use) and on_nfs(inventory, use):
            at = use.workload.container_at(use.container)
            said = f"it exports {use.mount.mount_path}, which is on NFS ({use.through})"
            yield Hit(use.workload, said, at)


@Rule(
    "audit.nfs-server-on-any-node",
    Severity.WARNING,
    "An NFS server on a directory of whatever node it runs on",
    reason=(
        "hostPath is another directory on each node. Once the pod runs on another one, all "
        "volumes on this server are empty, or another's, and what clients have open is stale."
    ),
    fix="Export a PVC, best on block storage; or name the node with a nodeSelector.",
    example="""
        kind: Deployment
        spec:
          strategy: {type: Recreate}
          template:
            spec:
              nodeSelector: {kubernetes.io/hostname: node-1}
              containers:
                - name: nfs-server
                  image: registry.k8s.io/volume-nfs:0.8
                  volumeMounts: [{name: export, mountPath: /exports}]
              volumes:
                - name: export
                  hostPath: {path: /srv/nfs, type: Directory}
    """,
    source=f"Kubernetes documentation, Volumes, hostPath; {GANESHA}",
)
def nfs_server_on_any_node(inventory: Inventory) -> Iterator[Hit]:
    """Find hostPath, in the pod or in the volume of its PVC, without anything that names nodes."""
    for server in _nfs_servers(inventory):
        workload = server.workload
        exported = [m for m in _exported(server) if m.source == "hostPath"]
        if exported and workload.kind != "DaemonSet" and not workload.pod.pinned:
            at: Path = (*workload.template_at, "spec")
            said = f"it exports {exported[0].path}, a hostPath, and may run on any node"
            yield Hit(workload, said, at)
    for use in inventory.uses:
        pv, pinned = use.pv, use.workload.pod.pinned
        anywhere = pv and pv.spec.source == "hostPath" and not pv.spec.node_affinity and not pinned
        if pv and anywhere and _exports(inventory, use):
            said = f"it exports {pv.title}, a hostPath without nodeAffinity, and may run on "
            yield Hit(use.workload, f"{said}any node", (*use.workload.template_at, "spec"))
