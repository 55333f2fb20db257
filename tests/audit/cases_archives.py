"""What a database needs beside its data: its logs, their archive, dumps."""

from typing import Any

from cases_servers import CLAIM, CONFIG, EMPTY, MYSQL, run
from objects_to_audit import Case

from landfast.kube.client import Object

PGDATA = "/var/lib/postgresql/data"
POSTGRES = "postgres:17"
ARCHIVING = "archive_command=test ! -f /archive/%f && cp %p /archive/%f"


def postgres(mounts: dict[str, Object], *args: str, **more: Any) -> list[Object]:
    """PostgreSQL with its data on a PVC, and what else it mounts."""
    return run(POSTGRES, {PGDATA: CLAIM, **mounts}, args=list(args), **more)


def mysql(mounts: dict[str, Object], *args: str) -> list[Object]:
    return run("mysql:8.4", {MYSQL: CLAIM, **mounts}, args=list(args))


def env(**given: str) -> list[Object]:
    return [{"name": name, "value": value} for name, value in given.items()]


def dump(
    script: str, mounts: dict[str, Object], kind: str = "CronJob", **more: Any
) -> list[Object]:
    return run(POSTGRES, mounts, kind=kind, command=["sh", "-c", script], **more)


def beside(objects: list[Object], path: str, *, init: bool = False) -> list[Object]:
    """Objects with another container in the pod that has the volume at a path."""
    spec = objects[-1]["spec"]
    spec = spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec
    pod = spec["template"]["spec"]
    [name] = [m["name"] for m in pod["containers"][0]["volumeMounts"] if m["mountPath"] == path]
    other = {"name": "o", "image": "rclone", "volumeMounts": [{"name": name, "mountPath": "/o"}]}
    if init:
        pod["initContainers"] = pod["containers"]
        pod["containers"] = [other]
    else:
        pod["containers"].append(other)
    return objects


def dump_first(kind: str) -> list[Object]:
    """A dump to an emptyDir in an init container; what runs then does not have the volume."""
    last = {"name": "last", "image": "busybox:1.37", "command": ["true"]}
    found = dump("pg_dump shop > /backup/shop.sql", {"/backup": EMPTY}, kind)
    spec = found[-1]["spec"]
    pod = (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]["spec"]
    pod["initContainers"], pod["containers"] = pod["containers"], [last]
    return found


