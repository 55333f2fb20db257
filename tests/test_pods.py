"""Why a pod does not start, read off what the cluster reports."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast import timeouts
from landfast.kube.pods import (
    Obstacle,
    PodCannotStart,
    PodCrashes,
    StartWatch,
    is_about_storage,
    obstacle,
    refusal,
    summary,
)
from landfast.verdict import Unknown
from landfast.waiting import WaitTimeout

NODES = "0/3 nodes are available: 1 node(s) had untolerated taint {control-plane: }, "
STORAGE = [
    "pod has unbound immediate PersistentVolumeClaims",
    'persistentvolumeclaim "data" not found',
    'persistentvolumeclaim "data" is being deleted',
    "2 node(s) didn't find available persistent volumes to bind",
    "2 node(s) had volume node affinity conflict",
    "2 node(s) didn't match PersistentVolume's node affinity",
    "2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
    "already in-use by another pod",
    "2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
    "2 node(s) exceed max volume count",
    "2 node(s) did not have enough free storage",
]
OTHER = [
    "2 node(s) didn't match Pod's node affinity/selector",
    "2 Insufficient memory",
    "2 Too many pods",
    "2 node(s) were unschedulable",
    "2 node(s) had untolerated taint {storage.example/volume: broken}",
    "2 Insufficient ephemeral-storage",
    "1 Insufficient cpu, 1 node(s) had volume node affinity conflict",
]


def pod(**status: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "user"}, "status": {"phase": "Pending", **status}}


def unscheduled(message: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return pod(conditions=[condition | {"message": message}])


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return pod(containerStatuses=[{"name": "main", "state": state, **more}])


@pytest.mark.parametrize("message", STORAGE)
def test_a_pod_that_waits_for_its_volume_is_not_kept_from_starting(message: str) -> None:
    assert is_about_storage(NODES + message)
    assert obstacle(unscheduled(NODES + message)) is None
    assert message in summary(unscheduled(NODES + message))


@pytest.mark.parametrize("message", OTHER)
def test_a_pod_that_no_node_takes_cannot_start(message: str) -> None:
    found = obstacle(unscheduled(NODES + message))
    assert str(found) == f"pod user cannot start: Unschedulable: {NODES}{message}"


@given(st.lists(st.sampled_from(STORAGE), min_size=1), st.lists(st.sampled_from(OTHER[:2])))
def test_volumes_are_to_blame_unless_a_node_has_no_room(
    storage: list[str], other: list[str]
) -> None:
    message = NODES + ", ".join([*storage, *other])
    assert is_about_storage(message) == ("Insufficient" not in message)


@pytest.mark.parametrize(
    "reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"]
)
def test_a_container_that_cannot_be_made_cannot_start(reason: str) -> None:
    found = obstacle(waiting(reason, "no such thing"))
    assert str(found) == f"pod user, container main, cannot start: {reason}: no such thing"
    assert summary(waiting(reason)) == f"Pending: container main: {reason}"


def test_init_containers_count() -> None:
    state = {"waiting": {"reason": "ErrImagePull"}}
    found = obstacle(pod(initContainerStatuses=[{"name": "first", "state": state}]))
    assert str(found) == "pod user, container first, cannot start: ErrImagePull: no message"


@pytest.mark.parametrize("reason", ["", "ContainerCreating", "PodInitializing"])
def test_a_container_on_its_way_is_no_obstacle(reason: str) -> None:
    assert obstacle(waiting(reason)) is None


def test_a_container_that_cannot_be_made_for_its_volume_waits_for_it() -> None:
    assert obstacle(waiting("CreateContainerError", "stat /x/kubernetes.io~nfs/data: EIO")) is None
    assert obstacle(waiting("ErrImagePull", "registry/volume: not found")) is not None


def test_a_crashing_program_says_how_it_ended() -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": "no key\n"}}
    found = obstacle(waiting("CrashLoopBackOff", "back-off 10s", lastState=ended))
    assert found is not None
    assert found.message == "ended with exit code 1: Error: no key"
    assert obstacle(waiting("CrashLoopBackOff", "back-off 10s")).message == "back-off 10s"  # type: ignore[union-attr]


def test_a_pod_that_the_kubelet_refused_cannot_start_at_once() -> None:
    found = obstacle(pod(phase="Failed", reason="OutOfmemory", message="no room"))
    assert found == Obstacle("pod user", "OutOfmemory", "no room", final=True)


def test_a_program_that_failed_is_no_obstacle() -> None:
    ended = {"terminated": {"exitCode": 2, "reason": "Error"}}
    failed = pod(phase="Failed", containerStatuses=[{"name": "main", "state": ended}])
    assert obstacle(failed) is None
    assert summary(failed) == "Failed: container main: ended with exit code 2: Error"
    assert obstacle(pod(phase="Failed", reason="DeadlineExceeded")) is None


def test_a_pod_that_is_being_deleted_is_not_going_to_start() -> None:
    deleted = unscheduled(NODES + OTHER[0])
    deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert obstacle(deleted) is None
    assert summary(deleted).startswith("Pending: being deleted: Unschedulable: ")


def test_a_pod_that_does_not_exist_or_has_no_status_yet() -> None:
    assert summary({}) == "no such pod"
    new = {"kind": "Pod", "metadata": {"name": "user"}}
    assert obstacle(new) is None
    assert summary(new) == "no phase"


def test_a_refused_pod_of_a_deployment_or_set() -> None:
    quota = 'pods "a-0" is forbidden: exceeded quota: small'
    failed = {"type": "ReplicaFailure", "status": "True", "message": quota}
    owner: dict[str, Any] = {"kind": "Deployment", "metadata": {"name": "a", "uid": "1"}}
    assert refusal(owner) is None
    assert refusal(owner | {"status": {"conditions": [failed | {"status": "False"}]}}) is None
    said = "a pod of Deployment a cannot start: FailedCreate: " + quota
    assert str(refusal(owner | {"status": {"conditions": [failed]}})) == said
    event = {"reason": "FailedCreate", "involvedObject": {"uid": "1"}, "message": quota}
    earlier = event | {"message": "earlier"}
    assert str(refusal(owner, [earlier, event])) == said
    assert refusal(owner, [event | {"reason": "SuccessfulCreate"}]) is None
    assert refusal(owner, [event | {"involvedObject": {"uid": "another"}}]) is None


LIMIT = timeouts.POD_CANNOT_START
STUCK = Obstacle("pod user", "ErrImagePull", "")


@given(st.lists(st.tuples(st.floats(1, 12), st.booleans()), max_size=30))
def test_a_wait_ends_once_an_obstacle_has_stood_without_a_break(
    looks: list[tuple[float, bool]],
) -> None:
    times = list(itertools.accumulate(seconds for seconds, _ in looks))
    now = iter(times)
    watch = StartWatch(lambda: next(now))
    since: float | None = None
    for time, (_, stuck) in zip(times, looks, strict=True):
        since = (time if since is None else since) if stuck else None
        if since is not None and time - since >= LIMIT:
            with pytest.raises(PodCannotStart, match="ErrImagePull"):
                watch.check(lambda: STUCK)
            return
        watch.check(lambda stuck=stuck: STUCK if stuck else None)  # type: ignore[misc]


def test_looks_are_a_second_apart() -> None:
    looks = []
    now = iter([0, 0.5, 0.99, 1, 1.5, 2])
    watch = StartWatch(lambda: next(now))
    for _ in range(6):
        watch.check(lambda: looks.append(1))
    assert len(looks) == 3


def test_a_final_obstacle_ends_the_wait_at_once() -> None:
    with pytest.raises(PodCannotStart, match="pod user cannot start: Evicted"):
        StartWatch().check(lambda: Obstacle("pod user", "Evicted", "", final=True))


def test_patience_stretches_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "_factor", 2.0)
    now = iter([0, LIMIT, 2 * LIMIT])
    watch = StartWatch(lambda: next(now))
    watch.check(lambda: STUCK)
    watch.check(lambda: STUCK)
    with pytest.raises(PodCannotStart):
        watch.check(lambda: STUCK)


def test_a_program_that_crashes_can_refute_a_statement_a_cluster_that_refuses_cannot() -> None:
    now = iter([0, LIMIT])
    watch = StartWatch(lambda: next(now))
    crash = Obstacle("pod mysql-0", "CrashLoopBackOff", "ended with exit code 1")
    watch.check(lambda: crash)
    with pytest.raises(PodCrashes):
        watch.check(lambda: crash)
    assert issubclass(PodCrashes, WaitTimeout)
    assert issubclass(PodCannotStart, Unknown)
