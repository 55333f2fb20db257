"""What becomes of data once its PVC is deleted, by the contract of what makes the volumes."""

from landfast.audit import subdir
from landfast.audit.csi_nfs import settings
from landfast.audit.objects import PvObject, StorageClass
from landfast.provisioning import csi, csi_deletion
from landfast.provisioning.contract import Fate, Reclaimed

_PV = "pvc-uid"


def fate_of_class(storage_class: StorageClass) -> Fate:
    """Return what becomes of a volume of a class that makes volumes on NFS; any PVC will do."""
    if storage_class.provisioner == csi.DRIVER:
        return csi_deletion.fate(settings(storage_class), subdir.SAMPLES[0], _PV)
    return subdir.fate_under(subdir.settings(storage_class))


def fate_of_volume(pv: PvObject, made_by: StorageClass | None) -> Reclaimed | None:
    """Return what becomes of a volume's directory; None if nobody says.

    `made_by` is its class. csi-driver-nfs does not ask it again: the handle says what is done.
    """
    if pv.policy == "Retain":
        return Reclaimed.KEPT
    if pv.policy == "Recycle":
        return Reclaimed.EMPTIED
    if not pv.provisioned:
        return None
    if pv.spec.csi and pv.spec.csi.driver == csi.DRIVER:
        read = csi.parse(pv.spec.csi.volume_handle)
        own = read.directory if read else ""
        return csi_deletion.deletion(pv.spec.csi.volume_handle, own).reclaimed
    return fate_of_class(made_by).reclaimed if made_by else None
