"""Steps 8 to 13: MySQL on the prepared PV, its rows, and what deletions leave. In order."""

import time

import pytest

from fixtures.session import Run
from landfast import timeouts
from landfast.journal import EnvironmentFact
from landfast.stack import Stack
from landfast.steps import Steps
from suites.conformance.walkthrough.conftest import Walk
from suites.conformance.walkthrough.database import PVC, ROWS, data_files, hashes, messages

pytestmark = pytest.mark.xdist_group("walkthrough")


@pytest.mark.claim("walkthrough.mysql-binds-the-static-pv")
def test_mysql_pvc_binds_the_pv_prepared_for_it(reference: Stack, test: Steps) -> None:
    prepared = reference.overlay.name("PersistentVolume", "nfs-pv-data-mysql")
    with test.step("make /data/share/mysql on the server, create MySQL's objects"):
        reference.export.make_folder("mysql")
        for obj in reference.objects("mysql"):
            reference.kube.create(obj)
            if obj["kind"] == "PersistentVolume":
                # a PVC created before its PV is Available gets a provisioned one
                reference.wait_for_pv(prepared, "Available")
    with test.verify(f"{PVC} becomes Bound"):
        pvc = reference.wait_for_pvc(PVC)
    pvs = sorted(
        pv["metadata"]["name"]
        for pv in reference.kube.list("PersistentVolume")
        if pv["spec"].get("storageClassName") == reference.storage_class
    )
    test.observe(f"{PVC} is bound to {pvc['spec']['volumeName']}; PVs of the class: {pvs}")
    assert pvc["spec"]["volumeName"] == prepared, "MySQL's PVC is bound to another PV"
    expected = sorted([reference.overlay.name("PersistentVolume", "nfs-pv"), prepared])
    assert pvs == expected, "a PV was provisioned, or one is missing"


@pytest.mark.claim("walkthrough.mysql-runs")
def test_mysql_runs_and_answers(reference: Stack, walk: Walk, test: Steps, run: Run) -> None:
    with test.verify("mysql-0 is Running and answers through the NodePort"):
        pod = reference.wait_for_pod("mysql-0", "Running", timeout=timeouts.MYSQL_READY)
        walk.identity = reference.wait_for_mysql()
    (container,) = pod["spec"]["containers"]
    test.observe(
        f"mysql-0 runs on {pod['spec']['nodeName']} with image {container['image']} and "
        f"{container['resources']['limits']['memory']} of memory; "
        f"MySQL {walk.identity.version} answers root, server_uuid {walk.identity.server_uuid}"
    )
    mounts = reference.kube.execute(reference.namespace, "mysql-0", ["cat", "/proc/mounts"])
    (mount,) = (line for line in mounts.splitlines() if " /var/lib/mysql " in line)
    run.journal.write(EnvironmentFact(section="nfs", name="MySQL's mount", value=mount))


@pytest.mark.claim("walkthrough.mysql-files-belong-to-mysql")
def test_data_files_on_the_server_belong_to_mysql(reference: Stack, test: Steps) -> None:
    entries = reference.export.list("mysql")
    names = data_files(reference)
    assert {"auto.cnf", "ibdata1"} <= names, f"MySQL's own files are missing: {sorted(names)}"
    system = entries["mysql/ibdata1"]
    test.observe(f"{len(entries)} files and folders on the server, among them: {system}")
    strange = [str(entry) for entry in entries.values() if entry.uid != 999]
    test.observe(f"not owned by 999: {strange or 'none'}")
    assert strange == [], "999 does not own all files on the server"


@pytest.mark.claim("walkthrough.rows-are-readable")
def test_acknowledged_rows_are_readable(reference: Stack, test: Steps) -> None:
    with test.verify(
        "MySQL acknowledges a table and two rows, and returns them on a new connection"
    ):
        reference.mysql.query("CREATE DATABASE test_mysql")
        reference.mysql.query(
            "CREATE TABLE test_mysql.msg (line INT PRIMARY KEY AUTO_INCREMENT, msg VARCHAR(255))"
        )
        for text in ROWS:
            reference.mysql.query("INSERT INTO test_mysql.msg VALUES (NULL, %s)", [text])
        rows = messages(reference)
    test.observe(f"on a new connection, the table has {rows}")
    assert rows == ROWS, "rows that MySQL acknowledged are missing"


