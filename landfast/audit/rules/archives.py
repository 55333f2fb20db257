"""Rules for what a database needs beside its data: logs, their archive, dumps, a backup at all."""

import re
from collections.abc import Iterable, Iterator, Sequence

from landfast.audit.directories import is_below
from landfast.audit.dumps import archives, dumps, logs
from landfast.audit.engines import Kind
from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.pods import Container
from landfast.audit.rules.servers import called
from landfast.audit.servers import UNTIL_DONE, Mounted, Server, mounts, running_containers
from landfast.audit.workloads import Workload

_CALLED_SO = re.compile(
    r"/(?:\w+[-_])*(?:backups?|archived?|archives|archivelogs?|dumps?|binlogs?)(?:[-_]\w+)*$"
)
_PATH = re.compile(r"/[\w./-]*\w")


def _databases(inventory: Inventory) -> Iterator[Server]:
    """Yield the database servers with something that stays: their data, one may think."""
    for server in inventory.servers:
        database = server.runs_on and server.engine.kind is not Kind.FILE_SERVER
        if database and any(m.stays for m in server.mounts):
            yield server


def _lost(found: Sequence[Mounted], path: str) -> str | None:
    """Return what a path is on if that goes with the pod, in words; None if it stays."""
    around = [m for m in found if is_below(path, m.path)]
    inner = max(around, key=lambda m: len(m.path), default=None)
    if inner is None:
        return "the container's own files"
    return called(inner) if inner.goes_with_the_pod else None


def _taken(container: Container, path: str, others: Iterable[Container]) -> bool:
    """Whether another container has what is at a path, and may take it away."""
    inner = [m.name for m in container.volume_mounts if is_below(path, m.mount_path)]
    found = (m.name for other in others if other is not container for m in other.volume_mounts)
    return any(name in inner for name in found)


@Rule(
    "audit.log-without-volume",
    Severity.ERROR,
    "A database's own log that goes with its pod",
    reason=(
        "The data alone is not the database. Without its write-ahead log the next server does not "
        "start, or starts with damaged files; without the binary log a crash loses transactions "
        "that were committed, and replicas stop."
    ),
    fix="Leave the log in the data directory, or put it on a PVC of its own.",
    example="""
        kind: StatefulSet
        spec:
          template:
            spec:
              containers:
                - name: postgres
                  image: postgres:17
                  env: [{name: POSTGRES_INITDB_WALDIR, value: /wal/pg_wal}]
                  volumeMounts:
                    - {name: data, mountPath: /var/lib/postgresql/data}
                    - {name: wal, mountPath: /wal}
          volumeClaimTemplates:
            - metadata: {name: data}
            - metadata: {name: wal}
    """,
    source=(
        "PostgreSQL documentation, WAL Internals; MySQL bug 75519; MariaDB MDEV-181, crash "
        "recovery rolls back what is not in the binary log"
    ),
)
def log_without_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find logs that the server is told to keep elsewhere; a binary log is a warning."""
    for server in _databases(inventory):
        for what, path in dict.fromkeys(logs(server.container)):
            if on := _lost(server.mounts, path):
                at = server.workload.container_at(server.container)
                said = f"{server} has {what} in {path}, on {on}"
                milder = Severity.WARNING if what == "its binary log" else None
                yield Hit(server.workload, said, at, milder)


@Rule(
    "audit.backup-without-volume",
    Severity.WARNING,
    "A backup that goes with its pod",
    reason=(
        "It is deleted with the pod that wrote it: after the job, an update, or the loss of the "
        "node, which is when somebody needs it."
    ),
    fix="Write it to a PVC of its own, best on another server than the data, or send it away.",
    example="""
        kind: CronJob
        spec:
          jobTemplate:
            spec:
              template:
                spec:
                  containers:
                    - name: dump
                      image: postgres:17
                      command: [sh, -c, "pg_dump -h db shop > /backup/shop-$(date +%F).sql"]
                      volumeMounts: [{name: backup, mountPath: /backup}]
                  volumes:
                    - name: backup
                      persistentVolumeClaim: {claimName: backup}
    """,
    source=(
        "Kubernetes documentation, Volumes, emptyDir; PostgreSQL documentation, Continuous "
        "Archiving and Point-in-Time Recovery"
    ),
)
def backup_without_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find archives and dumps; a directory that is only called so is a note.

    Not if another container of the pod has the directory, or a program that may send it away runs.
    """
    for server in _databases(inventory):
        workload, container = server.workload, server.container
        told, beside = list(archives(container)), running_containers(workload)
        at = workload.container_at(container)
        for path in told:
            on = _lost(server.mounts, path)
            if on and not _taken(container, path, beside):
                yield Hit(workload, f"{server} archives its log to {path}, on {on}", at)
        for mounted in server.mounts:
            named = _CALLED_SO.search(mounted.path) and mounted.goes_with_the_pod
            known = any(is_below(path, mounted.path) for path in told)
            if named and not known and not _taken(container, mounted.path, beside):
                said = f"{called(mounted)} is mounted at {mounted.path} of {server}"
                yield Hit(workload, said, at, Severity.NOTE)
    for workload in inventory.workloads:
        yield from _dumped(workload)


