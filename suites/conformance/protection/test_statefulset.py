"""What a StatefulSet does with its PVCs and pods when it is scaled, deleted and created again."""

import pytest

from landfast import timeouts
from landfast.kube.client import Object
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import stays_true, wait_until
from suites.conformance.protection.objects import SET, owners, pvcs, run_set, scale, statefulset
from suites.conformance.protection.retention import FIRST, ROWS, SECOND, Retention
from suites.objects import shell, with_spec, write
from suites.tables import each

_STAYS_SECONDS = 2


def pvcs_left(stack: Stack, expected: frozenset[str]) -> list[str]:
    """Wait until exactly the expected PVCs are left, and that it stays so."""
    wait_until(
        f"the PVCs {sorted(expected) or 'none'} to be left",
        lambda: set(pvcs(stack)),
        until=lambda names: names == expected,
        timeout=timeouts.REFUSAL,
    )
    left = stays_true(
        f"that {sorted(expected) or 'none'} are left",
        lambda: set(pvcs(stack)),
        holds=lambda names: names == expected,
        seconds=_STAYS_SECONDS,
    )
    return sorted(left)


@each("row", ROWS)
def test_pvcs_that_a_set_leaves_follow_its_retention_policy(
    stack: Stack, row: Retention, test: Steps
) -> None:
    # No PVs are made: the controller cares for the PVCs of pods that do not run, too.
    with test.step(f"create a set of two pods with {row.field}"):
        stack.make(with_spec(statefulset(2), **row.field))
    with test.verify(f"it makes two PVCs, {FIRST} owned by {list(row.owners) or 'nobody'}"):
        owned_by = wait_until(
            "those PVCs and owners",
            lambda: {name: owners(found) for name, found in pvcs(stack).items()},
            until=lambda found: len(found) == 2 and found[FIRST] == list(row.owners),
            timeout=timeouts.REFUSAL,
        )
    test.observe(f"its PVCs and who owns them: {owned_by}")
    with test.step("scale it to one pod"):
        scale(stack, 1)
    with test.verify(f"it leaves {sorted(row.scaled)}"):
        left = pvcs_left(stack, row.scaled)
    test.observe(f"scaled to one pod, it leaves {left}")
    with test.step("delete it"):
        stack.kube.delete("StatefulSet", SET, stack.namespace)
        stack.wait_gone("Pod", f"{SET}-0", stack.namespace)
    with test.verify(f"it leaves {sorted(row.deleted) or 'nothing'}"):
        left = pvcs_left(stack, row.deleted)
    test.observe(f"deleted, it leaves {left or 'nothing'}")


@pytest.mark.xdist_group("protection-settled")
@pytest.mark.claim("protection.retention-default-is-retain")
def test_set_without_a_retention_policy_retains(settled: Stack, test: Steps) -> None:
    with test.step("ask for a set that does not name a retention policy, in a dry run"):
        made = settled.kube.create(settled.fit(statefulset(0, "other")), dry_run=True)
    policy = made["spec"].get("persistentVolumeClaimRetentionPolicy")
    test.observe(f"it reads back with {policy}")
    assert policy == {"whenDeleted": "Retain", "whenScaled": "Retain"}


@pytest.mark.claim("protection.scaled-up-pod-has-its-data")
def test_pod_that_is_scaled_away_and_back_has_the_same_pvc_and_data(
    stack: Stack, test: Steps
) -> None:
    def uid() -> str:
        found = stack.kube.get("PersistentVolumeClaim", SECOND, stack.namespace)
        return str(found["metadata"]["uid"])

    with test.step("run a set of two pods, let the second one write"):
        run_set(stack)
        before = uid()
        refusal = write(stack, f"{SET}-1", "data.txt")
    with test.step("scale it to one pod and back to two"):
        scale(stack, 1)
        scale(stack, 2)
    with test.verify("the second pod starts again"):
        stack.wait_for_pod(f"{SET}-1", "Running", timeout=timeouts.POD_UNDER_TEST)
        read = stack.kube.execute(
            stack.namespace, f"{SET}-1", shell("cat /nfs/data.txt || true")
        ).strip()
    test.observe(f"{SECOND} was {before} and is {uid()}")
    test.observe(f"{SET}-1 wrote ({refusal or 'no error'}); its successor reads {read!r}")
    assert uid() == before, "the pod came back with another pvc"
    assert read == f"{SET}-1", "the pod's data is not there"


@pytest.mark.claim("protection.orphaned-pods-are-adopted")
def test_set_that_is_made_again_adopts_the_pods_it_left(stack: Stack, test: Steps) -> None:
    def pods() -> dict[str, Object]:
        found = stack.kube.list("Pod", stack.namespace)
        return {obj["metadata"]["uid"]: obj for obj in found}

    def is_owned(pod: Object) -> bool:
        owning = pod["metadata"].get("ownerReferences", [])
        return any(owner["uid"] == made["metadata"]["uid"] for owner in owning)

    with test.step("run a set of two pods, delete it with --cascade=orphan"):
        run_set(stack)
        before = pods()
        stack.kube.delete("StatefulSet", SET, stack.namespace, propagation="Orphan")
        stack.wait_gone("StatefulSet", SET, stack.namespace)
    left = {uid: owners(seen) for uid, seen in pods().items()}
    test.observe(f"without the set the pods are {left}, by uid with their owners")
    with test.step("create the same set again"):
        made = stack.make(statefulset(2))
    with test.verify("it owns the pods"):
        after = wait_until(
            "pods that the new set owns",
            pods,
            until=lambda found: all(map(is_owned, found.values())),
            timeout=timeouts.REFUSAL,
            describe=lambda found: str({uid: owners(seen) for uid, seen in found.items()}),
        )
    test.observe(f"the new set owns {sorted(after)}")
    assert set(after) == set(before), "these are other pods"
    restarts = [p["status"]["containerStatuses"][0]["restartCount"] for p in after.values()]
    test.observe(f"their containers were restarted {restarts} times")
    assert restarts == [0, 0], "the pods were restarted"
