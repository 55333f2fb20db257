"""Settings of workloads that NFS does not follow, or that remove a database's PVCs."""

from cases_pods import script
from cases_servers import CLAIM, EMPTY, MYSQL, at, run
from cases_writers import BLOCK
from objects_to_audit import NFS, Case, bound, pod, pvc, statefulset, storage_class

from landfast.kube.client import Object


def retention(**given: str) -> list[Object]:
    found = statefulset(persistentVolumeClaimRetentionPolicy=given)
    return [storage_class("nfs", reclaimPolicy="Retain"), found]


def strimzi(**storage: object) -> Object:
    volumes = {"type": "persistent-claim", "class": "nfs", "size": "1Gi", **storage}
    return {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "Kafka",
        "metadata": {"name": "logs", "namespace": "shop"},
        "spec": {"kafka": {"replicas": 3, "storage": volumes}},
    }


def sub_path(image: str) -> list[Object]:
    found = pod("db", "a", image)
    found["spec"]["containers"][0]["volumeMounts"][0]["subPath"] = "mysql"
    return [*bound("a"), found]


def env(**values: str) -> list[Object]:
    return [{"name": name, "value": value} for name, value in values.items()]


WORKLOADS: list[Case] = [
    Case(
        "engine-not-for-nfs",
        at("/prometheus", "prom/prometheus:v3"),
        at(MYSQL),  # its maker says how
        "Prometheus in Deployment shop/db is on NFS (PersistentVolumeClaim shop/a), and it is",
        "warning",
    ),
    Case(
        "engine-not-for-nfs",
        at("/var/lib/grafana", "grafana/grafana:11"),
        [pvc("a", **NFS), BLOCK, at("/var/lib/grafana", "grafana/grafana:11")[-1]],
        "unless it has another database, may be corrupted where a network file system",
        "note",
    ),
    Case(
        "engine-not-for-nfs",
        run("acme/frigate", {"/config": CLAIM, "/media": EMPTY}),
        run("acme/frigate", {"/config": EMPTY, "/media": CLAIM}),
        "Frigate in Deployment shop/db is on NFS",
        "note",
    ),
    Case(
        "engine-not-for-nfs",
        run("grafana/grafana:11", {"/var/lib/grafana": CLAIM}, env=env(GF_DATABASE_TYPE="sqlite3")),
        run("grafana/grafana:11", {"/var/lib/grafana": CLAIM}, env=env(GF_DATABASE_TYPE="mysql")),
        "Grafana in Deployment shop/db is on NFS",
        "note",
    ),
    Case(
        "pvcs-deleted-with-pods",
        retention(whenScaled="Delete"),
        retention(whenScaled="Retain", whenDeleted="Retain"),
        "whenScaled is Delete under StatefulSet shop/db",
        "warning",
    ),
    Case(
        "pvcs-deleted-with-pods",
        retention(whenScaled="Delete", whenDeleted="Delete"),
        [
            storage_class("nfs", reclaimPolicy="Retain"),
            statefulset(
                image="nginx", persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"}
            ),
        ],
        "whenScaled is Delete and whenDeleted is Delete",
        "warning",
    ),
    Case(
        "pvcs-deleted-with-pods",
        [strimzi(deleteClaim=True)],
        [strimzi(deleteClaim=False), strimzi(deleteClaim=None)],
        "the operator deletes the PVCs of Kafka shop/logs (kafka) with it",
        "warning",
    ),
    Case(
        "fs-group-on-nfs",
        at(MYSQL, pod_securityContext={"fsGroup": 999}),
        at(MYSQL, pod_securityContext={"runAsUser": 999}),
        "fsGroup is 999 for the files of MySQL",
        "note",
    ),
    Case(
        "fs-group-on-nfs",
        at(MYSQL, pod_securityContext={"fsGroup": 999}),
        [pvc("a", **NFS), BLOCK, at(MYSQL, pod_securityContext={"fsGroup": 999})[-1]],
        "fsGroup is 999",
        "note",
    ),
    Case(
        "chown-on-nfs",
        script("chown -R 999:999 /var/lib/mysql"),
        script("chown -R 999:999 /tmp"),
        "container first runs chown on /var/lib/mysql, which is on NFS",
        "warning",
    ),
    Case(
        "chown-on-nfs",
        script("set -e; chmod -R 0700 /var/lib/mysql/data"),
        [pvc("a", **NFS), BLOCK, script("chown -R 999:999 /var/lib/mysql")[-1]],
        "runs chmod on /var/lib/mysql/data",
        "warning",
    ),
    Case(
        "chown-on-nfs",
        script("chgrp 999 /var/lib/mysql"),
        script("chmod 0700 /var/lib/mysql"),  # of one directory
        "runs chgrp on /var/lib/mysql",
        "warning",
    ),
    Case(
        "sub-path-on-nfs",
        sub_path("mysql:8"),
        sub_path("nginx"),
        "MySQL in Pod shop/db is in mysql",
        "note",
    ),
]
