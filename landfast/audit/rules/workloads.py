"""Rules for settings of workloads that NFS does not follow, or that remove a database's PVCs."""

import posixpath
from collections.abc import Iterator

from landfast.audit.engines import Kind
from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.place import Path
from landfast.audit.rules.sources import NFS_OWNERSHIP, ROOT_SQUASH
from landfast.audit.servers import commands_of
from landfast.audit.storage import on_nfs
from landfast.audit.uses import Use


def _on_nfs(inventory: Inventory) -> Iterator[Use]:
    return (use for use in inventory.uses if use.writes and on_nfs(inventory, use))


@Rule(
    "audit.engine-not-for-nfs",
    Severity.WARNING,
    "A database that its maker does not support on NFS",
    reason=(
        "It relies on locks, on files that stay as they are while open, or on memory that nodes "
        "share, as a local disk has them. Nobody will help with a corruption on NFS."
    ),
    fix=(
        "Put it on block storage or a local disk, with replication of its own; an application on "
        "SQLite can mostly use a database server instead."
    ),
    example="""
        volumeClaimTemplates:
          - metadata: {name: data}
            spec:
              accessModes: [ReadWriteOncePod]
              storageClassName: block       # not nfs
              resources: {requests: {storage: 10Gi}}
    """,
    source="the maker's word that the message names; landfast/audit/engines.yaml",
)
def engine_not_for_nfs(inventory: Inventory) -> Iterator[Hit]:
    """Find them, once for each workload; what an application has of its own is a note."""
    seen = set()
    for use in _on_nfs(inventory):
        engine = inventory.engine_at(use.container, use.mount)
        word = engine.nfs if engine else None
        if engine and word and not word.supported and use.workload.title not in seen:
            seen.add(use.workload.title)
            said = f"{engine} in {use.workload.title} is on NFS ({use.through}), and {word.says}"
            at = use.workload.container_at(use.container)
            milder = Severity.NOTE if engine.kind is Kind.EMBEDDED else None
            yield Hit(use.workload, f"{said} ({word.source})", at, milder)


@Rule(
    "audit.pvcs-deleted-with-pods",
    Severity.WARNING,
    "What deletes a database's PVCs with its pods",
    reason=(
        "Scaling down, by hand or by an autoscaler, or deleting the StatefulSet is then enough to "
        "lose the PVC, and its data unless the volume is retained. A pod that comes back later "
        "gets a new, empty one."
    ),
    fix=(
        "Leave persistentVolumeClaimRetentionPolicy out, or set both to Retain, as by default; set "
        "an operator's own field, such as Strimzi's deleteClaim, to false."
    ),
    example="""
        spec:
          persistentVolumeClaimRetentionPolicy:
            whenScaled: Retain
            whenDeleted: Retain
    """,
    source="Kubernetes documentation, StatefulSets, PersistentVolumeClaim retention",
)
def pvcs_deleted_with_pods(inventory: Inventory) -> Iterator[Hit]:
    for server in inventory.servers:
        spec = server.workload.spec
        retention = spec.persistent_volume_claim_retention_policy
        when = [
            f"{field} is Delete"
            for field, value in (
                ("whenScaled", retention.when_scaled),
                ("whenDeleted", retention.when_deleted),
            )
            if value == "Delete"
        ]
        own = {template.metadata.name for template in spec.volume_claim_templates}
        if when and any(mount.name in own for mount in server.container.volume_mounts):
            at: Path = ("spec", "persistentVolumeClaimRetentionPolicy")
            said = f"{' and '.join(when)} under {server}"
            if server.workload.engine:
                at = server.workload.claims_at
                said = f"the operator deletes the PVCs of {server} with it"
            yield Hit(server.workload, said, at)


