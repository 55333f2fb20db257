"""What a PV of csi-driver-nfs must carry."""

from landfast.kube.client import Object
from landfast.provisioning.csi import DRIVER, ClassSettings, attributes, handle
from landfast.provisioning.volumes import BoundVolume
from suites.carried import Carried, common

_SOURCE = "csi-driver-nfs, pkg/nfs/controllerserver.go, CreateVolume, of v4.13.4; CSI spec"
_ADDED = "storage.kubernetes.io/csiProvisionerIdentity"
SETTINGS = ClassSettings("", "", on_delete="archive", sub_dir="${pvc.metadata.name}")
"""Without a server and a share."""


def _settings(volume: BoundVolume) -> ClassSettings:
    overlay = volume.stack.overlay
    return ClassSettings(
        overlay.export.server,
        overlay.root,
        on_delete=SETTINGS.on_delete,
        sub_dir=SETTINGS.sub_dir,
    )


def _attributes(pv: Object) -> Object:
    said = pv["spec"]["csi"]["volumeAttributes"]
    return {name: v for name, v in said.items() if name != _ADDED and "csi.storage" not in name}


CARRIED = [
    *common("csi", "csi-provisioner, pkg/controller/controller.go, Provision"),
    Carried(
        "csi",
        "handle-says-what-deletion-does",
        "name the driver, and have the handle SERVER#SHARE#SUBDIR#VOLUME#ONDELETE",
        _SOURCE,
        lambda pv: (pv["spec"]["csi"]["driver"], pv["spec"]["csi"]["volumeHandle"]),
        lambda volume: (DRIVER, handle(_settings(volume), volume.pvc, volume.name)),
    ),
    Carried(
        "csi",
        "attributes-lead-to-the-directory",
        "carry the parameters of its class, with the expanded subDir",
        _SOURCE,
        _attributes,
        lambda volume: attributes(_settings(volume), volume.pvc, volume.name),
    ),
]