def _dumped(workload: Workload) -> Iterator[Hit]:
    """Yield the dumps of a workload's containers; what fills a database before it starts is none.

    One that also names something on a volume that stays may put the dump there in the end.
    """
    jobs = workload.kind in UNTIL_DONE
    all_of_them = list(workload.pod.all_containers) if jobs else running_containers(workload)
    for container in all_of_them:
        found = list(mounts(workload, container))
        said = (*container.command, *container.args, *(v.value for v in container.env))
        named = [path for text in said for path in _PATH.findall(text)]
        if any(m.stays and is_below(path, m.path) for m in found for path in named):
            continue
        for path in dict.fromkeys(dumps(container)):
            inside = any(m.stays and is_below(m.path, path) for m in found)  # perhaps there
            on = None if inside else _lost(found, path)
            if on and not _taken(container, path, all_of_them):
                at = workload.container_at(container)
                yield Hit(workload, f"container {container.name} dumps to {path}, on {on}", at)


@Rule(
    "audit.cluster-without-backup",
    Severity.NOTE,
    "An operator's database that asks for no backups",
    reason=(
        "Replicas are no backup: what is deleted or corrupted on one is so on all. Retain keeps a "
        "volume, not what it held yesterday."
    ),
    fix=(
        "Let the operator make backups, to storage that fails apart from this. If something else "
        "does, such as Velero, a job that dumps, or the operator's own configuration, ignore this "
        "with that reason."
    ),
    example="""
        apiVersion: postgresql.cnpg.io/v1
        kind: Cluster
        metadata: {name: db}
        spec:
          instances: 3
          storage: {size: 10Gi}
          plugins:
            - name: barman-cloud.cloudnative-pg.io
              isWALArchiver: true
              parameters: {barmanObjectName: backups}
        ---
        apiVersion: postgresql.cnpg.io/v1
        kind: ScheduledBackup
        metadata: {name: daily}
        spec:
          schedule: "0 0 0 * * *"
          method: plugin
          cluster: {name: db}
          pluginConfiguration: {name: barman-cloud.cloudnative-pg.io}
    """,
    source="CloudNativePG documentation, Backup; for each operator, landfast/audit/operators.yaml",
)
def cluster_without_backup(inventory: Inventory) -> Iterator[Hit]:
    """Find them, once for each object, where the table knows what asks for backups."""
    seen = set()
    for workload in inventory.workloads:
        if workload.without_backup and workload.title not in seen:
            seen.add(workload.title)
            said = " or ".join(workload.without_backup)
            yield Hit(workload, f"it has no {said}", ("spec",))
