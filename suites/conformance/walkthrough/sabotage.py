"""One way to make each claim of the walkthrough untrue.

Each breaks what the claim rests on, in the cluster or on the server; none breaks the test itself.
"""

import contextlib
from collections.abc import Iterator

from fixtures.sabotage import Sabotage, Target
from landfast.kube.client import Object
from landfast.verdict import MissingCapability
from suites.sabotages import (
    Apply,
    before_deletion_of,
    changed,
    first,
    of_class,
    of_policy,
    on_server,
    own_server,
    uses,
    written,
)


@contextlib.contextmanager
def server_is_frozen(target: Target) -> Iterator[None]:
    """Freeze the NFS server, and thaw it after the test."""
    engine, container = own_server(target)
    engine.pause(container)
    try:
        yield
    finally:
        engine.unpause(container)


@contextlib.contextmanager
def exported_unsafely(target: Target) -> Iterator[None]:
    """Export the folder as it is often seen, with async, until the test is over."""
    engine, container = own_server(target)
    if target.stack.env.kernel_server is None:
        raise MissingCapability("nfs.exportfs", "only the kernel's server has /etc/exports")
    option = "rw,async,no_subtree_check,no_root_squash"
    engine.execute(container, "exportfs", "-o", option, "*:/data/share")
    try:
        yield
    finally:
        engine.execute(container, "exportfs", "-ra")


def without_folder(obj: Object) -> Object:
    """Let the provisioner mount a folder that the export does not have."""
    if obj["kind"] == "Deployment":
        (volume,) = obj["spec"]["template"]["spec"]["volumes"]
        volume["nfs"]["path"] += "/no-such-folder"
    return obj


def sql(statement: str) -> Apply:
    """Send MySQL a statement before the test."""
    return first(lambda target: target.stack.mysql.query(statement))


def select_nothing(target: Target) -> None:
    """Let MySQL's NodePort Service select pods that do not exist."""
    nothing = {"spec": {"selector": {"app": "nothing"}}}
    namespace = target.stack.namespace
    target.stack.kube.patch("Service", "mysql-external-service", nothing, namespace)


def serve_all(target: Target) -> None:
    """Let the classes of the crippled copies name the provisioner of the whole one."""
    provisioner = f"nfs-client{target.stack.overlay.suffix}"

    def change(obj: Object) -> Object:
        return {**obj, "provisioner": provisioner} if obj["kind"] == "StorageClass" else obj

    target.later.append(change)


_POLICY_RETAIN = Sabotage("the PV's policy is Retain", of_policy("Retain"))
_REMOVES = Sabotage("the class says onDelete: delete", of_class(onDelete="delete"))
_SMALL_VOLUME = written("PersistentVolume", {"spec": {"capacity": {"storage": "512Mi"}}})
_OTHER_CLASS = written("PersistentVolumeClaim", {"spec": {"storageClassName": "another"}})
_ONE_CLASS = written(
    "PersistentVolume PersistentVolumeClaim", {"spec": {"storageClassName": "one-class"}}
)
_NO_SELECTOR = written("PersistentVolumeClaim", {"spec": {"selector": None}})
_LOOK = {
    "apiGroups": ["", "storage.k8s.io"],
    "resources": ["persistentvolumes", "persistentvolumeclaims", "storageclasses"],
    "verbs": ["get", "list", "watch"],
}
# folders called default-… are removed with the reference stack
_EMPTY_MYSQL = ["sh", "-c", "mv mysql default-mysql && mkdir mysql && chmod 777 mysql"]
_W = "walkthrough"

