"""Databases on a bucket that looks like a file system."""

from typing import Any

from cases_servers import MYSQL, run
from objects_to_audit import Case, bound, pod, pvc, statefulset, storage_class

from landfast.kube.client import Object

S3: dict[str, Any] = {"nfs": None, "csi": {"driver": "s3.csi.aws.com", "volumeHandle": "b"}}
BLOB: dict[str, Any] = {"provisioner": "blob.csi.azure.com"}


def fuse(driver: str = "gcsfuse.csi.storage.gke.io") -> Object:
    return {"csi": {"driver": driver, "volumeAttributes": {"bucketName": "b"}}}


BUCKETS: list[Case] = [
    Case(
        "database-in-a-bucket",
        [statefulset(), storage_class("nfs", provisioner="ru.yandex.s3.csi", parameters={})],
        [statefulset(), storage_class("nfs", provisioner="ebs.csi.aws.com", parameters={})],
        "a bucket that ru.yandex.s3.csi of StorageClass nfs shows as files",
    ),
    Case(
        "database-in-a-bucket",
        [*bound("a", **S3), pod("db", "a")],
        [*bound("a", **S3), pod("web", "a", "nginx")],
        "MySQL in Pod shop/db has its files on PersistentVolumeClaim shop/a, a bucket that s3.csi",
    ),
    Case(
        "database-in-a-bucket",
        run("mysql:8.4", {MYSQL: fuse()}),
        run("mysql:8.4", {MYSQL: fuse("ebs.csi.aws.com"), "/backup": fuse()}),
        "a bucket that gcsfuse.csi.storage.gke.io shows as files",
    ),
    Case(
        "database-in-a-bucket",
        [pvc("a", storageClassName="csi-s3"), pod("db", "a")],
        [pvc("a", storageClassName="standard"), pod("db", "a")],
        "a bucket that StorageClass csi-s3 shows as files",
    ),
    Case(
        "database-in-a-bucket",
        [statefulset(), storage_class("nfs", parameters={"protocol": "fuse2"}, **BLOB)],
        [statefulset(), storage_class("nfs", parameters={"protocol": "nfs"}, **BLOB)],
        "blob.csi.azure.com",
    ),
    Case(
        "database-in-a-bucket",
        [pvc("a", storageClassName="csi-s3"), pod("db", "a", "grafana/grafana:11")],
        [pvc("a", storageClassName="fast"), pod("db", "a", "grafana/grafana:11")],
        "Grafana in Pod shop/db",
        "warning",  # it may have its data in a server
    ),
]