@Rule(
    "audit.fs-group-on-nfs",
    Severity.NOTE,
    "fsGroup has no effect on files on NFS",
    reason=(
        "Kubernetes changes neither group nor mode of what is on an NFS volume. The process has "
        "the group, but may write only where the directory's own mode lets it."
    ),
    fix="Give the directory to the server's user on the NFS server, or run as its owner.",
    source=NFS_OWNERSHIP,
)
def fs_group_on_nfs(inventory: Inventory) -> Iterator[Hit]:
    """Find them under databases, where the kubelet mounts; CSI drivers decide for themselves."""
    seen = set()
    for use in _on_nfs(inventory):
        workload, engine = use.workload, inventory.engine_at(use.container, use.mount)
        group = workload.pod.security_context.fs_group
        csi = use.source == "csi" or (use.pv and use.pv.spec.csi)
        if group is None or engine is None or csi or workload.title in seen:
            continue
        if use.pv is None and use.source != "nfs" and not _provisioned_in_tree(inventory, use):
            continue
        seen.add(workload.title)
        at = (*workload.template_at, "spec", "securityContext", "fsGroup")
        said = f"fsGroup is {group} for the files of {engine} in {workload.title}, through "
        yield Hit(workload, said + use.through, at)


def _provisioned_in_tree(inventory: Inventory, use: Use) -> bool:
    """Whether a PVC gets a volume that the kubelet itself mounts."""
    name = inventory.storage_class_of(use.pvc) if use.pvc else ""
    return any(made in inventory.subdir_classes for made in inventory.find_classes(name))


@Rule(
    "audit.chown-on-nfs",
    Severity.WARNING,
    "A container that changes the owner of files on NFS",
    reason=(
        "With root_squash, the default of an export, root on a client is nobody on the server: "
        "chown fails with `Operation not permitted`, and the pod does not start. Without it, root "
        "on any client owns every file of the export."
    ),
    fix=(
        "Give the directory to the right user on the NFS server once, run the container as that "
        "user, and remove the command."
    ),
    example="""
        spec:
          securityContext: {runAsUser: 999, runAsGroup: 999}   # the directory's owner
          initContainers: []
    """,
    source=ROOT_SQUASH,
)
def chown_on_nfs(inventory: Inventory) -> Iterator[Hit]:
    """Find chown, chgrp and recursive chmod on a mount that is known to be on NFS."""
    seen = set()
    for use in _on_nfs(inventory):
        folder = posixpath.normpath(use.mount.mount_path)
        key = (use.workload.title, use.container.name, folder)
        if key in seen:
            continue
        for first, *words in commands_of(use.container):
            paths = [posixpath.normpath(word.rstrip("*")) for word in words if word[:1] == "/"]
            inside = [path for path in paths if f"{path}/".startswith(f"{folder}/")]
            program = posixpath.basename(first)
            changes = program in ("chown", "chgrp") or (program == "chmod" and "-R" in words)
            if inside and changes:
                seen.add(key)
                at = use.workload.container_at(use.container)
                said = f"container {use.container.name} runs {program} on {inside[0]}, "
                yield Hit(use.workload, f"{said}which is on NFS ({use.through})", at)
                break


@Rule(
    "audit.sub-path-on-nfs",
    Severity.NOTE,
    "A database in a sub-path of an NFS volume",
    reason=(
        "If the sub-directory is missing, after a restore or a typo, the kubelet makes an empty "
        "one, and the database begins anew instead of failing. It makes it as root, which an "
        "export with root_squash refuses."
    ),
    fix="Give the database a volume of its own; a sub-directory that is named by the server's "
    "own option, such as PGDATA, is made by the server, as its own user.",
    example="""
        containers:
          - name: postgres
            image: postgres:17
            env: [{name: PGDATA, value: /var/lib/postgresql/data/pgdata}]
            volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]   # no subPath
    """,
    source="Kubernetes documentation, Volumes, Using subPath; exports(5), root_squash",
)
def sub_path_on_nfs(inventory: Inventory) -> Iterator[Hit]:
    seen = set()
    for use in _on_nfs(inventory):
        path = use.mount.sub_path or use.mount.sub_path_expr
        engine = inventory.engine_at(use.container, use.mount)
        key = (use.workload.title, use.container.name, path)
        if path and engine and key not in seen:
            seen.add(key)
            at = (*use.workload.container_at(use.container), "volumeMounts")
            said = f"{engine} in {use.workload.title} is in {path} of {use.through}"
            yield Hit(use.workload, said, at)
