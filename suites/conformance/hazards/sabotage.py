"""For every hazard one way to make its claim untrue: one input is flipped."""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from fixtures.sabotage import Sabotage, Target
from landfast.kube.client import Object
from landfast.nfs.server import EXPORT_PATH, SQUASHED_PATH
from suites.conformance.hazards.objects import PATH, variable
from suites.sabotages import Apply, written


def of_class(**parameters: str) -> Apply:
    """The class is written with other parameters."""
    return written("StorageClass", {"parameters": parameters})


def of_claim(spec: Object) -> Apply:
    """The claim is written with other fields in its spec; None is none."""
    return written("PersistentVolumeClaim", {"spec": spec})


@contextlib.contextmanager
def volume_is_not_deleted(target: Target) -> Iterator[None]:
    """Deleting a volume does nothing."""
    delete = target.stack.kube.delete

    def delete_others(kind: str, *args: Any, **options: Any) -> bool:
        return kind == "PersistentVolume" or delete(kind, *args, **options)

    with mock.patch.object(target.stack.kube, "delete", delete_others):
        yield


@contextlib.contextmanager
def not_squashed(target: Target) -> Iterator[None]:
    """Pods mount the export that trusts root."""

    def change(obj: Object) -> Object:
        for volume in obj.get("spec", {}).get("volumes", []) if obj["kind"] == "Pod" else []:
            path = volume["nfs"]["path"]
            volume["nfs"]["path"] = EXPORT_PATH + path.removeprefix(SQUASHED_PATH)
        return obj

    target.stack.changes.append(change)
    yield


@contextlib.contextmanager
def administrator_removes_nothing(target: Target) -> Iterator[None]:
    """Removing on the server does nothing."""
    with mock.patch.object(target.stack.env.inspector, "remove"):
        yield


@contextlib.contextmanager
def another_name(target: Target) -> Iterator[None]:
    """The first stack's provisioner, and its class, have a name that the other one has not."""

    def change(obj: Object) -> Object:
        if obj["kind"] == "StorageClass":
            obj["provisioner"] += "-another"
        return variable("PROVISIONER_NAME", "{}-another")(obj)

    target.stack.changes.append(change)
    yield


_KEPT = Sabotage("the class says onDelete: retain", of_class(onDelete="retain"))
_REMOVED = Sabotage("the class says onDelete: delete", of_class(onDelete="delete"))
_RETAIN = Sabotage(
    "the class says reclaimPolicy Retain", written("StorageClass", {"reclaimPolicy": "Retain"})
)
_PATH_GIVEN = Sabotage(
    "the claim's annotation is a plain name",
    written("PersistentVolumeClaim", {"metadata": {"annotations": {PATH: "given"}}}),
)
_FLAT = Sabotage("the class's pathPattern has one level", of_class(pathPattern="${.PVC.name}"))

SABOTAGES = {
    "hazards.shared-directory-is-removed": _KEPT,
    "hazards.shared-directory-is-archived": _KEPT,
    "hazards.kept-directory-is-handed-on": _REMOVED,
    "hazards.nested-directory-is-leaked": _FLAT,
    "hazards.nested-archives-collide": _FLAT,
    "hazards.last-name-hits-a-neighbour": _KEPT,
    "hazards.missing-annotation-gives-the-root": _PATH_GIVEN,
    "hazards.dot-empties-the-export": _PATH_GIVEN,
    "hazards.dot-dot-leaves-the-export": _PATH_GIVEN,
    "hazards.annotation-climbs-to-a-neighbour": _PATH_GIVEN,
    "hazards.archive-is-not-overwritten": _REMOVED,
    "hazards.class-deleted-first-blocks-deletion": _RETAIN,
    "hazards.class-counts-at-deletion": _KEPT,
    "hazards.volume-deleted-first-leaks": Sabotage(
        "deleting the volume does nothing", volume_is_not_deleted
    ),
    "hazards.vanished-directory-goes-unnoticed": Sabotage(
        "the directory is not removed", administrator_removes_nothing
    ),
    "hazards.misspelt-on-delete-archives": _REMOVED,
    "hazards.empty-selector-is-refused": Sabotage(
        "the claim has no selector", of_claim({"selector": None})
    ),
    "hazards.block-is-refused": Sabotage(
        "the claim is for volumeMode Filesystem", of_claim({"volumeMode": "Filesystem"})
    ),
    "hazards.size-is-not-enforced": Sabotage(
        "the pod writes to an emptyDir in place of its claim",
        written("Pod", {"spec": {"volumes": [{"name": "nfs-pvc", "emptyDir": {}}]}}),
    ),
    "hazards.root-squash-forbids-chown": Sabotage(
        "pods mount the export that trusts root", not_squashed
    ),
    "hazards.root-squash-blocks-deletion": Sabotage(
        "the pod runs as the user that root is squashed to",
        written("Pod", {"spec": {"securityContext": {"runAsUser": 65534}}}),
    ),
    "hazards.restart-neither-leaks-nor-doubles": Sabotage(
        "the class puts all volumes into one directory", of_class(pathPattern="shared")
    ),
    "hazards.two-provisioners-of-one-name-both-make-directories": Sabotage(
        "the first one and its class have another name", another_name
    ),
    "hazards.nfs-path-with-slash-leaks": _RETAIN,
}
