"""Provisioners, drivers and servers."""

from typing import Any

from objects_to_audit import (
    PROVISIONED,
    SUBDIR,
    Case,
    bound,
    pod,
    provisioner,
    pv,
    statefulset,
    storage_class,
)

from landfast.kube.client import Object

MINE = storage_class("nfs", provisioner="mine")
MADE: Object = {"annotations": {"pv.kubernetes.io/provisioned-by": "nfs.csi.k8s.io"}}
SERVICE = "nfs-server.default.svc.cluster.local"


def changed(made: Object, **spec: Any) -> Object:
    """A workload whose pods have other fields."""
    made["spec"]["template"]["spec"].update(spec)
    return made


def mounting(server: str = "nfs", path: str = "/exports") -> Object:
    """A provisioner for nfs:/exports that mounts something."""
    volumes = [{"name": "root", "nfs": {"server": server, "path": path}}]
    return changed(provisioner(), volumes=volumes)


def pod_with_nfs(server: str) -> Object:
    volume = {"name": "data", "nfs": {"server": server, "path": "/exports"}}
    found = pod("p", "a")
    found["spec"]["volumes"] = [volume]
    return found


def through_pvc(path: str) -> list[Object]:
    claim = {"name": "root", "persistentVolumeClaim": {"claimName": "root"}}
    volume, pvc = bound("root", path)
    volume["spec"]["claimRef"]["namespace"] = "nfs-system"
    pvc["metadata"]["namespace"] = "nfs-system"
    return [volume, pvc, changed(provisioner(), volumes=[claim])]


def with_image(image: str) -> list[Object]:
    return [pod("p", "a", image)]


def csi_volume(
    name: str = "a", handle: str = "nas#exports#a#pv#", sub_dir: str = "", **spec: Any
) -> Object:
    """A volume of csi-driver-nfs on nas:/exports/NAME, or on another directory there."""
    attributes = {"server": "nas", "share": "/exports", "subDir": sub_dir or name}
    source = {"driver": "nfs.csi.k8s.io", "volumeHandle": handle, "volumeAttributes": attributes}
    return pv(name, nfs=None, csi=source, **spec)


def deleted(handle: str, policy: str = "Delete", name: str = "a", **spec: Any) -> Object:
    """A volume that the driver made, or is said to have made."""
    metadata = spec.pop("metadata", MADE)
    return csi_volume(name, handle, persistentVolumeReclaimPolicy=policy, metadata=metadata, **spec)


def csi_class(**parameters: str) -> Object:
    given = {"server": "nas", "share": "/exports", **parameters}
    return storage_class("csi", provisioner="nfs.csi.k8s.io", parameters=given)


OLD = "registry.k8s.io/sig-storage/nfsplugin:v4.10.0"
RETIRED = "external_storage/nfs-client-provisioner"

