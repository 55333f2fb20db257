"""Volumes with the policy Recycle: their content, their recycler pod, and its image."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from landfast.claims import Claim
from landfast.docker import Engine
from landfast.environment import Environment
from landfast.kube.client import KubeError, Object
from landfast.provisioning.contract import ClassSettings
from landfast.provisioning.volumes import BoundVolume
from landfast.verdict import MissingCapability

RECYCLE = ClassSettings(reclaim_policy="Recycle")
RECYCLER_NAMESPACE = "default"
_SOURCE = "pkg/volume/plugins.go, NewPersistentVolumeRecyclerPodTemplate: find /scrub -delete"


@dataclass(frozen=True)
class Content:
    """Content that Recycle has to remove: a shell script that writes it, run in the volume."""

    name: str
    text: str
    script: str
    uid: int = 0

    @property
    def claim(self) -> Claim:
        return Claim(id=f"reclaim.recycle-{self.name}", text=self.text, source=_SOURCE)


CONTENTS = [
    Content(
        "removes-hidden-files",
        "Recycle MUST remove files and directories whose names begin with a dot or contain "
        "characters that are special to a shell.",
        "mkdir .dir && echo x > .dir/.file && echo x > .hidden && echo x > ..two && "
        "echo x > ' a b' && echo x > ./-rf && echo x > '*'",
    ),
    Content(
        "removes-what-others-own",
        "Recycle MUST remove files and directories that belong to another user and are not "
        "readable by anyone else.",
        "umask 077 && mkdir private && echo x > private/file && chmod 0400 private/file && "
        "chmod 0500 private",
        uid=999,
    ),
    Content(
        "removes-deep-trees",
        "Recycle MUST remove deeply nested directories and large numbers of them.",
        "d=.; for i in $(seq 60); do d=$d/deep; mkdir $d; echo x > $d/file; done; "
        "for i in $(seq 100); do mkdir wide-$i; done",
    ),
    Content(
        "spares-what-symlinks-point-to",
        "Recycle MUST remove symbolic links, and MUST NOT touch their targets outside the volume.",
        "ln -s ../outside relative && ln -s {root}/outside absolute && "
        "ln -s ../outside/precious.txt file && ln -s nowhere dangling",
    ),
]


def contents(volume: BoundVolume) -> list[str]:
    """Return the names of everything in a volume, as the server lists it."""
    return [*volume.stack.export.below(volume.directory).list()]


def delete_in_use(volume: BoundVolume) -> None:
    """Delete a volume's PVC, and remove the finalizer that protects it while it is in use."""
    kube, pvc = volume.stack.kube, ("PersistentVolumeClaim", volume.pvc.name)
    kube.delete(*pvc, volume.pvc.namespace)
    try:
        kube.patch(*pvc, {"metadata": {"finalizers": None}}, volume.pvc.namespace)
    except KubeError as error:
        if error.code != 404:  # not in use, so it is gone already
            raise
    volume.stack.wait_gone(*pvc, volume.pvc.namespace)


def recycler(volume: BoundVolume) -> Object | None:
    """Return the pod with which kube-controller-manager recycles a volume, or None."""
    return volume.stack.kube.find("Pod", f"recycler-for-{volume.name}", RECYCLER_NAMESPACE)


def remove_recycler(volume: BoundVolume) -> None:
    """Remove a volume's recycler pod after making sure that nobody creates it again."""
    volume.set_policy("Retain")
    name = f"recycler-for-{volume.name}"
    volume.stack.kube.delete("Pod", name, RECYCLER_NAMESPACE, grace_seconds=0)
    volume.stack.wait_gone("Pod", name, RECYCLER_NAMESPACE)


@contextlib.contextmanager
def image_away(env: Environment) -> Iterator[None]:
    """Rename the recycler's image on every node, so that no node has it; finally rename it back.

    Raises:
        MissingCapability: the nodes are not the run's own, or could pull the image again.
    """
    engine, image = _engine_of_nodes(env), env.images.recycler
    for node in env.cluster.nodes:
        _tag(engine, node, image, _away(image))
        _ctr(engine, node, "rm", "--sync", image)
    try:
        yield
    finally:
        restore_image(env)
        for node in env.cluster.nodes:
            _ctr(engine, node, "rm", "--sync", _away(image))


def restore_image(env: Environment) -> None:
    """Restore the name of the recycler's image on every node, inside `image_away`."""
    for node in env.cluster.nodes:
        _tag(_engine_of_nodes(env), node, _away(env.images.recycler), env.images.recycler)


def _engine_of_nodes(env: Environment) -> Engine:
    env.cluster.require("cluster.node-shell")
    if env.engine is None or env.images.source != "kit":
        raise MissingCapability("nodes.offline", "the nodes would pull the recycler's image again")
    return env.engine


def _away(image: str) -> str:
    return f"{image}-away"


def _tag(engine: Engine, node: str, old: str, new: str) -> None:
    _ctr(engine, node, "tag", "--force", old, new)


def _ctr(engine: Engine, node: str, *arguments: str) -> None:
    engine.execute(node, "ctr", "--namespace", "k8s.io", "images", *arguments)
