"""What binds to what."""

from objects_to_audit import (
    DEFAULT,
    FREE,
    NFS,
    RWX,
    Case,
    bound,
    pv,
    pvc,
    released,
    statefulset,
    storage_class,
)

BINDING: list[Case] = [
    Case(
        "foreign-volume",
        [pv("a"), pv("b"), pvc("c")],
        [pv("a"), pv("b", capacity={"storage": "512Mi"}), pvc("c")],
        "2 volumes fit it: a and b",
        "warning",
    ),
    Case(
        "foreign-volume",
        [pv("a"), pvc("b"), pvc("c")],
        [pv("a"), pvc("b"), pvc("c", volumeName="a")],
        "a is the only volume that fits it, and also fits PersistentVolumeClaim shop/c",
        "warning",
    ),
    Case(
        "foreign-volume",
        [pv("a", **NFS), pv("b", **NFS), statefulset()],
        [pv("a", claimRef={"namespace": "shop", "name": "data-db-0"}, **NFS), pv("b", **NFS)]
        + [statefulset()],
        "2 volumes fit it",
    ),
    Case(
        "foreign-volume",
        [pv("a", **NFS), pv("b", **NFS), statefulset(replicas=2), statefulset("x")],
        # as many as it has pods, and all are empty
        [pv("a", **NFS), pv("b", **NFS), statefulset(replicas=2)],
        "2 volumes fit it",
    ),
    Case(
        "foreign-volume",
        [pv(name, **NFS) for name in "abc"] + [statefulset(replicas=2)],
        [pv(name, **NFS) for name in "abc"] + [statefulset(replicas=4)],
        "3 volumes fit it: a, b and c",
    ),
    Case(
        "foreign-volume",
        [pv("a"), pvc("b"), pvc("c"), pvc("d", volumeName="x")],
        [pv("a"), pvc("b"), pvc("c"), pvc("d", volumeName="a")],  # another rule's
        "a is the only volume that fits it",
        "warning",
    ),
    Case(
        "foreign-volume",
        [pv("a"), pv("b"), pvc("c"), pvc("d", volumeName="a")],
        # of each the rule for named volumes says that c can take it
        [pv("a"), pv("b"), pvc("c"), pvc("d", volumeName="a"), pvc("e", volumeName="b")],
        "2 volumes fit it: a and b",
        "warning",
    ),
    Case(
        "foreign-volume",
        [pv("a"), pv("b"), pvc("c", selector={"matchLabels": {}})],
        [
            pv("a", metadata={"labels": {"app": "x"}}),
            pv("b", metadata={"labels": {"app": "y"}}),
            pvc("c", selector={"matchLabels": {"app": "x"}}),
        ],
        "2 volumes fit it",
        "warning",
    ),
    Case(
        "no-default-class",
        [pvc("a", storageClassName=None), storage_class("nfs")],
        [pvc("a", storageClassName=None), storage_class("nfs", metadata=DEFAULT)],
        "there is no default class on this cluster",
        "warning",
    ),
    Case(
        "no-default-class",
        [pvc("a", storageClassName=None)],
        [pvc("a", storageClassName=None), pv("b")],
        "there is no default class in these manifests",
        "note",
        complete=False,
    ),
    Case(
        "no-default-class",
        [pvc("a", storageClassName=None)],
        [pvc("a", storageClassName="")],
        "there is no default class",
        "warning",
    ),
    Case(
        "several-default-classes",
        [storage_class("a", metadata=DEFAULT), storage_class("b", metadata=DEFAULT)],
        [
            storage_class("a", metadata=DEFAULT),
            storage_class(
                "b",
                metadata={"annotations": {"storageclass.kubernetes.io/is-default-class": "false"}},
            ),
        ],
        "it is a default class, besides b",
        "warning",
    ),
    Case(
        "volume-of-pvc-missing",
        [pvc("a", volumeName="gone", status={"phase": "Lost"})],
        bound("a"),
        "there is no PersistentVolume gone on this cluster; its phase is Lost",
    ),
    Case(
        "volume-of-pvc-missing",
        [pvc("a", volumeName="gone")],
        [pvc("a")],
        "there is no PersistentVolume gone in these manifests",
        "note",
        complete=False,
    ),
    Case(
        "reserved-volume",
        [pv("a", claimRef={"name": "data"}), pvc("data")],
        [pv("a", claimRef={"namespace": "shop", "name": "data"}), pvc("data")],
        "it waits for PersistentVolumeClaim default/data, and there is PersistentVolumeClaim "
        "shop/data, which has no volume",
        "warning",
    ),
    Case(
        "reserved-volume",
        [pv("a", claimRef={"namespace": "shop", "name": "data-db-1"}, **NFS), statefulset()],
        [pv("a", claimRef={"namespace": "shop", "name": "data-db-0"}, **NFS), statefulset()],
        "it waits for PersistentVolumeClaim shop/data-db-1",
        "note",
    ),
    Case(
        "reserved-volume",
        [pv("a", claimRef={"name": "x"}, **FREE)],
        [released("Retain")],
        "it waits for",
        "note",
    ),
    Case(
        "field-misspelt",
        [pv("a", PersistentVolumeReclaimPolicy="Recycle")],
        [pv("a", somethingNew="x", nodeAffinity={})],
        "PersistentVolumeReclaimPolicy is no field: persistentVolumeReclaimPolicy is",
        "warning",
    ),
    Case(
        "field-misspelt",
        [pvc("a", storageClass="nfs", accessMode=["ReadWriteOnce"])],
        [pvc("a", dataSource={}, volumeAttributesClassName="x")],
        "accessMode is no field: accessModes is",
        "warning",
    ),
    Case(
        "field-misspelt",
        [storage_class("nfs", reclaimpolicy="Retain")],
        [storage_class("nfs", reclaimPolicy="Retain", allowedTopologies=[])],
        "reclaimpolicy is no field: reclaimPolicy is",
        "warning",
    ),
    Case(
        "defined-twice",
        [pv("a", "/x"), pv("a", "/y", **RWX)],
        [pv("a", "/x"), pv("a", "/x"), pvc("a")],  # once more the same
        "which differs in accessModes and path",
        "warning",
    ),
]