@pytest.mark.claim("walkthrough.database-is-a-folder-on-the-server")
def test_database_is_a_folder_on_the_server(reference: Stack, walk: Walk, test: Steps) -> None:
    folder = reference.export.stat("mysql/test_mysql")
    walk.files = data_files(reference)
    table = sorted(name for name in walk.files if name.startswith("test_mysql/msg."))
    test.observe(f"the server has: {folder}, in it {table}")
    assert folder is not None, "there is no folder test_mysql on the server"
    assert folder.type == "directory", f"test_mysql on the server is a {folder.type}"
    assert table, "no file of table msg is in the folder test_mysql"


def expect_the_same_rows(reference: Stack, walk: Walk, test: Steps, since: float) -> None:
    """Hold a MySQL that was started after `since` to the rows and the data directory of before."""
    with test.verify("MySQL answers and returns its rows"):
        identity = reference.wait_for_mysql(since=since)
        rows = messages(reference)
    uuid = identity.server_uuid
    test.observe(f"MySQL {identity.version} returns the rows {rows}; server_uuid {uuid}")
    assert rows == ROWS, f"rows were lost or changed; server_uuid is now {uuid}"
    assert uuid == walk.server_uuid, "MySQL runs on another data directory"


def replace_pod(reference: Stack, test: Steps, grace_seconds: int | None) -> float:
    """Delete pod mysql-0 and wait for another one; return when, as time.monotonic() has it."""
    since = time.monotonic()
    before = reference.kube.get("Pod", "mysql-0", reference.namespace)
    reference.kube.delete("Pod", "mysql-0", reference.namespace, grace_seconds=grace_seconds)
    after = reference.wait_for_next_pod(before)
    test.observe(f"pod {before['metadata']['uid']} is replaced by {after['metadata']['uid']}")
    return since


@pytest.mark.claim("walkthrough.rows-survive-pod-deletion")
def test_rows_survive_the_deletion_of_the_pod(reference: Stack, walk: Walk, test: Steps) -> None:
    with test.step("delete pod mysql-0, wait for the next one"):
        since = replace_pod(reference, test, grace_seconds=None)
    expect_the_same_rows(reference, walk, test, since)


@pytest.mark.claim("walkthrough.rows-survive-force-deletion")
def test_rows_survive_the_forced_deletion_of_the_pod(
    reference: Stack, walk: Walk, test: Steps
) -> None:
    with test.step("delete pod mysql-0 by force, wait for the next one"):
        since = replace_pod(reference, test, grace_seconds=0)
    expect_the_same_rows(reference, walk, test, since)


def delete_statefulset(reference: Stack) -> None:
    reference.delete("StatefulSet", "mysql")
    reference.wait_gone("Pod", "mysql-0", reference.namespace)


@pytest.mark.claim("walkthrough.files-outlive-the-statefulset")
def test_data_files_outlive_the_statefulset(reference: Stack, walk: Walk, test: Steps) -> None:
    with test.step("delete StatefulSet mysql, wait until its pod is gone"):
        delete_statefulset(reference)
    left = data_files(reference)
    lost = sorted(walk.files - left)
    test.observe(
        f"{len(left)} data files are on the server; missing since step 9: {lost or 'none'}"
    )
    assert lost == [], "data files are no longer on the server"
    assert "test_mysql/msg.ibd" in left, "the table's file is not on the server"


@pytest.mark.claim("walkthrough.rows-survive-statefulset-recreation")
def test_rows_survive_the_recreation_of_the_statefulset(
    reference: Stack, walk: Walk, test: Steps
) -> None:
    (statefulset,) = (o for o in reference.objects("mysql") if o["kind"] == "StatefulSet")
    since = time.monotonic()
    with test.step("create StatefulSet mysql again"):
        reference.kube.create(statefulset)
    expect_the_same_rows(reference, walk, test, since)


@pytest.mark.claim("walkthrough.files-outlive-claim-and-volume")
def test_data_files_outlive_pvc_and_pv(reference: Stack, test: Steps) -> None:
    pv = reference.overlay.name("PersistentVolume", "nfs-pv-data-mysql")
    with test.step("delete StatefulSet mysql, wait until its pod is gone"):
        delete_statefulset(reference)
    before = hashes(reference)
    assert "mysql/test_mysql/msg.ibd" in before, "the table's file was missing before"
    with test.step("delete the PVC, then the PV"):
        reference.delete("PersistentVolumeClaim", PVC)
        phase = reference.wait_for_pv(pv, "Released")["status"]["phase"]
        reference.delete("PersistentVolume", pv)
    after = hashes(reference)
    test.observe(
        f"{pv} was {phase}, then deleted; on the server with the same content: {sorted(after)}"
    )
    assert after == before, "data files were lost or changed"
