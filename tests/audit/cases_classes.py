"""Classes of the NFS subdir provisioner, and their patterns."""

from typing import Any

from objects_to_audit import (
    DELETE,
    NFS,
    PROVISIONED,
    RETAIN,
    Case,
    parameters,
    provisioner,
    pv,
    storage_class,
)

from landfast.kube.client import Object


def named(name: str, **fields: Any) -> Object:
    return storage_class("nfs", provisioner=name, parameters={}, **fields)


CSI: dict[str, Any] = {"provisioner": "nfs.csi.k8s.io"}
SHARE = {"server": "nas", "share": "/exports"}
SERVER_AND_PATH = {"server": "nas", "path": "/exports"}

CLASSES: list[Case] = [
    Case(
        "class-of-no-provisioner",
        [storage_class("a", provisioner="kubernetes.io/nfs", parameters=SERVER_AND_PATH)],
        [storage_class("a", provisioner="kubernetes.io/glusterfs", parameters={"server": "nas"})],
        "kubernetes.io/nfs is no provisioner that is known",
    ),
    Case(
        "class-of-no-provisioner",
        [storage_class("a", provisioner="example.com/nas", parameters=SERVER_AND_PATH)],
        [
            provisioner(name="example.com/nas"),
            storage_class("a", provisioner="example.com/nas", parameters=SERVER_AND_PATH),
        ],
        "example.com/nas is no provisioner that is known",
        "warning",
    ),
    Case(
        "archive-on-delete-absent",
        [named("cluster.local/nfs-client-provisioner")],
        [named("cluster.local/nfs-server-provisioner")],  # Ganesha's
        "neither archiveOnDelete",
        "warning",
    ),
    Case(
        "parameter-not-text",
        [storage_class("nfs", parameters={**SHARE, "mountPermissions": 511}, **CSI)],
        [storage_class("nfs", parameters={**SHARE, "mountPermissions": "0777"}, **CSI)],
        "mountPermissions has no quotes",
    ),
    Case(
        "parameter-not-text",
        [storage_class("x", provisioner="ebs.csi.aws.com", parameters={"encrypted": True})],
        [parameters(archiveOnDelete=True)],  # another rule's
        "encrypted has no quotes",
    ),
    Case(
        "retain-ignores-parameters",
        [storage_class("nfs", parameters={"onDelete": "delete"}, **RETAIN)],
        [storage_class("nfs", parameters={"onDelete": "retain"}, **RETAIN)],
        "onDelete: delete does nothing",
        "warning",
    ),
    Case(
        "retain-ignores-parameters",
        [storage_class("nfs", parameters={"archiveOnDelete": "false"}, **RETAIN)],
        [storage_class("nfs", parameters={"archiveOnDelete": "false"})],
        "archiveOnDelete: false does nothing",
        "warning",
    ),
    Case(
        "retain-ignores-parameters",
        [storage_class("nfs", parameters={"archiveOnDelete": "true"}, **RETAIN)],
        [storage_class("nfs", parameters={}, **RETAIN)],
        "archiveOnDelete: true does nothing",
        "note",
    ),
    Case(
        "retain-ignores-parameters",
        [storage_class("nfs", parameters={**SHARE, "ondelete": "archive"}, **CSI, **RETAIN)],
        [storage_class("nfs", parameters={**SHARE, "ondelete": "Retain"}, **CSI, **RETAIN)],
        "ondelete: archive does nothing",
        "warning",
    ),
    Case(
        "expansion-not-done",
        [storage_class("nfs", allowVolumeExpansion=True)],
        [storage_class("nfs", allowVolumeExpansion=False)],
        "allowVolumeExpansion is true",
        "warning",
    ),
    Case(
        "expansion-not-done",
        [storage_class("nfs", allowVolumeExpansion=True)],
        # csi-resizer does it, on paper
        [storage_class("nfs", parameters=SHARE, allowVolumeExpansion=True, **CSI)],
        "allowVolumeExpansion is true",
        "warning",
    ),
    Case(
        "archive-on-delete-absent",
        [named("nfs-client")],
        [named("x")],
        "neither archiveOnDelete",
        "warning",
    ),
    Case(
        "archive-on-delete-absent",
        [parameters()],
        [parameters(onDelete="retain")],
        "neither archiveOnDelete",
        "warning",
    ),
    Case(
        "archive-on-delete-absent",
        [named("x"), provisioner(name="x")],
        [named("x", **RETAIN), provisioner(name="x")],
        "neither archiveOnDelete",
        "warning",
    ),
    Case(
        "archive-on-delete-invalid",
        [parameters(archiveOnDelete="no")],
        [parameters(archiveOnDelete="f")],
        "archiveOnDelete is 'no'",
    ),
    Case(
        "archive-on-delete-invalid",
        [parameters(archiveOnDelete=False)],
        [parameters(archiveOnDelete="False")],
        "archiveOnDelete has no quotes",
    ),
    Case(
        "archive-on-delete-invalid",
        [parameters(archiveOnDelete="no", onDelete="Delete")],
        [parameters(archiveOnDelete="no", onDelete="delete")],
        "archiveOnDelete is 'no'",
    ),
    Case(
        "archive-on-delete-invalid",
        [parameters(archiveOnDelete="")],
        [storage_class("nfs", parameters={"archiveOnDelete": "no"}, **RETAIN)],
        "archiveOnDelete is ''",
    ),
    Case(
        "on-delete-ignored",
        [parameters(archiveOnDelete="true", onDelete="Delete")],
        [parameters(onDelete="delete")],
        "onDelete is 'Delete'",
        "warning",
    ),
    Case(
        "on-delete-ignored",
        [parameters(pathPattern="${.PVC.namespace}-${.PVC.name}", onDelete="archive")],
        # not of this provisioner, whose words these are
        [storage_class("csi", provisioner="nfs.csi.k8s.io", parameters={"onDelete": "archive"})],
        "onDelete is 'archive'",
        "warning",
    ),
    Case(
        "unknown-parameter",
        [parameters(archiveondelete="false")],
        [parameters(archiveOnDelete="false")],
        "parameter archiveondelete does nothing",
        "warning",
    ),
    Case(
        "class-of-volume-missing",
        [pv("a", **DELETE, **NFS, metadata=PROVISIONED)],
        [pv("a", **DELETE, **NFS, metadata=PROVISIONED), storage_class("nfs")],
        "StorageClass 'nfs' no longer exists",
        "warning",
    ),
    Case(
        "class-of-volume-missing",
        [pv("a", **DELETE, **NFS, metadata=PROVISIONED)],
        [pv("a", **NFS, metadata=PROVISIONED)],  # Retain: nothing is to be deleted
        "no longer exists",
        "warning",
    ),
    Case(
        "path-pattern-export-root",
        [parameters(pathPattern="${.PVC.annotations.nfs.io/path}")],
        [parameters(pathPattern="${.PVC.name}-${.PVC.annotations.nfs.io/path}")],
        "is the export's root for a PVC without",
    ),
    Case(
        "path-pattern-export-root",
        [parameters(pathPattern="./${.PVC.labels.dir}/")],
        [parameters(pathPattern="shared/${.PVC.labels.dir}")],
        "is the export's root for a PVC without",
    ),
    Case(
        "path-pattern-climbs",
        [parameters(pathPattern="${.PVC.namespace}-${.PVC.labels.dir}")],
        [parameters(pathPattern="${.PVC.namespace}-${.PVC.name}")],
        "whoever creates the PVC chooses ${.PVC.labels.dir}",
        "warning",
    ),
    Case(
        "path-pattern-nested",
        [parameters(pathPattern="${.PVC.namespace}/${.PVC.name}")],
        [parameters(pathPattern="/${.PVC.namespace}-${.PVC.name}/")],
        "has more than one element",
        "warning",
    ),
    Case(
        "path-pattern-nested",
        [parameters(pathPattern="${.PVC.namespace}/${.PVC.labels.dir}", onDelete="delete")],
        [parameters(pathPattern="${.PVC.namespace}/${.PVC.labels.dir}", onDelete="retain")],
        "has more than one element",
        "warning",
    ),
    Case(
        "path-pattern-export-root",
        [parameters(pathPattern="${.PVC.annotations.nfs.io/path}")],
        [parameters(pathPattern="${.pvc.name}")],  # a name like any: another rule's
        "is the export's root for a PVC without",
    ),
    Case(
        "path-pattern-shared",
        [parameters(pathPattern="${.pvc.namespace}-${.pvc.name}")],
        [parameters(pathPattern="${.PVC.namespace}-${.PVC.name}")],
        "is not different for every namespace and name",
    ),
    Case(
        "path-pattern-shared",
        [parameters(pathPattern="${.PVC.name}")],
        [parameters(pathPattern="${.PVC.name}-${.PVC.namespace}")],
        "is not different for every namespace and name",
    ),
    Case(
        "path-pattern-shared",
        [parameters(pathPattern="${.PVC.namespace}")],
        [parameters(pathPattern="${.PVC.annotations.dir}")],  # another rule's
        "is not different for every namespace and name",
    ),
]
