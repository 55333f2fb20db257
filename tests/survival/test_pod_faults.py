"""Faults of MySQL's pod, its set, process and data: what they ask for, and what proves them."""

from dataclasses import replace
from typing import Any

import pytest
from fakes import refusal, result
from fault_place import CONTAINER, NODE, Object, Place, pod, stat, unproven

from landfast.faults.base import Site
from landfast.faults.data import DataDirectorySwapped
from landfast.faults.pods import (
    ImageRestartLoop,
    PodDelete,
    PodForceDelete,
    StatefulSetRecreate,
    StatefulSetScaleToZero,
)
from landfast.faults.processes import (
    MysqldOom,
    MysqldSigkill,
    MysqldSigkillWaiting,
    MysqldSigstop,
)
from landfast.verdict import MissingCapability
from landfast.waiting import WaitTimeout

pytestmark = pytest.mark.usefixtures("impatient")


def test_pod_that_stays_was_not_deleted(place: Place) -> None:
    fault = PodForceDelete(place.site)
    fault.note()
    assert "pod mysql-0 (u1) to be gone" in unproven(fault)
    fault.inject()
    assert fault.prove_effect() == "pod mysql-0 (u1) is gone; its successor: none"


def stateful_set(**spec: Any) -> Object:
    containers = [{"name": "mysql", "image": "mysql:8"}]
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "mysql", "namespace": "default", "generation": 1},
        "spec": {"replicas": 1, "template": {"spec": {"containers": containers}}, **spec},
        "status": {"observedGeneration": 1, "updateRevision": "r1"},
    }


def running_pod() -> Object:
    obj = pod(containerID="x", state={"running": {}})
    obj["metadata"]["labels"] = {"controller-revision-hash": "r1"}
    obj["status"]["startTime"] = "then"
    obj["spec"]["containers"] = [{"image": "mysql:8"}]
    return obj


def test_pod_has_to_run_as_its_set_wants_it() -> None:
    place = Place(running_pod())
    with pytest.raises(WaitTimeout, match="no StatefulSet mysql"):
        PodDelete(place.site).prove_healed()
    place.kube.put(stateful_set(replicas=0))
    with pytest.raises(WaitTimeout, match="StatefulSet mysql wants 0"):
        PodDelete(place.site).prove_healed()
    place.kube.put(stateful_set())
    assert "runs on l-worker, since then" in PodDelete(place.site).prove_healed()
    changes: list[tuple[Object, str]] = [
        ({"status": {"containerStatuses": [{"state": {"waiting": {}}}]}}, "its container is"),
        ({"metadata": {"labels": {"controller-revision-hash": "r0"}}}, "has the revision r0"),
        ({"metadata": {"deletionTimestamp": "now"}}, "is being deleted"),
    ]
    for change, said in changes:
        place.kube.patch("Pod", "mysql-0", change, "default")
        with pytest.raises(WaitTimeout, match=said):
            PodDelete(place.site).prove_healed()


def test_set_is_scaled_back_to_what_it_was() -> None:
    place = Place(stateful_set(replicas=3))
    fault = StatefulSetScaleToZero(place.site)
    fault.inject()
    assert fault.still_there()
    again = StatefulSetScaleToZero(place.site, fault.aim)  # as another process makes it
    again.heal()
    assert place.kube.get("StatefulSet", "mysql", "default")["spec"]["replicas"] == 3
    assert not fault.still_there()


def test_set_is_created_again_from_its_manifest() -> None:
    place = Place(stateful_set())
    place.manifest = [stateful_set()]
    fault = StatefulSetRecreate(place.site)
    fault.inject()
    assert fault.still_there()
    assert "pod mysql-0 to be gone" in unproven(fault)
    place.kube.delete("Pod", "mysql-0", "default")
    assert fault.prove_effect().startswith("there is neither")
    fault.heal()
    assert not fault.still_there()
    fault.heal()  # it is there
    changes = [verb for verb, kind, _ in place.kube.changes() if kind == "StatefulSet"]
    assert changes == ["delete", "create"]


def test_bad_release_loops_is_watched_and_rolled_back() -> None:
    place = Place(stateful_set(), running_pod())
    place.manifest = [stateful_set()]
    fault = ImageRestartLoop(place.site)
    fault.inject()
    assert fault.still_there()
    assert "in a restart loop" in unproven(fault)
    ended, waiting = {"terminated": {"exitCode": 1}}, {"waiting": {"reason": "CrashLoopBackOff"}}
    looping = pod(state=waiting, lastState=ended, restartCount=2)
    looping["spec"]["containers"] = [{"image": "busybox:1"}]
    place.kube.put(looping)
    assert "ended with exit code 1, restarted 2 times" in fault.prove_effect()
    ImageRestartLoop(place.site, fault.aim).heal()
    assert not fault.still_there()
    assert ("delete", "Pod", "mysql-0") in place.kube.verbs


@pytest.mark.parametrize(("code", "proven"), [(137, True), (0, False), (143, False)])
def test_mysqld_has_to_end_by_sigkill(place: Place, code: int, proven: bool) -> None:
    fault = MysqldSigkill(place.site)
    ended = {"containerID": f"containerd://{CONTAINER}", "exitCode": code}
    ended |= {"startedAt": "then", "finishedAt": "now"}
    place.kube.put(pod(containerID="containerd://next", lastState={"terminated": ended}))
    if proven:
        assert "ended with exit code 137 at now" in fault.prove_effect()
    else:
        assert f"ended with exit code {code}, not 137" in unproven(fault)


