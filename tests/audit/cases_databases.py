"""What lies under a database."""

from objects_to_audit import (
    DELETE,
    NFS,
    PROVISIONED,
    RECYCLE,
    RETAIN,
    RWOP,
    Case,
    bound,
    controller,
    parameters,
    pod,
    pvc,
    statefulset,
    storage_class,
)

DB = pod("db", "a")


DATABASES: list[Case] = [
    Case(
        "database-volume-not-retained",
        [*bound("a", **DELETE), DB],
        [*bound("a"), DB],
        "its policy is Delete under Pod shop/db (mysql:8.0)",
        "warning",
    ),
    Case(
        "database-volume-not-retained",
        [*bound("a", **DELETE), DB],
        [*bound("a", nfs=None, csi={"driver": "x"}, **DELETE), DB],  # not on NFS
        "its policy is Delete",
        "warning",
    ),
    Case(
        "database-volume-not-retained",
        [*bound("a", **RECYCLE), DB],
        [*bound("a", **RECYCLE), pod("web", "a", "nginx")],
        "its policy is Recycle",
    ),
    Case(
        "database-volume-not-retained",
        [*bound("a", **DELETE, **NFS, metadata=PROVISIONED), DB, parameters(onDelete="delete")],
        [*bound("a", **DELETE, **NFS, metadata=PROVISIONED), DB, parameters(onDelete="retain")],
        "its policy is Delete",
    ),
    Case(
        "database-volume-not-retained",
        [statefulset(), parameters(archiveOnDelete="false")],
        [statefulset(), storage_class("nfs", parameters={"archiveOnDelete": "false"}, **RETAIN)],
        "its volumes have the policy Delete under StatefulSet shop/db",
    ),
    Case(
        "database-volume-not-retained",
        [statefulset(replicas=3), parameters(archiveOnDelete="true")],
        [statefulset(replicas=3), parameters(onDelete="retain")],
        "its volumes have the policy Delete",
        "warning",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), pod("one", "a"), pod("two", "a")],
        [*bound("a"), pod("one", "a"), pod("two", "a", phase="Succeeded")],
        "Pod shop/one and Pod shop/two are servers on PersistentVolumeClaim shop/a",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), controller("Deployment", "a")],
        [*bound("a"), controller("Deployment", "a", strategy={"type": "Recreate"})],
        "2 of its pods can run on PersistentVolumeClaim shop/a",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), controller("DaemonSet", "a")],
        [*bound("a"), controller("Deployment", "a", replicas=0)],
        "can run on",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), controller("StatefulSet", "a", replicas=2)],
        [pvc("a", **RWOP), controller("StatefulSet", "a", replicas=2)],
        "2 of its pods",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), controller("StatefulSet", "a", replicas=2)],
        # a claim for each pod, which the StatefulSet's pod shares only with the StatefulSet
        [storage_class("nfs"), statefulset(replicas=2), pod("db-0", "data-db-0")],
        "2 of its pods",
    ),
]
