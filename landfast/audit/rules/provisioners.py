"""Rules for what makes volumes: provisioners, drivers, and how nodes find the server."""

import ipaddress
import re
from collections.abc import Iterator
from typing import NamedTuple

from landfast.audit.csi_nfs import settings
from landfast.audit.directories import Directory
from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.objects import Resource
from landfast.audit.place import Path
from landfast.audit.pods import Container
from landfast.audit.rules.sources import CONTRACT
from landfast.audit.uses import inline_root
from landfast.audit.workloads import Workload
from landfast.image_names import ImageName

_ROOT = "/persistentvolumes"  # where the provisioner's image looks for the export
_RETIRED = re.compile(r"nfs-client-provisioner(-arm)?")
_CLUSTER_NAME = re.compile(r"\.svc(\.|$)")
_THE_NODE = re.compile(r"localhost(\..*)?|127(\.\d+){3}|\[?::1\]?")
_EXAMPLE = """
    kind: Deployment
    spec:
      template:
        spec:
          containers:
            - image: registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2
              env:
                - {name: PROVISIONER_NAME, value: k8s-sigs.io/nfs-subdir-external-provisioner}
                - {name: NFS_SERVER, value: nas.example.com}
                - {name: NFS_PATH, value: /export}
              volumeMounts: [{name: root, mountPath: /persistentvolumes}]
          volumes: [{name: root, nfs: {server: nas.example.com, path: /export}}]
    ---
    kind: StorageClass
    provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
"""


class Provisioner(NamedTuple):
    """A container that makes volumes on NFS; what comes from elsewhere is ""."""

    workload: Workload
    container: Container
    name: str

    @property
    def root(self) -> Directory | None:
        """The directory that it names in its volumes."""
        server, path = (self.container.env_value(n) for n in ("NFS_SERVER", "NFS_PATH"))
        return Directory(server=server, path=path) if server and path else None


def _provisioners(inventory: Inventory) -> list[Provisioner]:
    return [
        Provisioner(workload, container, container.env_value("PROVISIONER_NAME"))
        for workload in inventory.workloads
        for container in workload.pod.containers
        if {"PROVISIONER_NAME", "NFS_PATH"} <= {variable.name for variable in container.env}
    ]


@Rule(
    "audit.provisioner-mismatch",
    Severity.ERROR,
    "A class whose provisioner has another name",
    reason=(
        "A provisioner makes volumes only for classes that name it as its PROVISIONER_NAME says. "
        "PVCs of this class stay Pending."
    ),
    fix="Make the class's provisioner and PROVISIONER_NAME equal.",
    example=_EXAMPLE,
    source=f"{CONTRACT}; deploy/deployment.yaml, deploy/class.yaml",
)
def provisioner_mismatch(inventory: Inventory) -> Iterator[Hit]:
    """Find classes without a provisioner beside provisioners without a class.

    On a cluster, one without a provisioner is a warning if a PVC waits for a volume of it.
    """
    found = _provisioners(inventory)
    waiting = {
        inventory.storage_class_of(pvc)
        for pvc in inventory.open_pvcs
        if not inventory.fitting(pvc).count
    }
    wanted = {made.provisioner for made in inventory.classes}
    idle = [p for p in found if p.name not in wanted]
    if not all(p.name for p in found):
        return
    for made in inventory.subdir_classes:
        if made.provisioner in {p.name for p in found}:
            continue
        if idle:
            names = listed([f"{p.workload.title} is {p.name}" for p in idle])
            yield Hit(made, f"its provisioner is {made.provisioner}; {names}", ("provisioner",))
        elif inventory.complete and made.name in waiting:
            said = f"there is no provisioner {made.provisioner} {inventory.where}"
            yield Hit(made, said, ("provisioner",), Severity.WARNING)


