"""Cases of the rule for drivers of which the audit knows little."""

from objects_to_audit import Case, pv, storage_class

from landfast.kube.client import Object


def of_driver(driver: str, handle: str, **attributes: str) -> Object:
    """A volume of a CSI driver."""
    source = {"driver": driver, "volumeHandle": handle, "volumeAttributes": attributes}
    volume = pv("v", csi=source)
    del volume["spec"]["nfs"]
    return volume


EFS = "efs.csi.aws.com"
DIRECTORIES = [
    Case(
        "driver-not-known",
        [storage_class("x", provisioner=EFS, parameters={"provisioningMode": "efs-ap"})],
        [
            storage_class("x"),
            storage_class("y", provisioner="nfs.csi.k8s.io", parameters={}),
            storage_class("z", provisioner="ebs.csi.aws.com", parameters={}),
        ],
        "what efs.csi.aws.com does with its data is not known here",
        "note",
    ),
    Case(
        "driver-not-known",
        [of_driver("filestore.csi.storage.gke.io", "modeInstance/zone/one/vol")],
        [
            of_driver("filestore.csi.storage.gke.io", "x", ip="192.0.2.1", volume="v"),
            of_driver("driver.example.com", "x"),
        ],
        "do not say where it is",
        "note",
    ),
]
