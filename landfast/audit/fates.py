"""What becomes of data once its PVC is deleted, by the contract of what makes the volumes."""

from landfast.audit import subdir
from landfast.audit.csi_nfs import settings
from landfast.audit.objects import StorageClass
from landfast.provisioning import csi, csi_deletion
from landfast.provisioning.contract import Fate

_PV = "pvc-uid"


def fate_of_class(storage_class: StorageClass) -> Fate:
    """Return what becomes of a volume of a class that makes volumes on NFS; any PVC will do."""
    if storage_class.provisioner == csi.DRIVER:
        return csi_deletion.fate(settings(storage_class), subdir.SAMPLES[0], _PV)
    return subdir.fate_under(subdir.settings(storage_class))
