"""One way to make each claim of this suite untrue."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

from fixtures.sabotage import Sabotage, Target
from suites.conformance.protection import immutable, retention
from suites.conformance.protection.objects import pod
from suites.objects import workers
from suites.sabotages import Apply, before, cascading, first, uses, written

_NO_FINALIZERS = {"metadata": {"finalizers": None}}


def strip_finalizers(kind: str) -> Apply:
    """Delete every object of a kind by taking away its finalizers as well."""

    def act(target: Target, name: str) -> None:
        kube = target.stack.kube
        namespace = None if kind == "PersistentVolume" else target.stack.namespace
        if kube.delete(kind, name, namespace):
            kube.patch(kind, name, _NO_FINALIZERS, namespace)

    return before("delete", kind, act)


@contextlib.contextmanager
def volumes_are_held(target: Target) -> Iterator[None]:
    """Add another finalizer to PVs until the test is over."""
    held = {"metadata": {"finalizers": ["landfast.example/hold"]}}
    kube, suffix = target.stack.kube, target.stack.overlay.suffix
    try:
        with written("PersistentVolume", held)(target):
            yield
    finally:
        kube.patch("PersistentVolume", f"volume{suffix}", _NO_FINALIZERS)


def pods_name_their_node(target: Target) -> AbstractContextManager[None]:
    """Send pods to a node without asking the scheduler."""
    return written("Pod", {"spec": {"nodeName": workers(target.stack)[0]}})(target)


def use_the_pvc(target: Target) -> None:
    """Let a pod on a node wait for PVC `data` before that exists."""
    target.stack.make(pod("another", nodeName=workers(target.stack)[0]))


def _modes(mode: str) -> Apply:
    return written("PersistentVolume PersistentVolumeClaim", {"spec": {"accessModes": [mode]}})


def _mounts(*options: str) -> Apply:
    return written("PersistentVolume", {"spec": {"mountOptions": [*options]}})


def _of_row(row: retention.Retention) -> Sabotage:
    twin = row.twin().field
    return Sabotage(f"the set has {twin}", written("StatefulSet", {"spec": twin}))


_DELETE_SCALED = Sabotage(
    "the set says whenScaled: Delete",
    written(
        "StatefulSet", {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}}
    ),
)
_READ_ONLY = Sabotage("the PV's mountOptions have ro", _mounts("ro"))
_ANOTHER_POD = Sabotage("another pod on a node uses the PVC", first(use_the_pvc))
_P = "protection"

SABOTAGES: dict[str, Sabotage] = {
    f"{_P}.pvc-in-use-stays": Sabotage(
        "the PVC loses its finalizers as it is deleted", strip_finalizers("PersistentVolumeClaim")
    ),
    f"{_P}.deleted-pvc-takes-no-new-pod": Sabotage(
        "the pods name their node: the scheduler is not asked", pods_name_their_node
    ),
    f"{_P}.unused-pvc-goes": _ANOTHER_POD,
    f"{_P}.pvc-of-unscheduled-pod-goes": _ANOTHER_POD,
    f"{_P}.completed-pod-holds-its-pvc": Sabotage(
        "the pod has an emptyDir in place of the PVC", uses(emptyDir={})
    ),
    f"{_P}.foreign-finalizer-holds": Sabotage(
        "the PVC does not have the other finalizer",
        written("PersistentVolumeClaim", _NO_FINALIZERS),
    ),
    f"{_P}.bound-pv-stays": Sabotage(
        "the PV loses its finalizers as it is deleted", strip_finalizers("PersistentVolume")
    ),
    f"{_P}.unbound-pv-goes": Sabotage("the PV has another finalizer", volumes_are_held),
    f"{_P}.rwo-is-no-lock": Sabotage("PV and PVC are ReadWriteOncePod", _modes("ReadWriteOncePod")),
    f"{_P}.rwop-is-enforced": Sabotage("PV and PVC are ReadWriteOnce", _modes("ReadWriteOnce")),
    f"{_P}.rox-is-not-read-only": _READ_ONLY,
    f"{_P}.pv-read-only-is-no-effect": _READ_ONLY,
    f"{_P}.mount-option-ro-is-enforced": Sabotage("the PV's mountOptions have rw", _mounts("rw")),
    f"{_P}.pod-read-only-is-enforced": Sabotage(
        "the pod names its PVC without readOnly", uses(persistentVolumeClaim={"claimName": "data"})
    ),
    f"{_P}.retention-default-is-retain": _DELETE_SCALED,
    f"{_P}.scaled-up-pod-has-its-data": _DELETE_SCALED,
    f"{_P}.orphaned-pods-are-adopted": Sabotage(
        "the deletion of the set deletes its pods", cascading("StatefulSet")
    ),
    f"{_P}.resize-needs-the-class": Sabotage(
        "the class says allowVolumeExpansion",
        written("StorageClass", {"allowVolumeExpansion": True}),
    ),
    f"{_P}.mount-options-are-applied": Sabotage("the PV has other mountOptions", _mounts("hard")),
    f"{_P}.bad-mount-option-is-reported": Sabotage(
        "the PV has known mountOptions", _mounts("hard")
    ),
    f"{_P}.node-affinity-is-respected": Sabotage(
        "the PV has no nodeAffinity", written("PersistentVolume", {"spec": {"nodeAffinity": None}})
    ),
    f"{_P}.pvc-waits-for-its-pod": Sabotage(
        "the class says Immediate", written("StorageClass", {"volumeBindingMode": "Immediate"})
    ),
    **{row.claim.id: _of_row(row) for row in retention.ROWS},
    **{row.claim.id: Sabotage("only a label is changed") for row in immutable.ROWS},
}
