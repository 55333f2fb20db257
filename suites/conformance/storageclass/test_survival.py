"""What survives: pods, force, StatefulSets, namespaces, MySQL."""

import pytest

from landfast import timeouts
from landfast.kube.client import Object
from landfast.kube.pods import wait_for_service_account
from landfast.manifests import namespace
from landfast.steps import Steps
from landfast.waiting import wait_until
from suites.conformance.storageclass.judged import MYSQL, Judged
from suites.conformance.storageclass.mysql import start_mysql
from suites.objects import is_terminating, pod, pvc, shell

_LOOK = "sha256sum <rows"
_WRITE = f"seq 1 20000 >/dev/shm/r; dd if=/dev/shm/r of=rows conv=fsync status=none; {_LOOK}"
_LOOP = "while :; do date +%s%N | dd of=/nfs/beat conv=fsync status=none; done"
_SET = "keeper"


def written(judged: Judged, name: str) -> str:
    """Let a pod write rows and sync them; return their hash."""
    with judged.steps.step(f"pod {name} writes rows and syncs them"):
        return judged.say(name, _WRITE)


def expect_rows(judged: Judged, test: Steps, name: str, wanted: str) -> None:
    """Hold that a pod finds the rows unchanged."""
    with test.verify("the next pod reads the rows"):
        found = judged.say(name, _LOOK)
    test.observe(f"written {wanted.split()[0][:12]}…, read {found.split()[0][:12]}…")
    assert found == wanted, "the rows are not what was synced"


@pytest.mark.claim("storageclass.data-survives-its-pod")
def test_next_pod_finds_what_the_last_one_synced(judged: Judged, test: Steps) -> None:
    judged.volume()
    with test.step("run a pod with it"):
        judged.run("first")
    rows = written(judged, "first")
    with test.step("delete the pod, run another"):
        judged.stack.delete("Pod", "first")
        judged.run("second")
    expect_rows(judged, test, "second", rows)


@pytest.mark.claim("storageclass.data-survives-a-forced-deletion")
def test_next_pod_finds_the_rows_after_a_forced_deletion(judged: Judged, test: Steps) -> None:
    judged.volume()
    with test.step("run a pod that writes all the time"):
        judged.run("first", shell(_LOOP))
    rows = written(judged, "first")
    with test.step("delete the pod by force, run another"):
        judged.stack.delete("Pod", "first", grace_seconds=0)
        judged.run("second")
    expect_rows(judged, test, "second", rows)


@pytest.mark.claim("storageclass.data-survives-its-statefulset")
def test_next_statefulset_finds_the_data_of_the_last_one(judged: Judged, test: Steps) -> None:
    stack = judged.stack
    _ = judged.subject
    pod_name, pvc_name = f"{_SET}-0", f"data-{_SET}-0"
    with test.step("create a StatefulSet with a volumeClaimTemplate of the class"):
        stack.make(_statefulset())
        stack.wait_for_pod(pod_name, "Running")
    rows = written(judged, pod_name)
    with test.step("delete the StatefulSet, wait until its pod is gone"):
        stack.delete("StatefulSet", _SET)
        stack.wait_gone("Pod", pod_name, stack.namespace)
    with test.verify("its PVC stays Bound"):
        stack.wait_for_pvc(pvc_name, timeout=timeouts.ANSWER)
    with test.step("create the StatefulSet again"):
        stack.make(_statefulset())
        stack.wait_for_pod(pod_name, "Running")
    expect_rows(judged, test, pod_name, rows)


@pytest.mark.claim("storageclass.deletion-waits-for-the-writer")
def test_pvc_that_is_deleted_stays_while_its_pod_writes(judged: Judged, test: Steps) -> None:
    stack = judged.stack
    judged.volume()
    with test.step("run a pod that writes all the time"):
        judged.run("writer", shell(_LOOP))
    with test.verify("the PVC is deleted and stays, and the pod goes on writing"):
        stack.kube.delete("PersistentVolumeClaim", "data", stack.namespace)
        before = judged.say("writer", "cat beat")
        wait_until(
            "the pod to write again",
            lambda: judged.say("writer", "cat beat"),
            until=lambda beat: beat not in ("", before),
            timeout=timeouts.ANSWER,
        )
        left = stack.kube.get("PersistentVolumeClaim", "data", stack.namespace)
    test.observe(f"the PVC is {'terminating' if is_terminating(left) else 'not terminating'}")
    with test.verify("with the pod, the PVC is gone"):
        stack.delete("Pod", "writer", grace_seconds=1)
        stack.wait_gone("PersistentVolumeClaim", "data", stack.namespace)
    test.observe("the PVC was there until its pod was gone")


