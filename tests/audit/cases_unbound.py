"""PVCs that never bind, and those that leave out their class."""

from typing import Any

from objects_to_audit import (
    DEFAULT,
    NFS,
    RWX,
    SUBDIR,
    Case,
    bound,
    controller,
    pod,
    pv,
    pvc,
    statefulset,
    storage_class,
)

from landfast.kube.client import Object

MANUAL: dict[str, Any] = {"storageClassName": "manual"}
NO_CLASS: dict[str, Any] = {"storageClassName": None}
FIVE: dict[str, Any] = {"resources": {"requests": {"storage": "5Gi"}}}
LOCAL = storage_class("manual", provisioner="kubernetes.io/no-provisioner", parameters={})
CSI: dict[str, Any] = {
    "provisioner": "nfs.csi.k8s.io",
    "parameters": {"server": "nas", "share": "/exports"},
}
LABELS: dict[str, Any] = {"selector": {"matchLabels": {"a": "b"}}}
MARKED = {"storageclass.kubernetes.io/is-default-class": "true"}


def annotated(key: str, value: str = "true", field: str = "annotations") -> list[Object]:
    return [storage_class("nfs", metadata={field: {key: value}})]


UNBOUND: list[Case] = [
    Case(
        "no-volume-fits",
        [pv("x", **MANUAL), pvc("y", **MANUAL, **FIVE)],
        [pv("x", **MANUAL), pvc("y", **MANUAL)],
        "PersistentVolume x: it has 1Gi, less than the 5Gi that are asked for",
        complete=False,
    ),
    Case(
        "no-volume-fits",
        [pv("x", **MANUAL), pvc("y", **MANUAL, **RWX)],
        [pv("x", **MANUAL), pvc("y", **MANUAL, **RWX), storage_class("manual")],  # makes its own
        "it is ReadWriteOnce, not ReadWriteMany",
        complete=False,
    ),
    Case(
        "no-volume-fits",
        [pv("x", **MANUAL), pvc("y", **MANUAL, volumeMode="Block"), LOCAL],
        [pv("x", **MANUAL, volumeMode="Block"), pvc("y", **MANUAL, volumeMode="Block"), LOCAL],
        "its volumeMode is Filesystem, not Block",
    ),
    Case(
        "no-volume-fits",
        [pv("x", metadata={"labels": {"a": "c"}}), pvc("y", **LABELS)],
        [pv("x", metadata={"labels": {"a": "b"}}), pvc("y", **LABELS)],
        "it does not have the labels of the selector",
    ),
    Case(
        "no-volume-fits",
        [pv("web-pv", **NFS), pv("other-pv"), pvc("web-pvc", **MANUAL)],
        [pv("other-pv", **NFS), pv("third-pv"), pvc("web-pvc", **MANUAL)],
        "PersistentVolume web-pv: its class is nfs, not manual",
        complete=False,
    ),
    Case(
        "no-volume-fits",
        [pv("x", **NFS), pvc("y", **MANUAL)],
        [pv("x", **NFS), pvc("y", **MANUAL), pvc("z", **MANUAL)],  # whose would it be?
        "its class is nfs, not manual",
        "warning",  # the cluster may have a class `manual` that makes volumes
        complete=False,
    ),
    Case(
        "no-volume-fits",
        [pv("x", **NFS), pvc("y", **MANUAL)],  # and of a cluster, all classes are known
        [pv("x", **NFS), pvc("y", **MANUAL), storage_class("manual")],
        "its class is nfs, not manual",
    ),
    Case(
        "no-volume-fits",
        [pv("x", **MANUAL), pvc("y", **MANUAL, **FIVE)],
        # the volume is another's
        [pv("x", **MANUAL), pvc("x", **MANUAL), pvc("y", **MANUAL, **FIVE)],
        "it has 1Gi",
        complete=False,
    ),
    Case(
        "no-volume-fits",
        [pv("web", **NFS), pvc("web", **NO_CLASS)],
        [pv("web"), pvc("web", **NO_CLASS)],
        "its class is nfs, and the PVC names none",
        "warning",
        complete=False,
    ),
    Case(
        "class-missing",
        [pvc("a", storageClassName="fast"), pv("b", **NFS), pv("c")],
        [pvc("a", storageClassName="fast"), pv("b", storageClassName="fast")],
        "StorageClass fast does not exist",
    ),
    Case(
        "class-missing",
        [pvc("a", storageClassName="fast")],
        [pvc("a", storageClassName="fast"), storage_class("fast")],
        "is not in these manifests",
        "note",
        complete=False,
    ),
    Case(
        "class-missing",
        [pvc("a", storageClassName="fast")],
        [pvc("a", storageClassName="fast", volumeName="b"), pvc("b")],
        "StorageClass fast does not exist",
    ),
    Case(
        "class-missing",
        [pvc("a", **MANUAL)],
        [pvc("a", **MANUAL, **FIVE), pv("b", **MANUAL)],  # the volume is what is wrong
        "StorageClass manual is not",
        "note",
        complete=False,
    ),
    Case(
        "class-missing",
        [pvc("a", storageClassName="slow-nfs")],
        [pvc("a", storageClassName="longhorn"), pvc("b", storageClassName="local-path")],
        "StorageClass slow-nfs is not",
        "note",
        complete=False,
    ),
    Case("nothing-provisions", [pvc("a")], [pvc("a"), pv("b")], "it asks for a volume of no class"),
    Case(
        "nothing-provisions",
        [pvc("a", **MANUAL), LOCAL],
        [pvc("a", **MANUAL), LOCAL, pv("b", **MANUAL)],
        "class manual, which has no provisioner, and none fits on this cluster",
    ),
    Case(
        "nothing-provisions",
        [pvc("a")],
        [pvc("a", **NFS)],
        "and none fits in these manifests",
        "note",
        complete=False,
    ),
    Case(
        "provisioner-refuses-pvc",
        [pvc("a", **NFS, selector={}), storage_class("nfs")],
        [pvc("a", **NFS), storage_class("nfs")],
        f"it has a selector, which {SUBDIR} refuses",
    ),
    Case(
        "provisioner-refuses-pvc",
        [pvc("a", **NFS, **LABELS), storage_class("nfs", **CSI)],
        [
            pvc("a", **NFS, **LABELS),
            storage_class("nfs", **CSI),
            pv("b", **NFS, metadata={"labels": {"a": "b"}}),
        ],
        "it has a selector, which nfs.csi.k8s.io refuses",
    ),
    Case(
        "provisioner-refuses-pvc",
        [pvc("a", **NFS, volumeMode="Block"), storage_class("nfs", **CSI)],
        [
            pvc("a", **NFS, volumeMode="Block"),
            storage_class("nfs", provisioner="ebs.csi.aws.com", parameters={}),
        ],
        "it asks for a block device",
    ),
    Case(
        "pvc-of-pod-missing",
        [pvc("data", metadata={"namespace": "default"}), pod("db", "data")],
        [pvc("data"), pod("db", "data")],
        "there is no PersistentVolumeClaim shop/data in these manifests, only "
        "PersistentVolumeClaim default/data, which nobody uses",
        complete=False,
    ),
    Case(
        "pvc-of-pod-missing",
        [pvc("data", metadata={"namespace": ""}), controller("Deployment", "data")],
        [pvc("data"), controller("Deployment", "data")],
        "only PersistentVolumeClaim default/data",
        "warning",
        complete=False,
    ),
    Case(
        "pvc-of-pod-missing",
        [controller("DaemonSet", "data")],
        [statefulset()],  # makes its own
        "there is no PersistentVolumeClaim shop/data in these manifests",
        "note",
        complete=False,
    ),
    Case(
        "pvc-of-pod-missing",
        [pod("db", "data")],
        [pod("db", "$APP-data"), pod("web", "${CLAIM}")],  # not rendered yet
        "there is no PersistentVolumeClaim shop/data",
        "note",
        complete=False,
    ),
    Case(
        "pvc-of-pod-missing",
        [pod("db", "data", phase="Pending")],
        [pod("db", "data", phase="Succeeded")],
        "there is no PersistentVolumeClaim shop/data on this cluster",
    ),
    Case(
        "class-left-out",
        [pv("a"), pv("a", "/exports/x"), pv("b"), pvc("c", **NO_CLASS)],
        [pv("a"), pv("b"), pvc("c")],
        "and not a and b, which have none",
        "warning",
        complete=False,
    ),
    Case(
        "class-left-out",
        [pv("a"), pvc("c", **NO_CLASS)],
        [pv("a"), pvc("c")],
        "where the cluster has a default class, it gets a volume of that class, and not a, which",
        "warning",
        complete=False,
    ),
    Case(
        "class-left-out",
        [pv("a"), pvc("c", **NO_CLASS), storage_class("gp3", metadata=DEFAULT)],
        # the volume is another's
        [pv("a"), pvc("b"), pvc("c", **NO_CLASS), storage_class("gp3", metadata=DEFAULT)],
        "it gets gp3, the default class, and not a, which has none",
        "warning",
        complete=False,
    ),
    Case(
        "class-left-out",
        [pv("a"), pvc("c", volumeName="a", **NO_CLASS)],
        [
            pv("a", claimRef={"namespace": "shop", "name": "c"}),
            pvc("c", volumeName="a", **NO_CLASS),
        ],
        "with a default class it gets that one, and never PersistentVolume a",
        "warning",
        complete=False,
    ),
    Case(
        "class-left-out",
        [pv("a"), pvc("c", **NO_CLASS), storage_class("gp3", metadata=DEFAULT)],
        [*bound("a"), pvc("c", **NO_CLASS, **FIVE), storage_class("gp3", metadata=DEFAULT)],
        "and not a",
        "warning",
    ),
    Case(
        "default-class-misspelt",
        annotated("storageclass.kubernetes.io/is-default-clas"),
        annotated("storageclass.kubernetes.io/is-default-class"),
        "it is storageclass.kubernetes.io/is-default-class",
        "warning",
    ),
    Case(
        "default-class-misspelt",
        annotated("storageclass.kubernetes.io/is-default-class", "True"),
        annotated("storageclass.kubernetes.io/is-default-class", "false"),
        "the value is 'True'",
        "warning",
    ),
    Case(
        "default-class-misspelt",
        annotated("storageclass.k8s.io/is-default-class"),
        annotated("example.com/class-of-defaults"),
        "it is storageclass.kubernetes.io/is-default-class",
        "warning",
    ),
    Case(
        "default-class-misspelt",
        annotated("storageclass.kubernetes.io/is-default-class", field="labels"),
        [
            storage_class(
                "nfs",
                metadata={"annotations": {**MARKED, "storageclass.kubernetes.io/default": "true"}},
            )
        ],
        "a label is not looked at",
        "warning",
    ),
]
