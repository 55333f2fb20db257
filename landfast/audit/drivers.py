"""Which directory a volume of a CSI driver is, for the drivers that keep data on NFS.

Sources: the drivers' own documentation of `volumeHandle` and `volumeAttributes`: csi-driver-nfs
(pkg/nfs/nodeserver.go), aws-efs-csi-driver, gcp-filestore-csi-driver, azurefile-csi-driver,
aws-fsx-openzfs-csi-driver, Trident, alibaba-cloud-csi-driver, democratic-csi.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from landfast.audit.directories import Directory
from landfast.provisioning import csi

Attributes = Mapping[str, str]
"""`volumeAttributes`; the keys are in lower case."""


@dataclass(frozen=True)
class Backing:
    """What is known of a volume: whether it is on NFS, None if nobody knows, and its directory."""

    on_nfs: bool | None
    directory: Directory | None = None


_UNKNOWN = Backing(None)
_NOT_NFS = Backing(on_nfs=False)
_SOMEWHERE = Backing(on_nfs=True)
_EXPANDED = {
    "${pvc.metadata.name}": "csi.storage.k8s.io/pvc/name",
    "${pvc.metadata.namespace}": "csi.storage.k8s.io/pvc/namespace",
    "${pv.metadata.name}": "csi.storage.k8s.io/pv/name",
}


def backing(driver: str, handle: str, attributes: Attributes) -> Backing:
    """Return what is known of a volume of a CSI driver; an inline volume has no handle."""
    read = _DRIVERS.get(driver)
    if read is None:
        return _NOT_NFS if _OTHERS.search(driver) else _UNKNOWN
    return read(handle, {key.lower(): value for key, value in attributes.items()})


def on_nfs(driver: str) -> bool | None:
    """Whether a CSI driver keeps data on NFS; None if that depends, or nobody knows."""
    if driver in _DRIVERS:
        return None if driver in _MIXED else True
    return False if _OTHERS.search(driver) else None


def _on(server: str, path: str) -> Backing:
    return Backing(on_nfs=True, directory=Directory(server=server, path=path))


def _csi_driver_nfs(handle: str, given: Attributes) -> Backing:
    """Attributes decide what is mounted (nodeserver.go); the handle only what is deleted."""
    server, share, sub_dir = given.get("server"), given.get("share"), given.get("subdir", "")
    if server and share:
        for placeholder, key in _EXPANDED.items():
            sub_dir = sub_dir.replace(placeholder, given.get(key, placeholder))
        return _on(server, f"{share}/{sub_dir}")
    said = csi.parse(handle)
    return _on(said.server, f"{said.share}/{said.directory}") if said else _SOMEWHERE


def _efs(handle: str, _given: Attributes) -> Backing:
    """`fs-ID[:PATH][:fsap-ID]`: where an access point begins on its file system, AWS knows."""
    server, *rest = handle.split(":")
    path, point = (*rest, "", "")[:2]
    return _on(server, f"{point}/{path}") if server.startswith("fs-") else _SOMEWHERE


def _filestore(_handle: str, given: Attributes) -> Backing:
    if given.get("ip") and given.get("volume"):
        return _on(given["ip"], given["volume"])
    return _SOMEWHERE


def _azure_files(handle: str, given: Attributes) -> Backing:
    if given.get("protocol", "").lower() != "nfs" and "nfs" not in given.get("fstype", "").lower():
        return _NOT_NFS
    _, account, share, *_ = (*handle.split("#"), "", "", "")
    account = given.get("server") or given.get("storageaccount") or account
    share = given.get("sharename") or share
    if not (account and share):
        return _SOMEWHERE
    server = account if "." in account else f"{account}.file.core.windows.net"
    name = server.partition(".")[0]
    return _on(server, f"{name}/{share}/{given.get('foldername', '')}")


def _fsx_openzfs(handle: str, given: Attributes) -> Backing:
    server = given.get("dnsname")
    if not server:
        return _SOMEWHERE
    path = given.get("volumepath") or ("fsx" if handle.startswith("fs-") else "")
    return _on(server, path) if path else Backing(True, Directory(of=f"FSx volume {handle}"))


def _trident(_handle: str, given: Attributes) -> Backing:
    """Trident says which volume of which backend, not on which address."""
    if given.get("protocol", "file") != "file":
        return _NOT_NFS
    name, backend = given.get("internalname"), given.get("backenduuid", "")
    return Backing(True, Directory(of=f"Trident volume {backend} {name}")) if name else _SOMEWHERE


def _server_and(path_key: str, server_key: str = "server") -> Callable[[str, Attributes], Backing]:
    def read(_handle: str, given: Attributes) -> Backing:
        if given.get(server_key) and given.get(path_key):
            return _on(given[server_key], given[path_key])
        return _SOMEWHERE

    return read


def _democratic(handle: str, given: Attributes) -> Backing:
    if given.get("node_attach_driver", "nfs") != "nfs":
        return _NOT_NFS
    return _server_and("share")(handle, given)


_DRIVERS: dict[str, Callable[[str, Attributes], Backing]] = {
    csi.DRIVER: _csi_driver_nfs,
    "efs.csi.aws.com": _efs,
    "filestore.csi.storage.gke.io": _filestore,
    "file.csi.azure.com": _azure_files,
    "fsx.openzfs.csi.aws.com": _fsx_openzfs,
    "csi.trident.netapp.io": _trident,
    "nasplugin.csi.alibabacloud.com": _server_and("path"),
    "com.tencent.cloud.csi.cfs": _server_and("path", "host"),
    "org.democratic-csi.nfs": _democratic,
    "nfs.manila.csi.openstack.org": _server_and("share"),
}
_MIXED = {"file.csi.azure.com", "csi.trident.netapp.io"}
_OTHERS = re.compile(
    r"ebs|disk|block|rbd|cinder|longhorn|iscsi|san\b|lvm|topolvm|zfs\.csi|local|hostpath|mayastor|"
    r"linstor|\bpd\.csi|secrets-store|cephfs|gluster|smb|s3|gcsfuse|blob|juicefs|lustre|"
    r"^fsx\.csi\.aws\.com$|vsphere|hetzner|digitalocean|linode"
)
"""Drivers of block devices, of other file systems and of no storage at all."""