@pytest.mark.claim("storageclass.deleted-namespace-leaks-nothing")
def test_pv_of_a_deleted_namespace_ends_as_its_policy_says(judged: Judged, test: Steps) -> None:
    stack = judged.stack
    stack.env.cluster.require("cluster.namespaces")
    other = f"{stack.namespace}-gone"
    judged.volume()
    with test.step("a pod writes rows"):
        judged.run("keeper")
        rows = written(judged, "keeper")
    with test.step(f"another namespace, {other}, has a PVC of the class with a file"):
        stack.kube.create(namespace(other, stack.overlay.labels))
        wait_for_service_account(stack.kube, other)
        stack.kube.create(_in(other, stack.fit(pvc("data"))))
        stack.kube.create(_in(other, stack.fit(_writer())))
        bound = wait_until(
            "the pod of the other namespace to have written",
            lambda: stack.kube.get("Pod", "writer", other),
            until=lambda found: found["status"].get("phase") == "Succeeded",
            timeout=timeouts.POD_UNDER_TEST,
        )
        name = stack.kube.get("PersistentVolumeClaim", "data", other)["spec"]["volumeName"]
    test.narrate(f"PV {name} is that of pod {bound['metadata']['name']}")
    expected = "Released" if judged.subject.reclaim_policy == "Retain" else "gone"
    with test.verify(f"the namespace is deleted; the PV is {expected}"):
        stack.kube.delete("Namespace", other)
        wait_until(
            f"PV {name} to be {expected}",
            lambda: judged.phase("PersistentVolume", name),
            until=lambda phase: phase == expected,
            timeout=timeouts.GONE,
        )
    test.observe(f"policy {judged.subject.reclaim_policy}: the PV is {expected}")
    expect_rows(judged, test, "keeper", rows)


@pytest.mark.claim("storageclass.mysql-keeps-its-rows")
def test_mysql_on_the_class_keeps_its_rows(judged: Judged, test: Steps) -> None:
    stack, mysql = judged.stack, start_mysql(judged, test)
    with test.step("write a row, delete the pod"):
        before = mysql.identity()
        mysql.query("CREATE DATABASE kept")
        mysql.query("CREATE TABLE kept.row (id INT PRIMARY KEY, text VARCHAR(20))")
        mysql.query("INSERT INTO kept.row VALUES (1, 'kept')")
        running = stack.kube.get("Pod", "mysql-0", stack.namespace)
        stack.kube.delete("Pod", "mysql-0", stack.namespace)
        stack.wait_for_next_pod(running)
    with test.verify("MySQL answers and returns the row"):
        after = stack.wait_for_mysql()
        rows = mysql.query("SELECT id, text FROM kept.row")
    test.observe(f"MySQL {before.version}, then {after.version}: it has the rows {rows}")
    assert rows == [(1, "kept")]
    assert after == before, "another data directory, or another server"


def _statefulset() -> Object:
    """Return a StatefulSet of one pod with a volumeClaimTemplate `data`."""
    template = pod(_SET, volume=None, uid=MYSQL)
    spec = template["spec"] | {"restartPolicy": "Always"}
    spec["securityContext"]["fsGroup"] = MYSQL
    spec["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/nfs"}]
    labels = {"app": _SET}
    claim = pvc("data")
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": _SET},
        "spec": {
            "serviceName": _SET,
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim["spec"]}],
        },
    }


def _writer() -> Object:
    """Return a pod that writes a file into PVC `data` and ends."""
    argv = shell("echo rows >/nfs/rows && sync")
    return pod("writer", argv, volume={"persistentVolumeClaim": {"claimName": "data"}}, uid=MYSQL)


def _in(other: str, obj: Object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "namespace": other}}
