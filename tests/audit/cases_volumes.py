"""Volumes and their directories."""

from typing import Any

from objects_to_audit import (
    DELETE,
    FREE,
    NFS,
    PROVISIONED,
    RECYCLE,
    RETAIN,
    RWX,
    Case,
    bound,
    orphans,
    pod,
    provisioner,
    pv,
    pvc,
    released,
    storage_class,
)

from landfast.kube.client import Object


def of_share(share: str) -> Object:
    """A class of csi-driver-nfs."""
    given = {"server": "nfs", "share": share}
    return storage_class("csi", provisioner="nfs.csi.k8s.io", parameters=given)


def own_root() -> list[Object]:
    """The volume of the export's root, and the PVC through which it is mounted."""
    return bound("root", "/exports")


def kept(beside: Object, **spec: Any) -> list[Object]:
    """A PVC that Helm keeps, and what its volume comes from."""
    return [pvc("c", metadata={"annotations": {"helm.sh/resource-policy": "keep"}}, **spec), beside]


OWN = provisioner()
OWN["metadata"]["namespace"] = "shop"
OWN["spec"]["template"]["spec"]["volumes"] = [
    {"name": "root", "persistentVolumeClaim": {"claimName": "root"}}
]

VOLUMES: list[Case] = [
    Case(
        "recycle-shared-directory",
        [pv("a", "/exports", **RECYCLE), pv("b")],
        [pv("a", "/exports/a", **RECYCLE), pv("b", "/exports/a-too")],
        "Recycle empties nfs:/exports, which also holds PersistentVolume b (/exports/b)",
    ),
    Case(
        "recycle-shared-directory",
        [pv("a", "/exports", **RECYCLE), provisioner("/exports/")],
        [pv("a", "/exports", **RECYCLE), provisioner("/srv")],
        "everything that Deployment nfs-system/provisioner provisions (/exports)",
    ),
    Case(
        "recycle-shared-directory",
        [pv("a", "/exports/x", **RECYCLE), pv("b", "/exports/x")],
        [pv("a", **RECYCLE), pv("b", nfs={"server": "other", "path": "/exports/a"})],
        "PersistentVolume b (/exports/x)",
    ),
    Case("recycle-deprecated", [pv("a", **RECYCLE)], [pv("a")], "Recycle", "warning"),
    Case(
        "recycle-deprecated",
        [pv("a", nfs=None, hostPath={"path": "/x"}, **RECYCLE)],
        [pv("a", "/exports", **RECYCLE), pv("b")],  # the other rule's
        "Recycle",
        "warning",
    ),
    Case(
        "shared-directory",
        [pv("a", "/exports/x"), pv("b", "/exports//x/"), pv("c", "/exports/x")],
        [pv("a", "/exports/x"), pv("b", "/exports/y"), pv("c", nfs=None)],
        "nfs:/exports/x is also the directory of PersistentVolume b and PersistentVolume c",
    ),
    Case(
        "shared-directory",
        [pv("a", "/exports/x", **RWX), pv("b", "/exports/x", **RWX)],
        [pv("a", "/exports/x", **RWX), pv("b", "/exports/y", **RWX)],
        "is also the directory of PersistentVolume b",
        "note",
    ),
    Case(
        "shared-directory",
        [pv("a", "/exports/x", **RWX), pv("b", "/exports/x", **RWX, **DELETE)],
        [pv("a", "/exports/x", **RWX)],
        "is also the directory of PersistentVolume b",
    ),
    Case(
        "nested-directory",
        [pv("a", "/exports"), pv("b", "/exports/b/c")],
        [pv("a", "/exports/b"), pv("b", "/exports/bc"), pv("c", "/exports/b")],
        "its directory nfs:/exports contains PersistentVolume b (/exports/b/c)",
        "warning",
    ),
    Case(
        "nested-directory",
        [pv("a", "/exports"), provisioner("/exports")],
        [pv("a", "/exports/static"), provisioner("/exports")],
        "everything that Deployment nfs-system/provisioner provisions",
        "warning",
    ),
    Case(
        "nested-directory",
        [pv("a", "/exports"), of_share("/exports")],
        [pv("a", "/exports/a"), of_share("/exports")],
        "contains everything of StorageClass csi (/exports)",
        "warning",
    ),
    Case(
        "nested-directory",
        [*own_root(), pv("b", "/exports/b"), pod("web", "root", "nginx")],
        [*own_root(), pv("b", "/exports/b"), OWN],  # the provisioner's own
        "its directory nfs:/exports contains PersistentVolume b (/exports/b)",
        "warning",
    ),
    Case(
        "delete-on-static-volume",
        [pv("a", **DELETE)],
        [pv("a", **DELETE, metadata=PROVISIONED)],
        "nothing will delete nfs:/exports/a",
        "warning",
    ),
    Case(
        "delete-on-static-volume",
        [pv("a", **DELETE)],
        [pv("a", **DELETE, nfs=None, csi={"driver": "x"})],
        "nothing will delete",
        "warning",
    ),
    Case(
        "released-volume",
        [released("Retain")],
        bound("a"),
        "Released under the policy Retain; data in nfs:/exports/a, last used by PVC shop/gone",
        "note",
    ),
    Case("released-volume", [released("Delete")], bound("a"), "Released under", "warning"),
    Case(
        "released-volume",
        [released("Retain", "Failed")],
        [pv("a", **FREE)],
        "no deletable volume plugin matched",
        "warning",
    ),
    Case(
        "directory-missing",
        [pv("a")],
        [pv("b"), pv("a", nfs={"server": "other", "path": "/exports/a"})],
        "there is no directory nfs:/exports/a",
        export=orphans(missing="/exports/a"),
        near_export=orphans(missing="/exports/a"),
    ),
    Case(
        "orphan-directory",
        [pv("a")],
        [pv("a")],
        "3.0 MB in 2 files, last changed 10 days ago",
        "warning",
        export=orphans("/exports/old"),
        near_export=orphans(),
    ),
    Case(
        "orphan-directory",
        [pv("a")],
        [pv("a")],
        "archived by a provisioner",
        "note",
        export=orphans("/exports/archived-x"),
    ),
    Case(
        "orphan-directory",
        [pv("a", "/exports")],
        [pv("a", "/exports")],
        ", or data of PersistentVolume a, which holds all of the export",
        "note",
        export=orphans("/exports/old"),
    ),
    Case(
        "orphan-directory",
        [pv("a")],
        [pv("a")],
        "3.0 MB",
        "note",
        complete=False,
        export=orphans("/exports/old"),
    ),
    Case(
        "kept-by-helm-only",
        kept(storage_class("nfs"), **NFS),
        kept(storage_class("nfs", **RETAIN), **NFS),
        "its volume is not retained",
        "note",
    ),
    Case(
        "kept-by-helm-only",
        kept(pv("a", **DELETE), volumeName="a"),
        kept(pv("a"), volumeName="a"),
        "its volume is not retained",
        "note",
    ),
    Case(
        "kept-by-helm-only",
        kept(storage_class("nfs", parameters={"onDelete": "delete"}), **NFS),
        # whose end nobody here knows
        kept(storage_class("nfs", provisioner="ebs.csi.aws.com", parameters={}), **NFS),
        "its volume is not retained",
        "note",
    ),
]