PROVISIONERS: list[Case] = [
    Case(
        "server-is-the-node",
        [pv("a", nfs={"server": "localhost", "path": "/exports"})],
        [pv("a", nfs={"server": "localhost-nas", "path": "/exports"})],
        "the server is localhost",
        "warning",
    ),
    Case(
        "server-is-the-node",
        [pod_with_nfs("127.0.0.1")],
        [pod_with_nfs("10.0.127.1")],
        "the server is 127.0.0.1",
        "warning",
    ),
    Case(
        "provisioner-mismatch",
        [storage_class("nfs"), provisioner(name="fuseim.pri/ifs")],
        [storage_class("nfs"), provisioner()],
        f"its provisioner is {SUBDIR}; Deployment nfs-system/provisioner is fuseim.pri/ifs",
        complete=False,
    ),
    Case(
        "provisioner-mismatch",
        [storage_class("nfs"), provisioner(name="fuseim.pri/ifs")],
        # the provisioner has a class of its own; the other's is somewhere else
        [storage_class("nfs"), provisioner(name="mine"), MINE],
        "is fuseim.pri/ifs",
        complete=False,
    ),
    Case(
        "provisioner-mismatch",
        [storage_class("nfs"), statefulset()],
        # its name comes from elsewhere
        [storage_class("nfs"), statefulset(), provisioner(name="")],
        f"there is no provisioner {SUBDIR} on this cluster",
        "warning",
    ),
    Case(
        "provisioner-mismatch",
        [storage_class("nfs"), statefulset()],
        [storage_class("nfs")],  # nobody waits for it
        f"there is no provisioner {SUBDIR} on this cluster",
        "warning",
    ),
    Case(
        "provisioner-root-differs",
        [mounting(path="/exports/data")],
        [mounting(path="/exports/")],
        "it mounts nfs:/exports/data, and NFS_SERVER and NFS_PATH are nfs:/exports",
    ),
    Case(
        "provisioner-root-differs",
        [mounting("other")],
        [mounting("192.0.2.10")],  # which may be its address
        "it mounts other:/exports",
        "warning",
    ),
    Case(
        "provisioner-root-differs",
        [changed(provisioner(), volumes=[{"name": "root", "nfs": {"server": "nfs", "path": "/"}}])],
        [changed(provisioner(), volumes=[{"name": "root", "configMap": {"name": "x"}}])],
        "it mounts nfs:/,",
    ),
    Case(
        "provisioner-root-differs",
        through_pvc("/exports/data"),
        through_pvc("/exports"),
        "it mounts nfs:/exports/data",
    ),
    Case(
        "provisioner-root-differs",
        [
            changed(
                provisioner(),
                containers=[
                    {
                        "env": [
                            {"name": "PROVISIONER_NAME", "value": "x"},
                            {"name": "NFS_PATH", "value": "/exports"},
                        ]
                    }
                ],
            )
        ],
        [provisioner()],
        "nothing is mounted at /persistentvolumes",
    ),
    Case(
        "provisioner-retired",
        with_image(f"quay.io/{RETIRED}:v3.1.0-k8s1.11"),
        with_image("registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2"),
        f"quay.io/{RETIRED}:v3.1.0-k8s1.11",
    ),
    Case(
        "provisioner-retired",
        with_image(f"registry:5000/{RETIRED}-arm@sha256:00"),
        with_image("nfs-client-provisioner-operator"),
        f"{RETIRED}-arm",
    ),
    Case(
        "provisioner-retired",
        with_image("somebody/nfs-client-provisioner:latest"),
        with_image("nfs-client-provisioner/web"),
        "somebody/nfs-client-provisioner",
        "warning",
    ),
    Case(
        "server-by-cluster-name",
        [pv("a", nfs={"server": SERVICE, "path": "/"})],
        [pv("a", nfs={"server": "nas.svc-lan.example.com", "path": "/"})],
        f"the server is {SERVICE}",
        "warning",
    ),
    Case(
        "server-by-cluster-name",
        [
            changed(
                provisioner(), volumes=[{"name": "x", "nfs": {"server": "n.d.svc", "path": "/"}}]
            )
        ],
        # the driver's own pod mounts it, with the cluster's DNS
        [csi_class(server=SERVICE, onDelete="retain")],
        "the server is n.d.svc",
        "warning",
    ),
    Case(
        "server-by-cluster-name",
        [
            changed(
                provisioner(),
                containers=[
                    {
                        "env": [
                            {"name": "PROVISIONER_NAME", "value": SUBDIR},
                            {"name": "NFS_SERVER", "value": SERVICE},
                            {"name": "NFS_PATH", "value": "/exports"},
                        ]
                    }
                ],
            )
        ],
        [provisioner()],
        f"its volumes have the server {SERVICE}",
        "warning",
    ),
    Case(
        "csi-driver-old",
        [*with_image(OLD), csi_class(subDir="x/${pvc.metadata.namespace}/${pvc.metadata.name}")],
        with_image("registry.k8s.io/sig-storage/nfsplugin:v4.13.1"),
        "it is v4.10.0, and class csi has a nested subDir",
    ),
    Case(
        "csi-driver-old",
        [*with_image(OLD), csi_class(subDir="${pv.metadata.name}")],
        with_image("somebody/nfsplugin:latest"),
        "it is v4.10.0",
        "warning",
    ),
    Case(
        "csi-handle-shared",
        [csi_volume("a", "h1"), csi_volume("b", "h1")],
        [csi_volume("a", "h1"), csi_volume("b", "h2")],
        "h1 is also the handle of PersistentVolume b",
        "warning",
    ),
    Case(
        "csi-handle-shared",
        [csi_volume("a", "h1"), csi_volume("b", "h1")],
        [csi_volume("a", "h1"), csi_volume("c", "h1", "./a")],
        "h1 is also the handle of",
        "warning",
    ),
    Case(
        "csi-handle-wrong",
        [deleted("nas#exports#b##")],
        [deleted("nas#exports#a##"), deleted("nas#exports#b##", "Retain", "c")],
        "nas:/exports/b is removed, and its directory is nas:/exports/a",
    ),
    Case(
        "csi-handle-wrong",
        [deleted("nas#exports#b##archive")],
        [deleted("nas#exports#b##retain")],
        "nas:/exports/b is archived",
    ),
    Case(
        "csi-handle-wrong",
        [deleted("unique-volumeid")],
        [deleted("unique-volumeid", metadata={})],  # nobody deletes it
        "the driver cannot read 'unique-volumeid', so nas:/exports/a stays",
        "warning",
    ),
    Case(
        "csi-on-delete-late",
        [deleted("nas#exports#a##", storageClassName="csi"), csi_class(onDelete="retain")],
        [deleted("nas#exports#a##retain", storageClassName="csi"), csi_class(onDelete="Retain")],
        "its handle says delete, StorageClass csi says retain",
        "warning",
    ),
    Case(
        "csi-on-delete-late",
        [deleted("nas#exports#a##retain", storageClassName="csi"), csi_class(onDelete="delete")],
        # the driver's default may be any
        [deleted("nas#exports#a##retain", storageClassName="csi"), csi_class()],
        "its handle says retain, StorageClass csi says delete",
        "warning",
    ),
    Case(
        "delete-on-static-volume",
        [csi_volume(persistentVolumeReclaimPolicy="Delete")],
        [csi_volume(persistentVolumeReclaimPolicy="Delete", metadata=PROVISIONED)],
        "nothing will delete nas:/exports/a of this volume",
        "warning",
    ),
]