@Rule(
    "audit.provisioner-root-differs",
    Severity.ERROR,
    "A provisioner that makes directories in one place and names another",
    reason=(
        "It makes each volume's directory in what is mounted at /persistentvolumes, and writes "
        "NFS_SERVER and NFS_PATH into the volume. The PVC is Bound, and pods cannot mount it, or "
        "mount another's directory."
    ),
    fix="Mount NFS_SERVER:NFS_PATH at /persistentvolumes.",
    example=_EXAMPLE,
    source=f"{CONTRACT}; deploy/deployment.yaml",
)
def provisioner_root_differs(inventory: Inventory) -> Iterator[Hit]:
    """Find other paths; another server is a warning, as one server can have two addresses."""
    for provisioner in _provisioners(inventory):
        workload, container, said = provisioner.workload, provisioner.container, provisioner.root
        at = workload.container_at(container)
        mounts = [m for m in container.volume_mounts if m.mount_path.rstrip("/") == _ROOT]
        if not mounts:
            yield Hit(workload, f"nothing is mounted at {_ROOT}", at)
        for mount in mounts:
            mounted = _mounted(inventory, workload, mount.name)
            if mounted is None or said is None:
                continue
            mounted = mounted.sub(mount.sub_path)
            if mounted.path != said.path or not _may_be_one(mounted.server, said.server):
                milder = Severity.WARNING if mounted.path == said.path else None
                text = f"it mounts {mounted}, and NFS_SERVER and NFS_PATH are {said}"
                yield Hit(workload, text, (*at, "env"), milder)


def _mounted(inventory: Inventory, workload: Workload, name: str) -> Directory | None:
    """Return the directory of a pod's volume, if it is known."""
    for volume in workload.pod.volumes:
        if volume.name != name:
            continue
        if root := inline_root(volume):
            return root
        if claim := volume.persistent_volume_claim:
            for pvc in inventory.find_pvcs(workload.namespace, claim.claim_name):
                volumes = inventory.volumes_for(pvc)
                if len(volumes) == 1:
                    return volumes[0].directory
    return None


def _may_be_one(server: str, other: str) -> bool:
    """Whether two names may be one server's: the same, or a name and an address."""
    return server == other or _is_address(server) != _is_address(other)


def _is_address(server: str) -> bool:
    try:
        ipaddress.ip_address(server)
    except ValueError:
        return False
    return True


@Rule(
    "audit.provisioner-retired",
    Severity.ERROR,
    "A provisioner that Kubernetes has left behind",
    reason=(
        "nfs-client-provisioner is the name before version 4. It needs selfLink, which objects "
        "have no longer since Kubernetes 1.20: every PVC stays Pending."
    ),
    fix="Use nfs-subdir-external-provisioner, v4.0.2 or newer, or csi-driver-nfs.",
    example=_EXAMPLE,
    source="nfs-subdir-external-provisioner, issue 25; Kubernetes v1.20, CHANGELOG, RemoveSelfLink",
)
def provisioner_retired(inventory: Inventory) -> Iterator[Hit]:
    """Find its images; one from elsewhere may be somebody's build of a newer one: a warning."""
    for workload in inventory.workloads:
        for container in workload.pod.containers:
            image = ImageName.parse(container.image)
            if _RETIRED.fullmatch(image.base):
                at = (*workload.container_at(container), "image")
                own = image.path.startswith("external_storage/")
                yield Hit(workload, container.image, at, None if own else Severity.WARNING)


@Rule(
    "audit.server-by-cluster-name",
    Severity.WARNING,
    "A server that only pods can find",
    reason=(
        "The node mounts the volume, and asks its own resolver, which on most clusters does not "
        "know the names of Services: pods stay in ContainerCreating."
    ),
    fix=(
        "Name the server by an address that does not change (clusterIP, set by hand), by a name "
        "that nodes resolve, or use csi-driver-nfs, whose pods mount with the cluster's DNS."
    ),
    example="""
        kind: PersistentVolume
        spec:
          nfs: {server: 10.96.0.50, path: /}     # the Service's clusterIP
    """,
    source="kubernetes/examples, issues 390 and 418; Kubernetes v1.37, pkg/volume/nfs/nfs.go",
)
def server_by_cluster_name(inventory: Inventory) -> Iterator[Hit]:
    """Find such names in volumes, and in what provisioners write into theirs."""
    for on, at, which, server in _servers(inventory):
        if _CLUSTER_NAME.search(server):
            yield Hit(on, f"{which} {server}", at)


