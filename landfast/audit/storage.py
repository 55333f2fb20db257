"""Whether what a container mounts is on NFS, as far as objects tell."""

import re

from landfast.audit.drivers import on_nfs as driver_on_nfs
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvcObject, StorageClass
from landfast.audit.uses import Use

_IN_TREE = re.compile(
    r"kubernetes\.io/(aws-ebs|gce-pd|azure-disk|cinder|vsphere-volume|rbd|portworx-volume|host-path)"
)
_NFS_NAME = re.compile(r"(^|[-_.])(nfs|efs|filestore|netapp-nas)([-_.\d]|$)")
_BLOCK_NAME = re.compile(
    r"(^|[-_.])(gp2|gp3|io1|io2|ebs|rwo|local-path|local-storage|longhorn|ceph-block|rbd|lvm|zfs|"
    r"mayastor|hostpath|block-storage|block|managed-csi|managed-premium|hcloud-volumes|oci-bv|topolvm|"
    r"iscsi)([-_.]|$)"
)
"""Names that clouds and well-known installers give to classes of block devices and local disks."""
_LOCAL = re.compile(r"local-path|host-?path|no-provisioner|openebs\.io/local|^local\.csi\.")
_LOCAL_NAME = re.compile(r"(^|[-_.])(local-path|local-storage|hostpath)([-_.]|$)")
_OBJECTS = re.compile(
    r"(^|[-.])s3([-.]|$)|gcsfuse|\bgcs\.csi|^blob\.csi\.azure\.com$|rclone|^ossplugin\.|cosfs|^obs\.csi\."
)
"""Drivers that show a bucket as a file system."""
_OBJECTS_NAME = re.compile(r"(^|[-_.])(csi-s3|s3fs|gcsfuse|blobfuse2?|rclone)([-_.]|$)")


def on_nfs(inventory: Inventory, use: Use) -> bool | None:
    """Return whether a mount is on NFS; None if that is not known."""
    if use.pv:
        return use.pv.backing.on_nfs
    if use.pvc:
        return pvc_on_nfs(inventory, use.pvc)
    if use.source == "nfs":
        return True
    if use.source == "csi" and use.directory:
        return True
    return None if use.claim else False


def pvc_on_nfs(inventory: Inventory, pvc: PvcObject) -> bool | None:
    """Return whether a PVC's volume is or will be on NFS, None if that is not known."""
    volumes = {pv.backing.on_nfs for pv in inventory.volumes_for(pvc)}
    if volumes:
        return volumes.pop() if len(volumes) == 1 else None
    if pvc.spec.volume_name or not (name := inventory.storage_class_of(pvc)):
        return None
    storage_class = inventory.find_class(name)
    if storage_class:
        return _class_on_nfs(inventory, storage_class)
    if _NFS_NAME.search(name):
        return True
    return False if is_block(name) else None


def is_block(class_name: str) -> bool:
    """Whether a class is called like those of block devices and local disks."""
    return bool(_BLOCK_NAME.search(class_name))


def _class_on_nfs(inventory: Inventory, storage_class: StorageClass) -> bool | None:
    if storage_class in inventory.subdir_classes:
        return True
    if _IN_TREE.match(storage_class.provisioner):
        return False
    return driver_on_nfs(storage_class.provisioner)


def on_one_node(inventory: Inventory, use: Use) -> bool:
    """Whether a mount is a directory or a disk of one node, so that all its pods run there."""
    if use.pvc is None:
        return False
    sources = {pv.spec.source for pv in inventory.volumes_for(use.pvc)}
    if sources:
        return sources <= {"hostPath", "local"}
    return _is_of(inventory, use.pvc, _LOCAL, _LOCAL_NAME)


def bucket_of(inventory: Inventory, use: Use) -> str:
    """Return what shows a bucket as the file system of a mount, in words; "" if it is none."""
    inline = next((v.csi for v in use.workload.pod.volumes if v.name == use.mount.name), None)
    for csi in (use.pv.spec.csi if use.pv else None, inline):
        if csi and _OBJECTS.search(csi.driver):
            given = {key.lower(): value for key, value in csi.volume_attributes.items()}
            return "" if given.get("protocol") == "nfs" else csi.driver
    if use.pv or use.pvc is None or not _is_of(inventory, use.pvc, _OBJECTS, _OBJECTS_NAME):
        return ""
    name = inventory.storage_class_of(use.pvc)
    found = inventory.find_class(name)
    if found and str(found.parameters.get("protocol", "")).lower() == "nfs":
        return ""
    return f"{found.provisioner} of {found.title}" if found else f"StorageClass {name}"


def _is_of(
    inventory: Inventory, pvc: PvcObject, provisioner: re.Pattern[str], name: re.Pattern[str]
) -> bool:
    """Whether a PVC's class has such a provisioner or, if it is not known, such a name."""
    of = inventory.storage_class_of(pvc)
    found = inventory.find_class(of)
    return bool(provisioner.search(found.provisioner) if found else name.search(of))
