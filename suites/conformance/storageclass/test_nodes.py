"""One volume, two pods: on two nodes, or on one."""

from typing import Any

import pytest

from landfast import timeouts
from landfast.parallel import side_by_side
from landfast.steps import Steps
from landfast.waiting import stays_true, wait_until
from suites.conformance.storageclass.judged import MYSQL, Judged
from suites.objects import shell

_ROUNDS = 10
_FILES = 300
_STAYS_SECONDS = 5
_HOLD = "exec 9>>/nfs/lock && flock -n 9 && echo held; sleep infinity & wait"
_TRY = "exec 9>>lock; flock -n 9 && echo free || echo refused"


@pytest.mark.claim("storageclass.synced-data-is-read-elsewhere")
def test_what_one_node_syncs_another_reads(judged: Judged, test: Steps) -> None:
    judged.volume()
    here, there = judged.pods_on_two_nodes()
    with test.verify(f"{_ROUNDS} times, what is synced here is read there"):
        for number in range(_ROUNDS):
            judged.say(here, f"echo {number} | dd of=file conv=fsync status=none")
            seen = judged.say(there, "cat file")
            assert seen == str(number), f"round {number}: the other node reads {seen!r}"
    test.observe(f"{_ROUNDS} times the other node has read what was synced")


@pytest.mark.claim("storageclass.exclusive-creation-is-exclusive")
def test_of_two_nodes_one_creates_a_file(judged: Judged, test: Steps) -> None:
    judged.volume()
    pods = judged.pods_on_two_nodes()
    race = (
        f"set -C; i=0; while [ $i -lt {_FILES} ]; do "
        "if { echo >file-$i; } 2>/dev/null; then echo $i; fi; i=$((i+1)); done"
    )
    won: dict[str, set[str]] = {}

    def run(name: str) -> None:
        won[name] = set(judged.say(name, race).split())

    with test.step(f"both create {_FILES} files with O_EXCL"):
        side_by_side(run, pods)
    here, there = (won[name] for name in pods)
    test.observe(f"one pod has created {len(here)} files, the other {len(there)}")
    assert not here & there, f"{len(here & there)} files were created by both"
    assert len(here | there) == _FILES, "neither has created some of them"


@pytest.mark.claim("storageclass.lock-excludes-another-node")
def test_lock_of_one_node_is_refused_on_another(judged: Judged, test: Steps) -> None:
    judged.volume()
    here, there = judged.pods_on_two_nodes()
    node = judged.stack.kube.get("Pod", here, judged.stack.namespace)["spec"]["nodeName"]
    hold(judged, nodeName=node)
    said = judged.say(there, _TRY)
    test.observe(f"a pod of {node} holds the lock; on another node it is {said}")
    assert said == "refused", "two nodes have the lock at once"


@pytest.mark.claim("storageclass.lock-excludes-the-same-node")
def test_lock_of_a_pod_is_refused_to_another_of_its_node(judged: Judged, test: Steps) -> None:
    judged.volume()
    node = hold(judged)
    with test.step(f"run another pod on {node}"):
        judged.run("second", nodeName=node)
    said = judged.say("second", _TRY)
    test.observe(f"a pod holds the lock; to another of {node} it is {said}")
    assert said == "refused", "two pods have the lock at once"


@pytest.mark.claim("storageclass.lock-is-freed-after-its-holder")
def test_lock_is_free_after_its_holder_was_deleted_by_force(judged: Judged, test: Steps) -> None:
    judged.volume()
    node = hold(judged)
    with test.step("run another pod"):
        judged.run("second", nodeName=node)
        refused = judged.say("second", _TRY)
    test.observe(f"while the holder runs, the lock is {refused}")
    with test.verify("the holder is deleted by force, and the lock is free"):
        judged.stack.delete("Pod", "holder", grace_seconds=0)
        wait_until(
            "the lock to be free",
            lambda: judged.say("second", _TRY),
            until=lambda said: said == "free",
            timeout=timeouts.LOCK_FREED,
        )
    test.observe("after that it is free")


@pytest.mark.claim("storageclass.read-write-once-pod-excludes")
def test_second_pod_does_not_run_with_a_pvc_of_one_pod(judged: Judged, test: Steps) -> None:
    judged.create_pvc("data", mode="ReadWriteOncePod")
    with test.step("run a pod with the PVC"):
        judged.run("first")
    with test.verify(f"a second pod is Pending for {_STAYS_SECONDS} s"):
        judged.make_pod("second", pvc_name="data", uid=MYSQL)
        stays_true(
            "that pod second is Pending",
            lambda: judged.phase("Pod", "second"),
            holds=lambda phase: phase == "Pending",
            seconds=_STAYS_SECONDS,
        )
    with test.verify("it runs once the first is gone"):
        judged.stack.delete("Pod", "first", grace_seconds=1)
        judged.stack.wait_for_pod("second", "Running")
    test.observe("the second pod has waited for the end of the first")


def hold(judged: Judged, **spec: Any) -> str:
    """Run a pod that holds a lock on a file of the volume, and return its node."""
    with judged.steps.step("a pod takes a lock"):
        holder = judged.run("holder", shell(_HOLD), **spec)
        wait_until(
            "pod holder to hold the lock",
            lambda: judged.stack.kube.logs(judged.stack.namespace, "holder"),
            until=lambda log: "held" in log,
            timeout=timeouts.POD_UNDER_TEST,
        )
    return str(holder["spec"]["nodeName"])
