"""Which directory a class gives a PVC, as far as the class alone decides it."""

from collections.abc import Mapping

from landfast.audit.directories import Directory
from landfast.audit.objects import PvcObject, StorageClass
from landfast.provisioning import contract, csi

_NEW = "\0"  # the name of a volume that does not exist yet


def directory_for(
    pvc: PvcObject, storage_class: StorageClass, roots: Mapping[str, Directory]
) -> Directory | None:
    """Return the directory that a PVC will get; None if it has a new one, or nobody knows.

    Args:
        pvc: a PVC for which a volume will be provisioned.
        storage_class: its class.
        roots: where the provisioners here make directories, by their names.
    """
    meta = contract.PvcMeta(pvc.namespace, pvc.name, pvc.metadata.labels, pvc.metadata.annotations)
    given = {key.lower(): str(value) for key, value in storage_class.parameters.items()}
    if storage_class.provisioner == csi.DRIVER:
        sub_dir = csi.expand(given.get("subdir", ""), meta, _NEW)
        if not sub_dir or _NEW in sub_dir or not given.get("server"):
            return None
        return Directory(server=given["server"], path=f"{given.get('share', '')}/{sub_dir}")
    pattern = storage_class.parameters.get("pathPattern")
    root = roots.get(storage_class.provisioner)
    if root is None or not isinstance(pattern, str) or not pattern:
        return None
    return root.sub(contract.expand(pattern, meta))