@Rule(
    "audit.server-is-the-node",
    Severity.WARNING,
    "A server that is another one on every node",
    reason=(
        "The node mounts the volume, so this is the node that the pod runs on: on another node "
        "the pod finds other data or none, or stays in ContainerCreating."
    ),
    fix="Name the server by an address that is the same for all nodes.",
    example="""
        kind: PersistentVolume
        spec:
          nfs: {server: nas.example.com, path: /export/shop}     # not localhost
    """,
    source="Kubernetes v1.37, pkg/volume/nfs/nfs.go; hosts(5)",
)
def server_is_the_node(inventory: Inventory) -> Iterator[Hit]:
    for on, at, which, server in _servers(inventory):
        if _THE_NODE.fullmatch(server):
            yield Hit(on, f"{which} {server}", at)


def _servers(inventory: Inventory) -> Iterator[tuple[Resource, Path, str, str]]:
    """Yield what names a server that nodes mount, the field, whose server it is, and its name."""
    for pv in inventory.pvs:
        if pv.spec.nfs:
            yield pv, ("spec", "nfs", "server"), "the server is", pv.spec.nfs.server
    for workload in inventory.workloads:
        for number, volume in enumerate(workload.pod.volumes):
            if volume.nfs:
                at: Path = (*workload.template_at, "spec", "volumes", number)
                yield workload, at, "the server is", volume.nfs.server
    for provisioner in _provisioners(inventory):
        if provisioner.root:
            at = (*provisioner.workload.container_at(provisioner.container), "env")
            server = provisioner.root.server
            yield provisioner.workload, at, "its volumes have the server", server


@Rule(
    "audit.csi-driver-old",
    Severity.ERROR,
    "A version of csi-driver-nfs that deletes too much",
    reason=(
        "v4.10 removes the first element of a nested subDir with everything in it. Before v4.13.1 "
        "a volume's handle with ../ in it has other directories deleted (CVE-2026-3864)."
    ),
    fix="Use v4.13.1 or newer.",
    example="""
        kind: Deployment
        spec:
          template:
            spec:
              containers: [{name: nfs, image: "registry.k8s.io/sig-storage/nfsplugin:v4.13.4"}]
    """,
    source="csi-driver-nfs, issue 855, pull requests 770 and 878; CVE-2026-3864",
)
def csi_driver_old(inventory: Inventory) -> Iterator[Hit]:
    """Find the driver's image; an error only where a class here loses data by it."""
    for workload in inventory.workloads:
        for container in workload.pod.containers:
            image = ImageName.parse(container.image)
            version = re.match(r"v?(\d+)\.(\d+)\.(\d+)", image.tag)
            if image.base != "nfsplugin" or not version or _version(version) >= (4, 13, 1):
                continue
            at = (*workload.container_at(container), "image")
            hit = [c.name for c in inventory.csi_classes if _is_nested(settings(c).sub_dir)]
            if _version(version)[:2] == (4, 10) and hit:
                said = f"it is {image.tag}, and class {listed(hit)} has a nested subDir"
                yield Hit(workload, said, at)
            else:
                yield Hit(workload, f"it is {image.tag}", at, Severity.WARNING)


def _version(found: re.Match[str]) -> tuple[int, ...]:
    return tuple(map(int, found.groups()))


def _is_nested(sub_dir: str | None) -> bool:
    return "/" in (sub_dir or "").strip("/")