def test_mysqld_that_was_killed_otherwise_was_not_out_of_memory() -> None:
    ended = {"containerID": "x://c1", "exitCode": 137, "startedAt": "a", "finishedAt": "b"}
    place = Place(pod(containerID="x://c1", state={"terminated": ended}))
    fault = MysqldOom(place.site)
    fault.inject()
    assert "ended for the reason None" in unproven(fault)
    ended["reason"] = "OOMKilled"
    place.kube.put(pod(containerID="x://c1", state={"terminated": ended}))
    assert fault.prove_effect().endswith("was OOMKilled at b")


def test_memory_that_nothing_took_proves_no_fault() -> None:
    place = Place(pod(containerID="x://c1", state={"running": {}}))

    def refuse(*_: str) -> None:
        raise refusal(400, "a container name must be specified")

    place.kube.before["execute"] = refuse
    fault = MysqldOom(place.site)
    fault.inject()
    assert "what was to take memory said" in (said := unproven(fault))
    assert "a container name must be specified" in said


def test_stopped_mysqld_is_watched_and_continued(place: Place) -> None:
    fault = MysqldSigstop(place.site)
    place.engine.answer(
        "execute", NODE, "sh", with_=result(stat(41, "sh") + stat(42, "mysqld", "T"))
    )
    assert fault.still_there()
    fault.heal()
    assert place.engine.asked("execute")[-1] == (NODE, "kill", "-CONT", "42")
    place.engine.answer("execute", NODE, "sh", with_=result(stat(42, "mysqld")))
    assert not fault.still_there()


def test_swapped_directory_gives_mysql_another_id(place: Place) -> None:
    fault = DataDirectorySwapped(place.site)
    fault.note()
    assert "another id" in unproven(fault)
    fault.inject()
    assert set(place.inspector.files) == {"mysql", fault.aim["kept"]}
    place.mysql.uuid = None
    assert "another id" in unproven(fault)
    place.mysql.uuid = "new"
    assert fault.prove_effect() == "MySQL answers as new; before, it was old"
    fault.heal()
    assert list(place.inspector.files) == ["mysql"]
    assert fault.prove_healed() == "MySQL answers"


STATS = stat(1, "pause") + stat(7, "mysqld") + stat(20, "sh")


@pytest.fixture
def theirs(place: Place) -> Site:
    """A site on a cluster of others: a container beside mysqld stands for the node."""
    statuses = [{"name": "hand"}, {"name": "mysql", "containerID": f"containerd://{CONTAINER}"}]
    place.kube.objects["Pod", "default", "mysql-0"]["status"]["containerStatuses"] = statuses
    place.kube.output = STATS
    return replace(place.site, own_server=None)


def test_mysqld_of_a_cluster_of_others_is_signalled_from_beside_it(
    place: Place, theirs: Site
) -> None:
    fault = MysqldSigkill(theirs)
    assert fault.aim["container"] == CONTAINER
    fault.inject()
    assert place.kube.executed[-1] == ("mysql-0", "hand", "kill", "-KILL", "7")
    assert place.engine.asked("execute") == []


@pytest.mark.parametrize(
    ("left", "is_proven"),
    [
        ("", True),
        (stat(7, "mysqld", "Z"), True),
        (stat(7, "mysqld", "D", flags=0x400004), True),  # in exit(2), where it waits for storage
        (stat(7, "mysqld", "D"), False),
        (stat(30, "mysqld"), True),
    ],
    ids=["gone", "zombie", "closing its files", "at work", "only the next one"],
)
def test_mysqld_that_waits_for_storage_is_dead_once_it_runs_no_more(
    place: Place, theirs: Site, left: str, is_proven: bool
) -> None:
    fault = MysqldSigkillWaiting(theirs)
    fault.note()
    fault.inject()
    assert place.kube.executed[-1] == ("mysql-0", "hand", "kill", "-KILL", "7")
    place.kube.output = left
    if is_proven:
        assert fault.prove_effect() == "mysqld, process 7, runs no more"
    else:
        assert "mysqld to run no more" in unproven(fault)


def test_where_no_mysqld_was_none_was_killed(place: Place, theirs: Site) -> None:
    place.kube.output = stat(1, "pause")
    fault = MysqldSigkillWaiting(theirs)
    fault.note()
    assert unproven(fault) == "there was no mysqld to kill"


def test_state_of_mysqld_is_seen_from_beside_it(place: Place, theirs: Site) -> None:
    fault = MysqldSigstop(theirs)
    assert not fault.still_there()
    place.kube.output = STATS.replace("(mysqld) S", "(mysqld) T")
    assert fault.still_there()


def test_volume_of_a_cluster_of_others_is_that_of_mysqls_pvc(place: Place, theirs: Site) -> None:
    assert theirs.volume == ""
    place.kube.put(
        {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "mysql-data-mysql-0", "namespace": "default"},
            "spec": {"volumeName": "pvc-1"},
        }
    )
    assert theirs.volume == "pvc-1"
    assert theirs.export is None
    with pytest.raises(MissingCapability, match="others'"):
        _ = theirs.server
