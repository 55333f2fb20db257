"""Volumes that only one node can reach: the scheduler has to know."""

import re

import pytest

from landfast import timeouts
from landfast.manifests import load
from landfast.stack import Stack
from landfast.steps import Steps
from suites.conformance.protection.objects import (
    bound_pvc,
    node_affinity,
    pod,
    run_pod,
    volume,
    wait_until_unschedulable,
)
from suites.objects import on_node, pvc, stays_pending, workers

_STAYS_SECONDS = 2
# the second one is that of older versions
_CONFLICT = "PersistentVolume's node affinity|volume node affinity conflict"


@pytest.mark.claim("protection.node-affinity-is-respected")
def test_pod_goes_to_the_node_that_can_reach_its_volume(stack: Stack, test: Steps) -> None:
    here, there = workers(stack)
    with test.step(f"create a PV for {here}, and a pod for {there} with it"):
        bound_pvc(stack, **node_affinity(here))
        stack.make(pod("elsewhere", **on_node(there)))
    with test.verify("the scheduler refuses the pod, and another one for any node starts"):
        reason = wait_until_unschedulable(stack, "elsewhere")
        anywhere = run_pod(stack, "anywhere")
    test.observe(f"the pod for {there} is refused: {reason}")
    test.observe(f"the other one runs on {anywhere['spec']['nodeName']}")
    assert re.search(_CONFLICT, reason), "for another reason"
    assert anywhere["spec"]["nodeName"] == here, "it runs on a node that cannot reach its volume"


@pytest.mark.claim("protection.pvc-waits-for-its-pod")
def test_wait_for_first_consumer_binds_the_pv_of_the_pods_node(stack: Stack, test: Steps) -> None:
    nodes = workers(stack)
    with test.step("create a class with WaitForFirstConsumer, a PV for each node, and a PVC"):
        (storage_class,) = load("storageclass")
        stack.make({**storage_class, "volumeBindingMode": "WaitForFirstConsumer"})
        names = {node: volume(stack, f"volume-{node}", **node_affinity(node)) for node in nodes}
        stack.make(pvc("data"))
    stays_pending(stack, "data", seconds=_STAYS_SECONDS)
    test.observe(f"without a pod the PVC stays Pending for {_STAYS_SECONDS} s")
    with test.step(f"create a pod for {nodes[1]}"):
        stack.make(pod("user", **on_node(nodes[1])))
    with test.verify("the PVC becomes Bound and the pod starts"):
        bound = stack.wait_for_pvc("data")
        stack.wait_for_pod("user", "Running", timeout=timeouts.POD_UNDER_TEST)
    test.observe(f"with a pod on {nodes[1]} it is bound to {bound['spec']['volumeName']}")
    assert bound["spec"]["volumeName"] == names[nodes[1]], "it is bound to the other node's PV"
