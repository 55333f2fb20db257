"""Where a database's data goes, and what its pods do to it."""

from typing import Any

from objects_to_audit import Case, bound, controller, pvc

from landfast.kube.client import Object

CLAIM: Object = {"persistentVolumeClaim": {"claimName": "a"}}
EMPTY: Object = {"emptyDir": {}}
CONFIG: Object = {"configMap": {"name": "c"}}
MYSQL = "/var/lib/mysql"


def run(
    image: str, mounts: dict[str, Object] | None = None, kind: str = "Deployment", **more: Any
) -> list[Object]:
    """A workload of one container, with a volume at each path; `pod_*` are fields of its pod."""
    found = mounts or {}
    names = {path: f"v{number}" for number, path in enumerate(found)}
    pod = {key.removeprefix("pod_"): more.pop(key) for key in list(more) if key[:4] == "pod_"}
    container = {
        "name": "c",
        "image": image,
        "volumeMounts": [{"name": name, "mountPath": path} for path, name in names.items()],
        **more,
    }
    workload = controller(kind, "a", strategy={"type": "Recreate"})
    workload["spec"]["template"]["spec"] = {
        "containers": [container],
        "volumes": [{"name": names[path], **volume} for path, volume in found.items()],
        **pod,
    }
    if kind in ("Job", "CronJob"):
        workload["apiVersion"] = "batch/v1"
    if kind == "CronJob":
        workload["spec"] = {"jobTemplate": {"spec": workload["spec"]}}
    return [*bound("a"), workload]


def labelled(image: str, *command: str) -> list[Object]:
    found = run(image, command=list(command))
    found[-1]["spec"]["template"]["metadata"] = {"labels": {"app": "mysql"}}
    return found


def rethinkdb(**labels: str) -> list[Object]:
    """A server by its port: the image is called a little differently."""
    ports = [{"containerPort": 28015}]
    found = run("acme/rethinkdb-acme", {"/data/rethinkdb_data": EMPTY}, ports=ports)
    found[-1]["spec"]["template"]["metadata"] = {"labels": labels}
    return found


def at(path: str, image: str = "mysql:8.4", **more: Any) -> list[Object]:
    """A database with a PVC at a path."""
    return run(image, {path: CLAIM}, **more)


