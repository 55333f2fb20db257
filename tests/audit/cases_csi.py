"""Classes of csi-driver-nfs."""

from typing import Any

from objects_to_audit import RETAIN, Case, bound, pod, statefulset, storage_class

from landfast.kube.client import Object

OWN = "${pvc.metadata.namespace}-${pvc.metadata.name}"


def csi(**parameters: Any) -> list[Object]:
    """A class of the driver with these parameters besides server and share."""
    return [made(parameters)]


def made(parameters: dict[str, Any], **fields: Any) -> Object:
    given = {"server": "nas", "share": "/exports", **parameters}
    return storage_class("nfs", provisioner="nfs.csi.k8s.io", parameters=given, **fields)


def without(key: str) -> list[Object]:
    [found] = csi()
    del found["parameters"][key]
    return [found]


def under_database(parameters: dict[str, Any], **fields: Any) -> list[Object]:
    return [statefulset(), made(parameters, **fields)]


def volume_under_database(handle: str, policy: str = "Delete") -> list[Object]:
    """A volume that the driver made, bound, and a database on it."""
    source = {
        "driver": "nfs.csi.k8s.io",
        "volumeHandle": handle,
        "volumeAttributes": {"server": "nas", "share": "/exports", "subDir": "a"},
    }
    made_by = {"annotations": {"pv.kubernetes.io/provisioned-by": "nfs.csi.k8s.io"}}
    spec: dict[str, Any] = {"nfs": None, "csi": source, "persistentVolumeReclaimPolicy": policy}
    return [*bound("a", metadata=made_by, **spec), pod("db", "a")]


CSI: list[Case] = [
    Case(
        "csi-class-refused",
        csi(archiveOnDelete="true"),
        csi(onDelete="archive", subDir="${pv.metadata.name}"),
        "it does not know the parameter archiveOnDelete",
    ),
    Case(
        "csi-class-refused",
        csi(pathPattern="x", archiveOnDelete="true"),
        csi(SUBDIR=OWN, ONDELETE="Retain", MountPermissions="0777"),  # case does not matter
        "it does not know the parameter pathPattern",
    ),
    Case("csi-class-refused", csi(onDelete="keep"), csi(onDelete="RETAIN"), "invalid value keep"),
    Case("csi-class-refused", without("server"), csi(), "server is a required parameter"),
    Case("csi-class-refused", csi(subDir=f"../{OWN}"), csi(subDir=f"x/{OWN}"), "traversal"),
    Case(
        "csi-class-refused",
        csi(mountPermissions="rwx"),
        csi(**{"csi.storage.k8s.io/pvc/name": "x", "mountPermissions": "0"}),
        "invalid mountPermissions rwx",
    ),
    Case("csi-share-missing", without("share"), csi(), "share is a required parameter"),
    Case("csi-sub-dir-is-the-share", csi(subDir="."), csi(subDir=""), "'.' is the directory"),
    Case("csi-sub-dir-is-the-share", csi(subDir="/"), csi(subDir=OWN), "'/' is the directory"),
    Case(
        "csi-sub-dir-shared",
        csi(subDir="${pvc.metadata.name}"),
        csi(subDir="${pv.metadata.name}"),
        "'${pvc.metadata.name}' is not different for every namespace and name",
    ),
    Case("csi-sub-dir-shared", csi(subDir="data"), csi(subDir=f"data/{OWN}"), "'data' is not"),
    Case(
        "csi-sub-dir-shared",
        csi(subDir="${.PVC.namespace}-${.PVC.name}"),  # those of the other provisioner
        csi(),
        "is not different",
    ),
    Case(
        "csi-sub-dir-shared",
        csi(subDir="data", onDelete="retain"),
        csi(subDir=OWN, onDelete="retain"),
        "'data' is not different",
        "warning",
    ),
    Case("csi-handle-misread", csi(subDir=f"x#{OWN}"), csi(subDir=f"x-{OWN}"), "something else"),
    Case("csi-handle-misread", csi(share="/a#b"), csi(share="/a/b"), "which says something else"),
    Case(
        "csi-archive-taken",
        csi(subDir=OWN, onDelete="Archive"),
        csi(subDir=f"{OWN}-${{pv.metadata.name}}", onDelete="archive"),
        "is the same for the next PVC of the name",
        "warning",
    ),
    Case(
        "csi-archive-taken",
        csi(subDir=OWN, onDelete="archive"),
        [made({"subDir": OWN, "onDelete": "archive"}, **RETAIN)],
        "is the same for the next PVC of the name",
        "warning",
    ),
    Case(
        "csi-archive-taken",
        csi(subDir=OWN, onDelete="archive"),
        csi(onDelete="archive"),  # the volume's name is new every time
        "is the same for the next PVC of the name",
        "warning",
    ),
    Case(
        "database-volume-not-retained",
        volume_under_database("nas#exports#a##"),
        volume_under_database("nas#exports#a##retain"),
        "its policy is Delete under Pod shop/db",
    ),
    Case(
        "database-volume-not-retained",
        volume_under_database("nas#exports#a##archive"),
        volume_under_database("nas#exports#a##archive", "Retain"),
        "its policy is Delete under Pod shop/db",
        "warning",
    ),
    Case(
        "database-volume-not-retained",
        under_database({}),
        under_database({"onDelete": "retain"}),
        "its volumes have the policy Delete under StatefulSet shop/db",
    ),
    Case(
        "database-volume-not-retained",
        under_database({"onDelete": "archive"}),
        under_database({}, **RETAIN),
        "its volumes have the policy Delete under StatefulSet shop/db",
        "warning",
    ),
]
