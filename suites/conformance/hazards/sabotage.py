"""For every hazard, one changed input that makes its claim untrue."""

from fixtures.sabotage import Sabotage
from landfast.kube.client import Object
from landfast.nfs.server import EXPORT_PATH, SQUASHED_PATH
from suites.conformance.hazards.objects import PATH, variable
from suites.sabotages import (
    before,
    changed,
    of_class,
    of_pvc,
    put_directory_back,
    uses,
    without_effect,
    written,
)


def not_squashed(obj: Object) -> Object:
    """Let pods mount the export that trusts root."""
    for volume in obj.get("spec", {}).get("volumes", []) if obj["kind"] == "Pod" else []:
        path = volume["nfs"]["path"]
        volume["nfs"]["path"] = EXPORT_PATH + path.removeprefix(SQUASHED_PATH)
    return obj


def another_name(obj: Object) -> Object:
    """Rename the provisioner and its class, so that the other provisioner has another name."""
    if obj["kind"] == "StorageClass":
        obj["provisioner"] += "-another"
    return variable("PROVISIONER_NAME", "{}-another")(obj)


_KEPT = Sabotage("the class says onDelete: retain", of_class(onDelete="retain"))
_REMOVED = Sabotage("the class says onDelete: delete", of_class(onDelete="delete"))
_RETAIN = Sabotage(
    "the class says reclaimPolicy Retain", written("StorageClass", {"reclaimPolicy": "Retain"})
)
_PATH_GIVEN = Sabotage(
    "the PVC's annotation is a plain name",
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
    "hazards.placeholder-in-another-case-is-text": Sabotage(
        "the class says ${.PVC.name}", of_class(pathPattern="all-${.PVC.name}")
    ),
    "hazards.placeholder-in-a-value-is-expanded": _PATH_GIVEN,
    "hazards.path-outside-hits-a-namesake": _PATH_GIVEN,
    "hazards.archive-is-not-overwritten": _REMOVED,
    "hazards.empty-archive-is-not-overwritten": _REMOVED,
    "hazards.class-deleted-first-blocks-deletion": _RETAIN,
    "hazards.class-counts-at-deletion": _KEPT,
    "hazards.volume-deleted-first-leaks": Sabotage(
        "deleting the volume has no effect", without_effect("delete", "PersistentVolume")
    ),
    "hazards.vanished-directory-goes-unnoticed": Sabotage(
        "the directory is back before the PVC is deleted",
        before("delete", "PersistentVolumeClaim", put_directory_back),
    ),
    "hazards.misspelt-on-delete-archives": _REMOVED,
    "hazards.empty-selector-is-refused": Sabotage(
        "the PVC has no selector", of_pvc({"selector": None})
    ),
    "hazards.block-is-refused": Sabotage(
        "the PVC is for volumeMode Filesystem", of_pvc({"volumeMode": "Filesystem"})
    ),
    "hazards.size-is-not-enforced": Sabotage(
        "the pod writes to an emptyDir instead of its PVC", uses(emptyDir={})
    ),
    "hazards.root-squash-forbids-chown": Sabotage(
        "pods mount the export that trusts root", changed(not_squashed)
    ),
    "hazards.root-squash-blocks-deletion": Sabotage(
        "the pod runs as the user that root is squashed to",
        written("Pod", {"spec": {"securityContext": {"runAsUser": 65534}}}),
    ),
    "hazards.restart-neither-leaks-nor-doubles": Sabotage(
        "a directory of no PVC appears while the provisioner is gone",
        before("delete", "Pod", lambda target, _name: target.stack.export.make_folder("stray")),
    ),
    "hazards.two-provisioners-of-one-name-both-make-directories": Sabotage(
        "the first one and its class have another name", changed(another_name)
    ),
    "hazards.nfs-path-with-slash-leaks": _RETAIN,
}
