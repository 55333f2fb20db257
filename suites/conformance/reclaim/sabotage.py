"""For every claim of the suite one way to make it untrue."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

from fixtures.sabotage import Sabotage, Target
from landfast.kube.client import Object
from suites.conformance.reclaim.matrix import CELLS
from suites.conformance.reclaim.recycling import CONTENTS
from suites.sabotages import execute_on_server, written


@contextlib.contextmanager
def volumes_are_not_patched(target: Target) -> Iterator[None]:
    """Changes of volumes never reach the API."""
    kube = target.stack.kube
    patch = kube.patch

    def patch_others(kind: str, name: str, *args: Any, **options: Any) -> Object:
        if kind == "PersistentVolume":
            return kube.get(kind, name)
        return patch(kind, name, *args, **options)

    with mock.patch.object(kube, "patch", patch_others):
        yield


@contextlib.contextmanager
def claimref_is_cleared(target: Target) -> Iterator[None]:
    """The claimRef of a volume is removed as soon as its claim is gone."""
    stack = target.stack
    wait_gone = stack.wait_gone

    def clear_after(kind: str, name: str, *args: Any, **options: Any) -> None:
        wait_gone(kind, name, *args, **options)
        for pv in stack.kube.list("PersistentVolume") if kind == "PersistentVolumeClaim" else []:
            claim = pv["spec"].get("claimRef", {})
            if (claim.get("namespace"), claim.get("name")) == (stack.namespace, name):
                cleared = {"spec": {"claimRef": None}}
                stack.kube.patch("PersistentVolume", pv["metadata"]["name"], cleared)

    with mock.patch.object(stack, "wait_gone", clear_after):
        yield


@contextlib.contextmanager
def neighbour_goes_too(target: Target) -> Iterator[None]:
    """What lies beside the volume is removed when its claim is deleted."""
    stack = target.stack
    delete = stack.kube.delete

    def delete_with_neighbour(kind: str, *args: Any, **options: Any) -> bool:
        if kind == "PersistentVolumeClaim":
            execute_on_server(target, "rm", "-rf", stack.folder("outside/precious.txt"))
        return delete(kind, *args, **options)

    with mock.patch.object(stack.kube, "delete", delete_with_neighbour):
        yield


@contextlib.contextmanager
def nobody_uses_it(target: Target) -> Iterator[None]:
    """The pod mounts an emptyDir in place of the claim."""
    instead = {"spec": {"volumes": [{"name": "nfs-pvc", "emptyDir": {}}]}}
    with written("Pod", instead)(target):
        yield


@contextlib.contextmanager
def image_is_not_taken_away(target: Target) -> Iterator[None]:
    """Another image than the recycler's is taken away from the nodes."""
    env = target.stack.env
    images = replace(env.images, recycler=f"docker.io/{env.images.busybox}")
    with mock.patch.dict(env.__dict__, images=images):
        yield


_SCRUBBED = "the volume's policy is Retain"
_RETAIN = written("PersistentVolume", {"spec": {"persistentVolumeReclaimPolicy": "Retain"}})
_KEPT = written("StorageClass", {"parameters": {"onDelete": "retain"}})

SABOTAGES = {
    **{c.claim.id: Sabotage("the class is written with one input flipped") for c in CELLS},
    **{content.claim.id: Sabotage(_SCRUBBED, _RETAIN) for content in CONTENTS},
    "reclaim.recycle-spares-what-symlinks-point-to": Sabotage(
        "what lies beside the volume is removed with its claim", neighbour_goes_too
    ),
    "reclaim.provisioner-follows-a-contract": Sabotage("every class says onDelete: retain", _KEPT),
    "reclaim.policy-changed-to-retain-is-obeyed": Sabotage(
        "the change of the policy never reaches the API", volumes_are_not_patched
    ),
    "reclaim.policy-changed-back-is-obeyed": Sabotage("the class says onDelete: retain", _KEPT),
    "reclaim.policy-changed-after-release-is-obeyed": Sabotage(
        "the change of the policy never reaches the API", volumes_are_not_patched
    ),
    "reclaim.released-volume-is-not-bound-again": Sabotage(
        "the volume's claimRef is removed once its claim is gone", claimref_is_cleared
    ),
    "reclaim.cleared-claimref-gives-the-data-back": Sabotage(
        "the removal of the claimRef never reaches the API", volumes_are_not_patched
    ),
    "reclaim.recycle-waits-for-pods": Sabotage(
        "the pod mounts an emptyDir in place of the claim", nobody_uses_it
    ),
    "reclaim.recycle-without-its-image-keeps-the-data": Sabotage(
        "another image than the recycler's is taken away", image_is_not_taken_away
    ),
}
