"""What a PV of the reference's provisioner must carry."""

from landfast.kube.client import Object
from landfast.provisioning.contract import ClassSettings, Line, directory, pv_path
from landfast.provisioning.volumes import BoundVolume
from suites.carried import Carried, common

SETTINGS = ClassSettings("Delete", on_delete="delete")
_SOURCE = "nfs-subdir-external-provisioner, provisioner.go, Provision (v4.0.2 and master)"


def _nfs(volume: BoundVolume) -> Object:
    place = directory(Line.V402, SETTINGS, volume.pvc, volume.name)
    overlay = volume.stack.overlay
    return {"server": overlay.export.server, "path": pv_path(overlay.root, place)}


CARRIED = [
    *common("provisioning", _SOURCE),
    Carried(
        "provisioning",
        "path-lies-below-nfs-path",
        "lead to NFS_SERVER and to the directory NAMESPACE-PVC-VOLUME in NFS_PATH",
        _SOURCE,
        lambda pv: pv["spec"].get("nfs"),
        _nfs,
    ),
]