def operated(kind: str, version: str, **spec: Any) -> list[Object]:
    metadata = {"name": "db", "namespace": "shop"}
    return [{"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}]


def cnpg(**spec: Any) -> list[Object]:
    return operated("Cluster", "postgresql.cnpg.io/v1", instances=3, **spec)


def mongodb(**backup: Any) -> list[Object]:
    """A cluster of two sets of pods."""
    sets = [{"name": "a", "size": 3}, {"name": "b", "size": 3}]
    return operated("PerconaServerMongoDB", "psmdb.percona.com/v1", replsets=sets, backup=backup)


ARCHIVES: list[Case] = [
    Case(
        "backup-without-volume",
        dump_first("CronJob"),
        dump_first("Deployment"),  # it may fill what the pod itself starts with
        "container c dumps to /backup",
        "warning",
    ),
    Case(
        "cluster-without-backup",
        cnpg(),
        cnpg(plugins=[{"name": "barman-cloud.cloudnative-pg.io"}]),
        "it has no spec.backup or spec.plugins",
        "note",
    ),
    Case(
        "cluster-without-backup",
        cnpg(backup={}),
        cnpg(backup={"volumeSnapshot": {"className": "s"}}),
        "it has no spec.backup or spec.plugins",
        "note",
    ),
    Case(
        "cluster-without-backup",
        mongodb(enabled=True),
        mongodb(storages={"s3": {"type": "s3"}}),
        "it has no spec.backup.tasks or spec.backup.storages",
        "note",
    ),
    Case(
        "cluster-without-backup",
        operated("MySQLCluster", "moco.cybozu.com/v1beta2", replicas=3),
        operated("MySQLCluster", "moco.cybozu.com/v1beta2", backupPolicyName="daily"),
        "it has no spec.backupPolicyName",
        "note",
    ),
    Case(
        "cluster-without-backup",
        operated("postgresql", "acid.zalan.do/v1", enableLogicalBackup=False),
        operated("MariaDB", "k8s.mariadb.com/v1alpha1"),  # whose backups are other objects
        "it has no spec.enableLogicalBackup or spec.env",
        "note",
    ),
    Case(
        "log-without-volume",
        postgres({"/wal": EMPTY}, env=env(POSTGRES_INITDB_WALDIR="/wal/pg")),
        postgres({"/wal": CLAIM}, env=env(POSTGRES_INITDB_WALDIR="/wal/pg")),
        "(postgres:17) has its write-ahead log in /wal/pg, on an emptyDir",
    ),
    Case(
        "log-without-volume",
        postgres({}, env=env(POSTGRES_INITDB_ARGS="--locale=C --waldir=/wal")),
        postgres({}, env=env(POSTGRES_INITDB_ARGS=f"--waldir={PGDATA}/wal")),
        "has its write-ahead log in /wal, on the container's own files",
    ),
    Case(
        "log-without-volume",
        mysql({"/redo": EMPTY}, "--innodb_log_group_home_dir=/redo"),
        run(  # a test's server, without a volume at all
            "mysql:8.4", {"/redo": EMPTY}, args=["--innodb_log_group_home_dir=/redo"]
        ),
        "has its write-ahead log in /redo, on an emptyDir",
    ),
    Case(
        "log-without-volume",
        mysql({"/undo": EMPTY}, "--innodb-undo-directory", "/undo"),
        mysql({"/undo": EMPTY, "/undo/a": CLAIM}, "--innodb-undo-directory=/undo/a"),
        "has its undo log in /undo, on an emptyDir",
    ),
    Case(
        "log-without-volume",
        mysql({"/binlog": EMPTY}, "--log-bin=/binlog/mysql-bin"),
        mysql({"/binlog": EMPTY}, "--log-bin=mysql-bin"),
        "has its binary log in /binlog, on an emptyDir",
        "warning",
    ),
    Case(
        "log-without-volume",
        run("etcd:3", {"/var/lib/etcd": CLAIM, "/wal": EMPTY}, command=["etcd", "--wal-dir=/wal"]),
        run("etcd:3", {"/var/lib/etcd": CLAIM}, command=["etcd", "--wal-dir=/var/lib/etcd/wal"]),
        "(etcd:3) has its write-ahead log in /wal",
    ),
    Case(
        "backup-without-volume",
        postgres({"/archive": EMPTY}, "-c", ARCHIVING),
        postgres({"/archive": CLAIM}, "-c", ARCHIVING),
        "(postgres:17) archives its log to /archive, on an emptyDir",
        "warning",
    ),
    Case(
        "backup-without-volume",
        postgres({}, "-c", ARCHIVING),
        postgres({}, "-c", "archive_command=aws s3 cp %p s3://shop/wal/%f"),
        "archives its log to /archive, on the container's own files",
        "warning",
    ),
    Case(
        "backup-without-volume",
        postgres({"/wals": EMPTY}, env=env(POSTGRES_ARCHIVE_COMMAND="gzip < %p >/wals/%f.gz")),
        beside(
            postgres({"/wals": EMPTY}, env=env(POSTGRES_ARCHIVE_COMMAND="gzip < %p >/wals/%f.gz")),
            "/wals",
        ),
        "archives its log to /wals",
        "warning",
    ),
    Case(
        "backup-without-volume",
        postgres({"/archive": EMPTY}, "-c", ARCHIVING),
        postgres({}, "-c", "restore_command=cp /archive/%f %p"),
        "archives its log",
        "warning",
    ),
    Case(
        "backup-without-volume",
        mysql({"/mysql-backup": EMPTY}),
        [
            *mysql({"/mysql-backup": CLAIM, "/scratch": EMPTY, "/etc/backup": CONFIG}),
            *run("itsthenetwork/nfs-server-alpine", {"/exports": CLAIM, "/backup": EMPTY}),
            *run("mysql:8.4", {MYSQL: CLAIM, "/backup": EMPTY}, kind="Job"),
        ],
        "an emptyDir is mounted at /mysql-backup of Deployment shop/db (mysql:8.4)",
        "note",
    ),
    Case(
        "backup-without-volume",
        mysql({"/backups": EMPTY}),
        beside(mysql({"/backups": EMPTY}), "/backups"),
        "an emptyDir is mounted at /backups",
        "note",
    ),
    Case(
        "backup-without-volume",
        dump("pg_dump -h db shop | gzip > /backup/$(date +%F).gz", {"/backup": EMPTY}),
        dump("pg_dump -h db shop | gzip > /backup/$(date +%F).gz", {"/backup": CLAIM}),
        "container c dumps to /backup, on an emptyDir",
        "warning",
    ),
    Case(
        "backup-without-volume",
        dump("pg_dump -h db shop > /backup/x", {}),
        dump("pg_dump -h db shop > /backup/x && aws s3 cp /backup/x s3://b", {}),
        "container c dumps to /backup/x, on the container's own files",
        "warning",
    ),
    Case(
        "backup-without-volume",
        dump("set -e; pg_dumpall -h db --file=/dumps/all 2> /dev/null", {"/dumps": EMPTY}),
        beside(dump("pg_dumpall -h db -f /dumps/all", {"/dumps": EMPTY}), "/dumps", init=True),
        "container c dumps to /dumps/all, on an emptyDir",
        "warning",
    ),
    Case(
        "backup-without-volume",
        dump("mongodump -h db --out $DIR/x", {"/b": EMPTY}, env=env(DIR="/b")),
        dump("mongodump -h db --out $DIR/x", {"/b": EMPTY, "/c": CLAIM}, env=env(DIR="/c")),
        "container c dumps to /b/x, on an emptyDir",
        "warning",
    ),
    Case(
        "backup-without-volume",
        dump("TO=/b/$(date +%F)\nmkdir -p $TO\nmysqldump shop > ${TO}/x", {"/b": EMPTY}),
        dump("mysqldump shop > /tmp/x; cp /tmp/x /b/", {"/b": CLAIM}),
        "on an emptyDir",
        "warning",
    ),
    Case(
        "backup-without-volume",
        dump("while true; do pg_dump shop > /b/x; sleep 9; done", {"/b": EMPTY}, "Deployment"),
        dump("pg_dump -h a shop > /b/x; psql -h b < /b/x", {"/b": EMPTY}),  # a copy
        "container c dumps to /b/x",
        "warning",
    ),
    Case(
        "backup-without-volume",
        dump("pg_dump shop > /mnt/$WHERE/x", {"/mnt": EMPTY}),
        dump("pg_dump shop > /mnt/$WHERE/x", {"/mnt/backup": CLAIM}),
        "container c dumps to /mnt, on an emptyDir",
        "warning",
    ),
    Case(
        "backup-without-volume",
        dump("etcdctl snapshot save /b/etcd.db", {"/b": EMPTY}),
        dump("etcdctl get --prefix / > /dev/null; pg_dump x > /dev/null", {"/b": EMPTY}),
        "container c dumps to /b/etcd.db",
        "warning",
    ),
]
