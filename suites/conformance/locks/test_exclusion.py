"""A lock is held against other pods, on the same node and on others."""

import pytest

from landfast import timeouts
from landfast.stack import Stack
from landfast.steps import Steps
from suites.conformance.locks.objects import (
    HOLDER,
    REFUSED,
    SECOND,
    hold,
    start_second,
    try_lock,
    wait_for_lock,
)
from suites.objects import on_node, workers


@pytest.mark.claim("locks.held-on-another-node-is-refused")
def test_lock_held_on_one_node_is_refused_on_another(stack: Stack, test: Steps) -> None:
    here, there = workers(stack)
    with test.step(f"a pod on {here} holds a lock; start another on {there}"):
        hold(stack, **on_node(here))
        start_second(stack, **on_node(there))
    expect_exclusion(stack, test)


@pytest.mark.claim("locks.held-by-another-pod-is-refused")
def test_lock_is_refused_between_two_pods_of_one_node(stack: Stack, test: Steps) -> None:
    with test.step("a pod holds a lock; start another on its node"):
        node = hold(stack)["spec"]["nodeName"]
        start_second(stack, nodeName=node)
    expect_exclusion(stack, test)


def expect_exclusion(stack: Stack, test: Steps) -> None:
    """Hold that the second pod gets the lock once the holder is gone, and not before."""
    said = try_lock(stack)
    test.observe(f"pod {HOLDER} holds the lock; pod {SECOND} asks for it: {said}")
    assert said == REFUSED, "two pods have the lock at once"
    with test.step(f"delete pod {HOLDER}"):
        stack.delete("Pod", HOLDER)
    with test.verify("the lock is free"):
        wait_for_lock(stack, timeout=timeouts.LOCK_FREED)
    test.observe(f"pod {HOLDER} is gone; pod {SECOND} gets the lock, and writes under it")
