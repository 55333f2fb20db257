"""What a class of csi-driver-nfs says, as the driver's contract takes it."""

from landfast.audit.directories import Directory
from landfast.audit.objects import StorageClass
from landfast.audit.subdir import SAMPLES
from landfast.provisioning.csi import ClassSettings, directory


def parameters(storage_class: StorageClass) -> dict[str, str]:
    """Return a class's parameters as text."""
    return {key: str(value) for key, value in storage_class.parameters.items()}


def settings(storage_class: StorageClass) -> ClassSettings:
    """Return what a class says; the case of its keys does not matter to the driver."""
    given = {key.lower(): value for key, value in parameters(storage_class).items()}
    return ClassSettings(
        given.get("server", ""),
        given.get("share", ""),
        storage_class.reclaim_policy,
        given.get("subdir"),
        given.get("ondelete"),
        given.get("mountpermissions"),
    )


def share_of(storage_class: StorageClass) -> Directory | None:
    """Return the directory in which a class has its volumes made, if it says one."""
    given = settings(storage_class)
    return Directory(server=given.server, path=given.share) if given.server else None


def directories(given: ClassSettings) -> list[str]:
    """Return the directories of some PVCs' volumes, relative to the share; "" is the share."""
    return [directory(given, pvc, f"pvc-{n}") for n, pvc in enumerate(SAMPLES)]
