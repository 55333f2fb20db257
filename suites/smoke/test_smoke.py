"""Does the main job run at all: cluster, stack, one write, one pod deletion."""

import pytest

from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.waiting import wait_until

pytestmark = pytest.mark.xdist_group("walkthrough")

_MYSQL_SECONDS = 90


@pytest.mark.claim("smoke.mysql-keeps-a-row-when-its-pod-is-deleted")
def test_mysql_keeps_a_row_when_its_pod_is_deleted(
    reference: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    reference.validate("provisioner-rbac", "provisioner", "storageclass", "mysql")
    with step("deploy provisioner, class and MySQL"):
        reference.env.inspector.make_folder(reference.folder("mysql"))
        reference.deploy_provisioner()
        reference.create("mysql")
        before = reference.mysql.wait(timeout=_MYSQL_SECONDS)
    observe(f"MySQL {before.version} answers, server_uuid {before.server_uuid}")

    with step("write a row"):
        reference.mysql.query("CREATE DATABASE smoke")
        reference.mysql.query("CREATE TABLE smoke.row (id INT PRIMARY KEY, text VARCHAR(20))")
        reference.mysql.query("INSERT INTO smoke.row VALUES (1, 'kept')")

    pod = reference.kube.get("Pod", "mysql-0", reference.namespace)
    with step("delete the pod and wait for the next one"):
        reference.kube.delete("Pod", "mysql-0", reference.namespace)
        wait_until(
            "another pod mysql-0",
            lambda: reference.kube.find("Pod", "mysql-0", reference.namespace),
            until=lambda p: p is not None and p["metadata"]["uid"] != pod["metadata"]["uid"],
            timeout=_MYSQL_SECONDS,
        )
        after = reference.mysql.wait(timeout=_MYSQL_SECONDS)

    rows = reference.mysql.query("SELECT id, text FROM smoke.row")
    observe(f"after the deletion it has the rows {rows} and server_uuid {after.server_uuid}")
    assert rows == [(1, "kept")]
    assert after == before, "another data directory, or another server"
