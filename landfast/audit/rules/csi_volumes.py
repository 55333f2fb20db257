"""Rules for volumes of csi-driver-nfs: what their handles say, which decide over deletion."""

from collections import defaultdict
from collections.abc import Iterator

from landfast.audit.csi_nfs import settings
from landfast.audit.directories import Directory
from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.objects import CsiSource, PvObject
from landfast.provisioning import csi

_HANDLE = ("spec", "csi", "volumeHandle")
_SOURCE = (
    "csi-driver-nfs v4.13.4, pkg/nfs/controllerserver.go, getNfsVolFromID, DeleteVolume; "
    "landfast/provisioning/csi_deletion.py"
)


def _volumes(inventory: Inventory) -> Iterator[tuple[PvObject, CsiSource]]:
    for pv in inventory.pvs:
        if pv.spec.csi and pv.spec.csi.driver == csi.DRIVER:
            yield pv, pv.spec.csi


def _deleted(inventory: Inventory) -> Iterator[tuple[PvObject, CsiSource]]:
    """Yield the volumes that the driver is asked to delete once their PVC is gone."""
    return ((pv, s) for pv, s in _volumes(inventory) if pv.policy == "Delete" and pv.provisioned)


@Rule(
    "audit.csi-handle-shared",
    Severity.WARNING,
    "One volumeHandle for several directories",
    reason=(
        "Kubernetes tells volumes of a driver apart by their handles. A pod with two such volumes "
        "stays in ContainerCreating, and what is deleted is the handle's directory."
    ),
    fix="Give each volume a handle of its own: SERVER#SHARE#SUBDIR#NAME.",
    example="""
        kind: PersistentVolume
        spec:
          csi:
            driver: nfs.csi.k8s.io
            volumeHandle: nas.example.com#export#shop#pv-shop
            volumeAttributes: {server: nas.example.com, share: /export, subDir: shop}
    """,
    source="csi-driver-nfs, issues 369 and 428; Kubernetes v1.37, pkg/volume/csi/csi_plugin.go",
)
def csi_handle_shared(inventory: Inventory) -> Iterator[Hit]:
    """Find handles of several volumes, unless all have one directory: another rule's."""
    by_handle: dict[str, list[PvObject]] = defaultdict(list)
    for pv, source in _volumes(inventory):
        by_handle[source.volume_handle].append(pv)
    for handle, pvs in by_handle.items():
        first, *others = {pv.title: pv for pv in pvs}.values()
        if len({str(pv.directory) for pv in pvs}) > 1 and others:
            said = f"{handle} is also the handle of {listed([pv.title for pv in others])}"
            yield Hit(first, said, _HANDLE)


@Rule(
    "audit.csi-handle-wrong",
    Severity.ERROR,
    "A volumeHandle that leads to another directory",
    reason=(
        "Pods mount what volumeAttributes say; when the PVC is deleted, the driver removes what "
        "the handle says. If it cannot read the handle, it reports success and leaves the data."
    ),
    fix="Set persistentVolumeReclaimPolicy: Retain on volumes that you write by hand.",
    example="""
        kind: PersistentVolume
        spec:
          persistentVolumeReclaimPolicy: Retain
    """,
    source=f"{_SOURCE}; csi.unreadable-handle-leaks; csi.hash-in-subdir-hits-a-neighbour",
)
def csi_handle_wrong(inventory: Inventory) -> Iterator[Hit]:
    """Find such volumes under Delete; a handle that cannot be read is a warning."""
    for pv, source in _deleted(inventory):
        read = csi.parse(source.volume_handle)
        if read is None:
            said = f"the driver cannot read {source.volume_handle!r}, so "
            said += f"{pv.directory or 'its data'} stays"
            yield Hit(pv, said, _HANDLE, Severity.WARNING)
            continue
        target = Directory(server=read.server, path=f"{read.share}/{read.directory}")
        if read.action != "retain" and pv.directory and target != pv.directory:
            done = "archived" if read.action == "archive" else "removed"
            yield Hit(pv, f"{target} is {done}, and its directory is {pv.directory}", _HANDLE)


@Rule(
    "audit.csi-on-delete-late",
    Severity.WARNING,
    "A volume that its class no longer decides over",
    reason=(
        "What becomes of a volume is fixed in its handle when it is made. A class that is created "
        "anew with another onDelete counts for new volumes only."
    ),
    fix="Set persistentVolumeReclaimPolicy: Retain on the volume if its data is to be kept.",
    example="""
        kind: PersistentVolume
        spec:
          persistentVolumeReclaimPolicy: Retain
    """,
    source=f"{_SOURCE}; csi.class-counts-at-creation",
)
def csi_on_delete_late(inventory: Inventory) -> Iterator[Hit]:
    """Find volumes whose handle says something else than the onDelete of their class."""
    classes = {made.name: made for made in inventory.csi_classes}
    for pv, source in _deleted(inventory):
        read, made = csi.parse(source.volume_handle), classes.get(pv.storage_class)
        wanted = settings(made).on_delete if made else None
        if read and wanted and wanted.lower() != read.action:
            said = f"its handle says {read.action}, StorageClass {pv.storage_class} says {wanted}"
            yield Hit(pv, said, _HANDLE)
