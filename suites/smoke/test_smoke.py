"""Whether the main job runs at all: cluster, stack, one write, one pod deletion."""

import pytest

from landfast.stack import Stack
from landfast.steps import Steps

pytestmark = pytest.mark.xdist_group("walkthrough")


@pytest.mark.claim("smoke.mysql-keeps-a-row-when-its-pod-is-deleted")
def test_mysql_keeps_a_row_when_its_pod_is_deleted(reference: Stack, test: Steps) -> None:
    with test.step("remove what other tests left, deploy provisioner, class and MySQL"):
        reference.remove()
        reference.export.make_folder("mysql")
        reference.deploy_provisioner()
        reference.create("mysql")
        before = reference.wait_for_mysql()
    test.observe(f"MySQL {before.version} answers, server_uuid {before.server_uuid}")
    with test.step("write a row, delete the pod and wait for the next one"):
        reference.mysql.query("CREATE DATABASE smoke")
        reference.mysql.query("CREATE TABLE smoke.row (id INT PRIMARY KEY, text VARCHAR(20))")
        reference.mysql.query("INSERT INTO smoke.row VALUES (1, 'kept')")
        pod = reference.kube.get("Pod", "mysql-0", reference.namespace)
        reference.kube.delete("Pod", "mysql-0", reference.namespace)
        reference.wait_for_next_pod(pod)
    with test.verify("MySQL answers and returns the row"):
        after = reference.wait_for_mysql()
        rows = reference.mysql.query("SELECT id, text FROM smoke.row")
    test.observe(f"after the deletion it has the rows {rows} and server_uuid {after.server_uuid}")
    assert rows == [(1, "kept")]
    assert after == before, "another data directory, or another server"
