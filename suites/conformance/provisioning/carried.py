"""What a provisioned PV must carry over from its PVC, its class and the provisioner."""

from collections.abc import Callable
from dataclasses import dataclass

from landfast.claims import Claim
from landfast.kube.client import Object
from landfast.provisioning.contract import ClassSettings, Line, directory, pv_path
from landfast.provisioning.volumes import BoundVolume

SETTINGS = ClassSettings("Delete", on_delete="delete")
MOUNT_OPTIONS = ["hard", "nfsvers=4", "noatime", "noexec"]
"""Those of the class: the reference's, and two that every mount of a pod shows."""


@dataclass(frozen=True)
class Carried:
    """One thing that a PV must carry: what is seen of it, and what is expected of a volume's."""

    slug: str
    text: str
    seen: Callable[[Object], object]
    expected: Callable[[BoundVolume], object]

    @property
    def claim(self) -> Claim:
        return Claim(
            id=f"provisioning.{self.slug}",
            text=f"A provisioned PV MUST {self.text}.",
            source="nfs-subdir-external-provisioner, provisioner.go, Provision (v4.0.2 and master)",
        )


def _nfs(volume: BoundVolume) -> Object:
    place = directory(Line.V402, SETTINGS, volume.pvc, volume.name)
    overlay = volume.stack.overlay
    return {"server": overlay.export.server, "path": pv_path(overlay.root, place)}


CARRIED = [
    Carried(
        "mount-options-follow-the-class",
        "carry the mountOptions of its class, all of them and in their order",
        lambda pv: pv["spec"].get("mountOptions"),
        lambda _volume: MOUNT_OPTIONS,
    ),
    Carried(
        "access-modes-follow-the-pvc",
        "carry the access modes of its PVC",
        lambda pv: pv["spec"]["accessModes"],
        lambda _volume: ["ReadWriteOnce"],
    ),
    Carried(
        "capacity-follows-the-request",
        "have the capacity that its PVC requests",
        lambda pv: pv["spec"]["capacity"],
        lambda _volume: {"storage": "1Mi"},
    ),
    Carried(
        "policy-follows-the-class",
        "have the reclaim policy of its class",
        lambda pv: pv["spec"]["persistentVolumeReclaimPolicy"],
        lambda _volume: SETTINGS.reclaim_policy,
    ),
    Carried(
        "class-follows-the-pvc",
        "name the class of its PVC",
        lambda pv: pv["spec"]["storageClassName"],
        lambda volume: f"{volume.pvc.name}{volume.stack.overlay.suffix}",
    ),
    Carried(
        "path-lies-below-nfs-path",
        "lead to NFS_SERVER and to the directory NAMESPACE-PVC-VOLUME in NFS_PATH",
        lambda pv: pv["spec"].get("nfs"),
        _nfs,
    ),
    Carried(
        "any-node-may-mount-it",
        "have no node affinity: every node reaches the server",
        lambda pv: pv["spec"].get("nodeAffinity"),
        lambda _volume: None,
    ),
]