IN_ORDER: dict[str, Sabotage] = {
    f"{_W}.export-is-writable-from-another-machine": Sabotage(
        "the NFS server is frozen", server_is_frozen
    ),
    f"{_W}.provisioner-is-ready": Sabotage(
        "the export does not have the folder that the Deployment mounts", changed(without_folder)
    ),
    f"{_W}.storageclass-reads-back": Sabotage(
        "the class says reclaimPolicy Retain", written("StorageClass", {"reclaimPolicy": "Retain"})
    ),
    f"{_W}.pv-is-available": _POLICY_RETAIN,
    f"{_W}.pvc-binds-by-selector": Sabotage(
        "the PVC's selector names a label that no PV has",
        written(
            "PersistentVolumeClaim", {"spec": {"selector": {"matchLabels": {"app": "another"}}}}
        ),
    ),
    f"{_W}.pod-writes-to-the-server": Sabotage(
        "the pod writes to an emptyDir in place of its PVC", uses(emptyDir={})
    ),
    f"{_W}.mysql-binds-the-static-pv": Sabotage(
        "the prepared PV is smaller than what MySQL asks for", _SMALL_VOLUME
    ),
    f"{_W}.mysql-runs": Sabotage("the NodePort Service selects nothing", first(select_nothing)),
    f"{_W}.mysql-files-belong-to-mysql": Sabotage(
        "one of MySQL's files belongs to root", on_server("chown", "0", "mysql/auto.cnf")
    ),
    f"{_W}.rows-are-readable": Sabotage(
        "MySQL's default engine is BLACKHOLE: it acknowledges rows and keeps none",
        sql("SET GLOBAL default_storage_engine = 'BLACKHOLE'"),
    ),
    f"{_W}.database-is-a-folder-on-the-server": Sabotage(
        "the database's folder is renamed", on_server("mv", "mysql/test_mysql", "mysql/away")
    ),
    f"{_W}.rows-survive-pod-deletion": Sabotage(
        "an empty folder takes the place of MySQL's", on_server(*_EMPTY_MYSQL)
    ),
    f"{_W}.rows-survive-force-deletion": Sabotage(
        "auto.cnf, which has the server's id, is removed", on_server("rm", "mysql/auto.cnf")
    ),
    f"{_W}.files-outlive-the-statefulset": Sabotage(
        "the table's file goes with the StatefulSet",
        before_deletion_of("StatefulSet", "rm", "mysql/test_mysql/msg.ibd"),
    ),
    f"{_W}.rows-survive-statefulset-recreation": Sabotage(
        "the database's folder is moved away",
        on_server("mv", "mysql/test_mysql", "default-test_mysql"),
    ),
    f"{_W}.files-outlive-claim-and-volume": Sabotage(
        "the table's file is overwritten as the PV goes",
        before_deletion_of("PersistentVolume", "sh", "-c", "echo > mysql/test_mysql/msg.ibd"),
    ),
}
"""The sabotages of the one stack, in the order of its steps; each needs a separate run."""

SIDE_BY_SIDE: dict[str, Sabotage] = {
    f"{_W}.export-is-listed": Sabotage("it is exported with async", exported_unsafely),
    f"{_W}.rbac-suffices": Sabotage(
        "the ClusterRole may only look", written("ClusterRole", {"rules": [_LOOK]})
    ),
    f"{_W}.each-right-is-needed": Sabotage(
        "a provisioner with all rights serves the classes of those without", first(serve_all)
    ),
    f"{_W}.retain-keeps-volume-and-data": Sabotage(
        "the PV's policy is Delete", of_policy("Delete")
    ),
    f"{_W}.delete-fails-on-a-static-nfs-volume": _POLICY_RETAIN,
    f"{_W}.recycle-scrubs-and-is-deprecated": _POLICY_RETAIN,
    f"{_W}.no-class-binds": Sabotage("the PVC names a class", _OTHER_CLASS),
    f"{_W}.missing-class-binds": Sabotage("the PVC names another class", _OTHER_CLASS),
    f"{_W}.class-mismatch-stays-pending": Sabotage("PV and PVCs are of one class", _ONE_CLASS),
    f"{_W}.class-makes-a-volume": Sabotage(
        "the class names a provisioner that does not run",
        written("StorageClass", {"provisioner": "another"}),
    ),
    f"{_W}.selector-is-refused": Sabotage("the PVC has no selector", _NO_SELECTOR),
    f"{_W}.deletion-archives": _REMOVES,
    f"{_W}.deletion-archives-by-default": _REMOVES,
    f"{_W}.deletion-removes": Sabotage(
        "the class says onDelete: retain", of_class(onDelete="retain")
    ),
    f"{_W}.recycling-the-root-scrubs-everything": _POLICY_RETAIN,
    f"{_W}.mysql-claim-can-take-the-root": Sabotage(
        "nfs-pv is smaller than what MySQL asks for", _SMALL_VOLUME
    ),
}
"""The sabotages of throw-away stacks; all of them can go into one run."""

SABOTAGES = IN_ORDER | SIDE_BY_SIDE
