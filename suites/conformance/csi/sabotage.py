"""For every claim of the suite, one change that makes it untrue."""

from contextlib import AbstractContextManager

from fixtures.sabotage import Sabotage, Target
from landfast.kube.client import Object
from suites.conformance.csi.matrix import CELLS
from suites.objects import with_spec
from suites.sabotages import (
    before,
    bind_to_nodes,
    changed,
    execute_on_server,
    of_another_class,
    of_class,
    of_pvc,
    put_directory_back,
    uses,
    without_effect,
    written,
)


def with_a_handle(obj: Object) -> Object:
    """Give a PV the handle that leads to its directory."""
    if obj["kind"] != "PersistentVolume":
        return obj
    said = obj["spec"]["csi"]["volumeAttributes"]
    parts = (said["server"], said["share"].strip("/"), said["subDir"], "", "")
    source = {**obj["spec"]["csi"], "volumeHandle": "#".join(parts)}
    return with_spec(obj, csi=source)


def with_a_share(target: Target) -> AbstractContextManager[None]:
    """Write PVs of the stack's share itself."""
    place = {"share": target.stack.overlay.root, "subDir": ""}
    return written("PersistentVolume", {"spec": {"csi": {"volumeAttributes": place}}})(target)


def remove_all(target: Target, _pod: str) -> None:
    """Remove everything on the share."""
    execute_on_server(target, "find", target.stack.overlay.root, "-mindepth", "1", "-delete")


_NO_OPTIONS = Sabotage(
    "the class has no mountOptions", written("StorageClass", {"mountOptions": None})
)
_KEPT = Sabotage("the class says onDelete: retain", of_class(onDelete="retain"))
_REMOVED = Sabotage("the class says onDelete: delete", of_class(onDelete="delete"))
_PLAIN = Sabotage("the class's subDir is a plain name", of_class(subDir="plain"))
_RETAIN = Sabotage(
    "the class says reclaimPolicy Retain", written("StorageClass", {"reclaimPolicy": "Retain"})
)

SABOTAGES = {
    **{c.claim.id: Sabotage("one setting of the class is changed") for c in CELLS},
    "csi.mount-options-follow-the-class": _NO_OPTIONS,
    "csi.mount-options-take-effect": _NO_OPTIONS,
    "csi.access-modes-follow-the-pvc": Sabotage(
        "the PVC asks for ReadWriteMany", of_pvc({"accessModes": ["ReadWriteMany"]})
    ),
    "csi.capacity-follows-the-request": Sabotage(
        "the PVC requests 2Mi", of_pvc({"resources": {"requests": {"storage": "2Mi"}}})
    ),
    "csi.policy-follows-the-class": _RETAIN,
    "csi.class-follows-the-pvc": Sabotage(
        "the PVC names the stack's own class instead", of_another_class
    ),
    "csi.any-node-may-mount-it": Sabotage(
        "the volume gets a node affinity", before("get", "PersistentVolume", bind_to_nodes)
    ),
    "csi.handle-says-what-deletion-does": _KEPT,
    "csi.attributes-lead-to-the-directory": _PLAIN,
    "csi.directory-has-mode-0755": Sabotage(
        'the class says mountPermissions "0777"', of_class(mountPermissions="0777")
    ),
    "csi.permissions-reach-the-share": Sabotage(
        'the class says mountPermissions "0750"', of_class(mountPermissions="0750")
    ),
    "csi.two-pvcs-two-directories": _PLAIN,
    "csi.selector-is-refused": Sabotage("the PVC has no selector", of_pvc({"selector": None})),
    "csi.block-is-refused": Sabotage(
        "the PVC is for volumeMode Filesystem", of_pvc({"volumeMode": "Filesystem"})
    ),
    "csi.shared-subdir-is-removed": _KEPT,
    "csi.nested-shared-subdir-blocks-deletion": _PLAIN,
    "csi.shared-subdir-is-archived": _KEPT,
    "csi.kept-directory-is-handed-on": _REMOVED,
    "csi.deletion-takes-emptied-parents": _KEPT,
    "csi.hash-in-subdir-hits-a-neighbour": _PLAIN,
    "csi.dot-empties-the-share": _PLAIN,
    "csi.archive-is-not-overwritten": _REMOVED,
    "csi.class-deleted-first-is-no-hindrance": _REMOVED,
    "csi.class-counts-at-creation": _REMOVED,
    "csi.volume-deleted-first-is-reclaimed": _KEPT,
    "csi.vanished-directory-goes-unnoticed": _RETAIN,
    "csi.vanished-directory-blocks-its-archive": Sabotage(
        "the directory is back before the PVC is deleted",
        before("delete", "PersistentVolumeClaim", put_directory_back),
    ),
    "csi.unreadable-handle-leaks": Sabotage(
        "the handle leads to the directory", changed(with_a_handle)
    ),
    "csi.expansion-is-done": Sabotage(
        "the larger request has no effect", without_effect("patch", "PersistentVolumeClaim")
    ),
    "csi.size-is-not-enforced": Sabotage(
        "the pod writes to an emptyDir instead of its PVC", uses(emptyDir={})
    ),
    "csi.mounts-outlive-the-plugin": Sabotage(
        "the volume's directory goes with the driver's pods", before("delete", "Pod", remove_all)
    ),
    "csi.restart-neither-leaks-nor-doubles": Sabotage(
        "a directory of no PVC appears while the driver is gone",
        before("delete", "Pod", lambda target, _name: target.stack.export.make_folder("stray")),
    ),
    "csi.missing-share-cannot-be-mounted": Sabotage("the volume has a share", with_a_share),
}