SERVERS: list[Case] = [
    Case("database-without-volume", run("mysql:8.4"), at(MYSQL), "no volume is mounted"),
    Case(
        "database-without-volume",
        run("postgres:17", {"/var/lib/postgresql/data": EMPTY}),
        run("postgres:17", {"/var/lib/postgresql/data": CLAIM, "/scratch": EMPTY}),
        "an emptyDir is mounted at /var/lib/postgresql/data",
    ),
    Case(
        "database-without-volume",
        run("mysql:8.4", {MYSQL: {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}}}),
        run("mysql:8.4", {MYSQL: {"nfs": {"server": "nas", "path": "/a"}}}),
        "an ephemeral volume",
    ),
    Case(
        "database-without-volume",
        run("mysql:8.4", {MYSQL: EMPTY, "/backup": CLAIM}),
        run("mysql:8.4", {MYSQL: {"hostPath": {"path": "/srv"}}}),  # stays, on its node
        "an emptyDir is mounted",
    ),
    Case(
        "database-without-volume",
        [*run("mysql:8.4", {MYSQL: EMPTY}), pvc("b"), pvc("c", metadata={"namespace": "blog"})],
        run("mysql:8.4", {MYSQL: {"nfs": {"server": "nas", "path": "/a"}}}),
        "Deployment shop/db (mysql:8.4); nothing mounts PersistentVolumeClaim shop/a and "
        "PersistentVolumeClaim shop/b",
    ),
    Case(
        "database-without-volume",
        run("mysql:8.4", {"/etc/mysql/conf.d": CONFIG}),
        run("mysql:8.4", command=["mysqldump", "--host=db"]),  # a client
        "no volume is mounted",
    ),
    Case(
        "database-without-volume",
        run("mongo:7", kind="StatefulSet"),
        run("mongo:7", command=["mongos"]),  # it has no data
        "no volume is mounted for the data of MongoDB",
    ),
    Case(
        "database-without-volume",
        run("rabbitmq:4", {"/var/lib/rabbitmq": EMPTY}),
        run("rabbitmq:4", {"/var/lib/rabbitmq/mnesia": CLAIM}),
        "an emptyDir",
        "warning",
    ),
    Case(
        "database-without-volume",
        run("postgres:17", {"/var/lib/postgresql/data": EMPTY}),
        # in a directory of the data, beside another volume
        run("postgres:17", {"/var/lib/postgresql/data/pgdata": CLAIM, "/scratch": EMPTY}),
        "an emptyDir",
    ),
    Case(
        "database-without-volume",
        run("rabbitmq:4"),
        run("rabbitmq:4", {"/var/lib/rabbitmq": EMPTY, "/var/lib/rabbitmq/mnesia": CLAIM}),
        "no volume is mounted",
        "warning",
    ),
    Case(
        "database-without-volume",
        run("redis:7", kind="StatefulSet"),
        run("redis:7"),  # a cache
        "no volume is mounted for the data of Redis",
        "note",
    ),
    Case(
        "database-without-volume",
        labelled("acme/base", "mysqld"),
        labelled("acme/base"),  # perhaps a client
        "no volume is mounted for the data of MySQL",
    ),
    Case(
        "database-without-volume",
        run("mysql:8.4", kind="ReplicaSet"),
        run("mysql:8.4", kind="Job"),  # a server for the time of a test
        "no volume",
    ),
    Case(
        "database-without-volume",
        rethinkdb(role="replica"),
        rethinkdb(role="proxy"),  # it has no tables
        "an emptyDir is mounted at /data/rethinkdb_data for the data of RethinkDB",
    ),
    Case(
        "data-directory-not-mounted",
        at("/data", "mongo:7"),
        at("/data/db", "mongo:7"),
        "mounts its volume at /data, and MongoDB writes to /data/db, a VOLUME of the image",
    ),
    Case(
        "data-directory-not-mounted",
        at("/data", "mongo:7", args=["--dbpath=/data/db/x"]),
        at("/data", "mongo:7", args=["--dbpath=/data/mongo"]),
        "a VOLUME of the image",
    ),
    Case(
        "data-directory-not-mounted",
        at("/var/lib/postgresql", "postgres:16-alpine"),
        at("/var/lib/postgresql", "postgres:18"),  # its VOLUME
        "writes to /var/lib/postgresql/data",
    ),
    Case(
        "data-directory-not-mounted",
        at("/var/lib/postgresql", "postgres:16.2"),
        at(
            "/var/lib/postgresql",
            "postgres:16.2",
            env=[{"name": "PGDATA", "value": "/var/lib/postgresql/own"}],
        ),
        "writes to /var/lib/postgresql/data",
    ),
    Case(
        "data-directory-not-mounted",
        at("/data"),
        at("/data", args=["--datadir=/data/mysql"]),
        "writes to /var/lib/mysql",
    ),
    Case(
        "data-directory-not-mounted",
        at("/storage"),
        run("mysql:8.4", {"/storage": CLAIM, "/etc/mysql/conf.d": CONFIG}),  # may say so
        "mounts its volume at /storage",
    ),
    Case(
        "data-directory-not-mounted",
        run("mongo:7", {"/data": CLAIM, "/etc/mongo": CONFIG}),
        at("/bitnami/mongodb", "bitnami/mongodb:7"),
        "a VOLUME",
        "warning",
    ),
    Case(
        "data-directory-not-mounted",
        at("/backup", "postgres:17"),
        at("/var/lib/postgresql/data/pgdata", "postgres:17"),
        "mounts its volume at /backup",
    ),
    Case(
        "data-directory-not-mounted",
        at("/usr/share/backup", "elasticsearch:8"),
        at("/usr/share/elasticsearch", "elasticsearch:8"),  # its image declares no VOLUME
        "Elasticsearch writes to /usr/share/elasticsearch/data",
        "warning",
    ),
    Case(
        "data-directory-not-mounted",
        at("/data", "prom/prometheus:v3"),
        at("/data", "prom/prometheus:v3", args=["--storage.tsdb.path=/data"]),
        "Prometheus writes to /prometheus",
        "warning",
    ),
    Case(
        "data-directory-not-mounted",
        at("/storage", "minio/minio", args=["server", "http://minio-{0...3}/data"]),
        at("/storage", "minio/minio", args=["server", "http://minio-{0...3}.minio/storage"]),
        "MinIO writes to /data",
    ),
    Case(
        "data-directory-not-mounted",
        at("/backup"),
        run("mysql:8.4", {"/backup": CLAIM, MYSQL: CLAIM}),
        "mounts its volume at /backup",
    ),
    Case(
        "data-directory-not-mounted",
        at("/var/lib/postgresql/data", "registry.example.com/bitnami/postgresql:16"),
        at("/bitnami/postgresql", "registry.example.com/bitnami/postgresql:16"),
        "mounts its volume at /var/lib/postgresql/data, and PostgreSQL writes to /bitnami/postgre",
    ),
    Case(
        "data-directory-not-mounted",
        at(MYSQL, "linuxserver/mariadb"),
        at("/config", "linuxserver/mariadb"),
        "MariaDB writes to /config/databases",
    ),
]
