"""What lies under a database."""

from objects_to_audit import (
    DELETE,
    NFS,
    PROVISIONED,
    RECYCLE,
    RETAIN,
    Case,
    bound,
    parameters,
    pod,
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
]
