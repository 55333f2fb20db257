"""Volumes that are recycled: what pods leave in them, and the pod that scrubs them."""

from dataclasses import dataclass

from landfast.claims import Claim
from landfast.kube.client import Object
from landfast.kube.manifests import load
from landfast.provisioning.contract import ClassSettings
from landfast.provisioning.volumes import Volume

RECYCLE = ClassSettings(reclaim_policy="Recycle")
RECYCLER_NAMESPACE = "default"
_SOURCE = "pkg/volume/plugins.go, NewPersistentVolumeRecyclerPodTemplate: find /scrub -delete"


@dataclass(frozen=True)
class Content:
    """What a pod leaves in a volume that is recycled: a shell script, run in the volume."""

    name: str
    text: str
    script: str
    uid: int = 0

    @property
    def claim(self) -> Claim:
        """The claim that it proves."""
        return Claim(id=f"reclaim.recycle-{self.name}", text=self.text, source=_SOURCE)


CONTENTS = [
    Content(
        "removes-hidden-files",
        "Recycle MUST remove files and directories whose names begin with a dot, or hold what a "
        "shell treats specially.",
        "mkdir .dir && echo x > .dir/.file && echo x > .hidden && echo x > ..two && "
        "echo x > ' a b' && echo x > ./-rf && echo x > '*'",
    ),
    Content(
        "removes-what-others-own",
        "Recycle MUST remove files and directories of another user that nobody else may read.",
        "umask 077 && mkdir private && echo x > private/file && chmod 0400 private/file && "
        "chmod 0500 private",
        uid=999,
    ),
    Content(
        "removes-deep-trees",
        "Recycle MUST remove directories at any depth, and many of them.",
        "d=.; for i in $(seq 60); do d=$d/deep; mkdir $d; echo x > $d/file; done; "
        "for i in $(seq 100); do mkdir wide-$i; done",
    ),
    Content(
        "spares-what-symlinks-point-to",
        "Recycle MUST remove symbolic links themselves, and MUST NOT touch what they point to "
        "outside of the volume.",
        "ln -s ../outside relative && ln -s {root}/outside absolute && "
        "ln -s ../outside/precious.txt file && ln -s nowhere dangling",
    ),
]


def user(volume: Volume, command: str, *, uid: int = 0) -> Object:
    """Give a pod, named like the volume's claim, that runs a shell command in the volume."""
    (obj,) = load("pod")
    obj["metadata"]["name"] = volume.pvc.name
    spec = obj["spec"]
    spec["securityContext"] = {"runAsUser": uid}
    spec["terminationGracePeriodSeconds"] = 0
    spec["containers"][0]["args"] = ["-c", f"cd /nfs && {command}"]
    spec["volumes"][0]["persistentVolumeClaim"]["claimName"] = volume.pvc.name
    return obj


def remove_pod(volume: Volume) -> None:
    """Remove the pod that uses a volume."""
    stack, name = volume.stack, volume.pvc.name
    stack.kube.delete("Pod", name, stack.namespace, grace_seconds=0)
    stack.wait_gone("Pod", name, stack.namespace)


def contents(volume: Volume) -> list[str]:
    """Give the names of everything in a volume, as the server has it."""
    top = volume.stack.folder(volume.directory)
    return [path.removeprefix(f"{top}/") for path in volume.stack.env.inspector.list(top)]


def delete_in_use(volume: Volume) -> None:
    """Delete a volume's claim; where it is protected, remove its finalizer."""
    kube, claim = volume.stack.kube, ("PersistentVolumeClaim", volume.pvc.name)
    kube.delete(*claim, volume.pvc.namespace)
    if kube.find(*claim, volume.pvc.namespace) is not None:
        kube.patch(*claim, {"metadata": {"finalizers": None}}, volume.pvc.namespace)
    volume.stack.wait_gone(*claim, volume.pvc.namespace)


def recycler(volume: Volume) -> Object | None:
    """Give the pod that recycles a volume, or None; kube-controller-manager makes it there."""
    return volume.stack.kube.find("Pod", f"recycler-for-{volume.name}", RECYCLER_NAMESPACE)


def keep(volume: Volume) -> None:
    """Let nobody recycle a volume that is going to be removed."""
    retain = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
    volume.stack.kube.patch("PersistentVolume", volume.name, retain)
