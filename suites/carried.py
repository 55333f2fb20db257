"""What a provisioned PV must carry over from its PVC and its class, whoever provisions it."""

from collections.abc import Callable
from dataclasses import dataclass

from landfast.claims import Claim
from landfast.kube.client import Object
from landfast.provisioning.volumes import BoundVolume
from landfast.stack import Change
from suites.objects import patched

MOUNT_OPTIONS = ["hard", "nfsvers=4", "noatime", "noexec"]
"""Those of the class: the reference's, and two that every mount of a pod shows."""
_OF_A_MOUNT = {"noatime", "noexec"}
with_mount_options: Change = patched("StorageClass", {"mountOptions": MOUNT_OPTIONS})


@dataclass(frozen=True)
class Carried:
    """One thing that a PV must carry: what is seen of it, and what is expected of a volume's."""

    suite: str
    slug: str
    text: str
    source: str
    seen: Callable[[Object], object]
    expected: Callable[[BoundVolume], object]

    @property
    def claim(self) -> Claim:
        """The statement that it is carried."""
        text = f"A provisioned PV MUST {self.text}."
        return Claim(id=f"{self.suite}.{self.slug}", text=text, source=self.source)


def common(suite: str, source: str) -> list[Carried]:
    """Return what a suite's provisioner must carry over, as any other: policy Delete, 1 Mi."""

    def row(
        slug: str,
        text: str,
        seen: Callable[[Object], object],
        expected: Callable[[BoundVolume], object],
    ) -> Carried:
        return Carried(suite, slug, text, source, seen, expected)

    return [
        row(
            "mount-options-follow-the-class",
            "carry the mountOptions of its class, all of them and in their order",
            lambda pv: pv["spec"].get("mountOptions"),
            lambda _volume: MOUNT_OPTIONS,
        ),
        row(
            "access-modes-follow-the-pvc",
            "carry the access modes of its PVC",
            lambda pv: pv["spec"]["accessModes"],
            lambda _volume: ["ReadWriteOnce"],
        ),
        row(
            "capacity-follows-the-request",
            "have the capacity that its PVC requests",
            lambda pv: pv["spec"]["capacity"],
            lambda _volume: {"storage": "1Mi"},
        ),
        row(
            "policy-follows-the-class",
            "have the reclaim policy of its class",
            lambda pv: pv["spec"]["persistentVolumeReclaimPolicy"],
            lambda _volume: "Delete",
        ),
        row(
            "class-follows-the-pvc",
            "name the class of its PVC",
            lambda pv: pv["spec"]["storageClassName"],
            lambda volume: f"{volume.pvc.name}{volume.stack.overlay.suffix}",
        ),
        row(
            "any-node-may-mount-it",
            "have no node affinity: every node reaches the server",
            lambda pv: pv["spec"].get("nodeAffinity"),
            lambda _volume: None,
        ),
    ]


def lacking_options(mountinfo: str) -> list[str]:
    """Return the class's options that a mount lacks, by its line of /proc/self/mountinfo.

    proc_pid_mountinfo(5): the sixth field has the options of the mount.
    """
    return sorted(_OF_A_MOUNT - set(mountinfo.split()[5].split(",")))
