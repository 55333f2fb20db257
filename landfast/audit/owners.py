"""Who has which directory of an export, so that no live directory is called an orphan."""

from collections.abc import Iterator
from dataclasses import dataclass

from landfast.audit.directories import Directory
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvObject, Resource
from landfast.audit.place import Path
from landfast.audit.uses import inline_root


@dataclass(frozen=True)
class Owner:
    """What has a directory.

    Attributes:
        directory: the directory, on NFS.
        resource: a volume, a PVC that will be provisioned, or what runs pods.
        at: the field that names the directory.
        mounts: whether pods wait for the directory while it is missing.
        provisions: whether it only makes directories for others in this one.
    """

    directory: Directory
    resource: Resource
    at: Path = ()
    mounts: bool = True
    provisions: bool = False


def owners(inventory: Inventory) -> tuple[Owner, ...]:
    """Return every directory on NFS that is known, with who has it.

    Volumes of CSI drivers, volumes that pods define themselves, sub-paths, and what classes will
    make are there like any.
    """
    found = (*_of_volumes(inventory), *_of_pods(inventory), *_made(inventory))
    return tuple(owner for owner in found if not owner.directory.of)


def _of_volumes(inventory: Inventory) -> Iterator[Owner]:
    makers = {id(workload) for _, workload in inventory.provisioner_roots}
    used = [use for use in inventory.uses if use.pv]
    roots = {use.pv.title for use in used if use.pv and id(use.workload) in makers}
    roots -= {use.pv.title for use in used if use.pv and id(use.workload) not in makers}
    for pv in inventory.pvs:
        if pv.directory:
            yield Owner(pv.directory, pv, _at(pv), provisions=pv.title in roots)


def _at(pv: PvObject) -> Path:
    return ("spec", "nfs", "path") if pv.spec.nfs else ("spec", "csi")


def _of_pods(inventory: Inventory) -> Iterator[Owner]:
    makers = {id(workload) for _, workload in inventory.provisioner_roots}
    for workload in inventory.workloads:
        for number, volume in enumerate(workload.pod.volumes):
            if root := inline_root(volume):
                at = (*workload.template_at, "spec", "volumes", number)
                yield Owner(root, workload, at, provisions=id(workload) in makers)
    for use in inventory.uses:
        if use.directory and (use.mount.sub_path or use.mount.sub_path_expr):
            own, variable, _ = use.directory.path.partition("$(")  # for each pod another
            path = own.rpartition("/")[0] if variable else own
            there = use.directory.model_copy(update={"path": path or "/"})
            yield Owner(there, use.workload, mounts=False)  # the kubelet makes it


def _made(inventory: Inventory) -> Iterator[Owner]:
    for pvc in inventory.pvcs:
        if not inventory.volumes_for(pvc) and (made := inventory.made_for(pvc)):
            yield Owner(made, pvc, mounts=False)
