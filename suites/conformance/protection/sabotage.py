"""For every claim of this suite one way to make it untrue."""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from fixtures.sabotage import Sabotage, Target
from suites.conformance.protection import immutable, retention
from suites.conformance.protection.objects import pod, workers
from suites.sabotages import Apply, written

_NO_FINALIZERS = {"metadata": {"finalizers": None}}


def finalizers_are_stripped(kind: str) -> Apply:
    """Every object of a kind loses its finalizers as soon as it is deleted."""

    @contextlib.contextmanager
    def apply(target: Target) -> Iterator[None]:
        kube = target.stack.kube
        delete = kube.delete

        def delete_and_strip(
            deleted: str, name: str, namespace: str | None = None, **options: Any
        ) -> bool:
            was_there = delete(deleted, name, namespace, **options)
            if deleted == kind:
                kube.patch(kind, name, _NO_FINALIZERS, namespace)
            return was_there

        with mock.patch.object(kube, "delete", delete_and_strip):
            yield

    return apply


@contextlib.contextmanager
def volumes_are_held(target: Target) -> Iterator[None]:
    """Volumes have a finalizer of somebody else's until the test is over."""
    held = {"metadata": {"finalizers": ["landfast.example/hold"]}}
    kube, suffix = target.stack.kube, target.stack.overlay.suffix
    try:
        with written("PersistentVolume", held)(target):
            yield
    finally:
        kube.patch("PersistentVolume", f"volume{suffix}", _NO_FINALIZERS)


@contextlib.contextmanager
def deletions_cascade(target: Target) -> Iterator[None]:
    """What is deleted takes along what it owns, whatever was asked for."""
    kube = target.stack.kube
    delete = kube.delete

    def delete_with_all(*what: Any, **options: Any) -> bool:
        return delete(*what, **{**options, "propagation": "Background"})

    with mock.patch.object(kube, "delete", delete_with_all):
        yield


@contextlib.contextmanager
def pods_name_their_node(target: Target) -> Iterator[None]:
    """The scheduler is not asked where pods go."""
    with written("Pod", {"spec": {"nodeName": workers(target.stack)[0]}})(target):
        yield


@contextlib.contextmanager
def another_pod_uses_the_pvc(target: Target) -> Iterator[None]:
    """A pod on a node waits for the pvc `data` before that is there."""
    target.stack.make(pod("another", nodeName=workers(target.stack)[0]))
    yield


def _modes(mode: str) -> Apply:
    return written("PersistentVolume PersistentVolumeClaim", {"spec": {"accessModes": [mode]}})


def _mounts(*options: str) -> Apply:
    return written("PersistentVolume", {"spec": {"mountOptions": [*options]}})


def _uses(**source: object) -> Apply:
    return written("Pod", {"spec": {"volumes": [{"name": "nfs-pvc", **source}]}})


def _of_row(row: retention.Retention) -> Sabotage:
    twin = row.twin().field
    return Sabotage(f"the set has {twin}", written("StatefulSet", {"spec": twin}))


_DELETE_SCALED = {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}
_READ_ONLY = Sabotage("the volume's mountOptions have ro", _mounts("ro"))
_ANOTHER_POD = Sabotage("another pod on a node uses the pvc", another_pod_uses_the_pvc)
_P = "protection"

SABOTAGES: dict[str, Sabotage] = {
    f"{_P}.pvc-in-use-stays": Sabotage(
        "the pvc loses its finalizers as it is deleted",
        finalizers_are_stripped("PersistentVolumeClaim"),
    ),
    f"{_P}.deleted-pvc-takes-no-new-pod": Sabotage(
        "the pods name their node: the scheduler is not asked", pods_name_their_node
    ),
    f"{_P}.unused-pvc-goes": _ANOTHER_POD,
    f"{_P}.pvc-of-unscheduled-pod-goes": _ANOTHER_POD,
    f"{_P}.completed-pod-holds-its-pvc": Sabotage(
        "the pod has an emptyDir in place of the pvc", _uses(emptyDir={})
    ),
    f"{_P}.foreign-finalizer-holds": Sabotage(
        "the pvc has no finalizer of somebody else's",
        written("PersistentVolumeClaim", _NO_FINALIZERS),
    ),
    f"{_P}.bound-pv-stays": Sabotage(
        "the volume loses its finalizers as it is deleted",
        finalizers_are_stripped("PersistentVolume"),
    ),
    f"{_P}.unbound-pv-goes": Sabotage(
        "the volume has a finalizer of somebody else's", volumes_are_held
    ),
    f"{_P}.rwo-is-no-lock": Sabotage(
        "volume and pvc are ReadWriteOncePod", _modes("ReadWriteOncePod")
    ),
    f"{_P}.rwop-is-enforced": Sabotage("volume and pvc are ReadWriteOnce", _modes("ReadWriteOnce")),
    f"{_P}.rox-is-not-read-only": _READ_ONLY,
    f"{_P}.pv-read-only-is-no-effect": _READ_ONLY,
    f"{_P}.mount-option-ro-is-enforced": Sabotage(
        "the volume's mountOptions have rw", _mounts("rw")
    ),
    f"{_P}.pod-read-only-is-enforced": Sabotage(
        "the pod names its pvc without readOnly",
        _uses(persistentVolumeClaim={"claimName": "data"}),
    ),
    f"{_P}.retention-default-is-retain": Sabotage(
        "the set says whenScaled: Delete", written("StatefulSet", {"spec": _DELETE_SCALED})
    ),
    f"{_P}.scaled-up-pod-has-its-data": Sabotage(
        "the set says whenScaled: Delete", written("StatefulSet", {"spec": _DELETE_SCALED})
    ),
    f"{_P}.orphaned-pods-are-adopted": Sabotage(
        "the deletion of the set takes its pods along", deletions_cascade
    ),
    f"{_P}.resize-needs-the-class": Sabotage(
        "the class says allowVolumeExpansion",
        written("StorageClass", {"allowVolumeExpansion": True}),
    ),
    f"{_P}.mount-options-are-applied": Sabotage(
        "the volume's mountOptions are others", _mounts("hard")
    ),
    f"{_P}.bad-mount-option-is-reported": Sabotage(
        "the volume's mountOptions are known ones", _mounts("hard")
    ),
    f"{_P}.node-affinity-is-respected": Sabotage(
        "the volume has no nodeAffinity",
        written("PersistentVolume", {"spec": {"nodeAffinity": None}}),
    ),
    f"{_P}.pvc-waits-for-its-pod": Sabotage(
        "the class says Immediate", written("StorageClass", {"volumeBindingMode": "Immediate"})
    ),
    **{row.claim.id: _of_row(row) for row in retention.ROWS},
    **{row.claim.id: Sabotage("only a label is changed") for row in immutable.ROWS},
}
