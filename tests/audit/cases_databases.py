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
    pv,
    statefulset,
    storage_class,
)

from landfast.kube.client import Object

DB = pod("db", "a")


def options(*given: str) -> list[Object]:
    return [*bound("a", mountOptions=list(given)), DB]


DATABASES: list[Case] = [
    Case("unsafe-mount-options", options("soft"), options("soft,hard"), "soft under Pod shop/db"),
    Case("unsafe-mount-options", options("hard", "softerr"), options("hard"), "softerr under"),
    Case("unsafe-mount-options", options("nolock"), options("nolock", "nfsvers=4.1"), "nolock"),
    Case("unsafe-mount-options", options("nolock"), options("nolock", "lock"), "nolock"),
    Case(
        "unsafe-mount-options",
        options("local_lock=all"),
        options("local_lock=none"),
        "local_lock=all",
    ),
    Case("unsafe-mount-options", options("vers=3"), options("vers=4"), "vers=3", "warning"),
    Case(
        "unsafe-mount-options",
        options("soft"),
        [*bound("a", mountOptions=["soft"]), pod("web", "a", "nginx")],
        "(mysql:8.0)",
    ),
    Case(
        "unsafe-mount-options",
        [
            *bound(
                "a",
                metadata={"annotations": {"volume.beta.kubernetes.io/mount-options": "ro,soft"}},
            ),
            DB,
        ],
        [
            *bound(
                "a", metadata={"annotations": {"volume.beta.kubernetes.io/mount-options": "ro"}}
            ),
            DB,
        ],
        "soft",
    ),
    Case(
        "unsafe-mount-options",
        [storage_class("nfs", mountOptions=["soft"]), statefulset()],
        [storage_class("other", mountOptions=["soft"]), storage_class("nfs"), statefulset()],
        "soft under StatefulSet shop/db",
    ),
    Case(
        "unsafe-mount-options",
        [storage_class("nfs", mountOptions=["soft"]), statefulset()],
        # a volume that is there is taken, with its own options
        [storage_class("nfs", mountOptions=["soft"]), statefulset(), pv("a", **NFS)],
        "soft",
    ),
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
