"""A volume's mountOptions: on the node's mount, and in the event where mount(8) refuses them."""

import pytest

from landfast import timeouts
from landfast.kube.client import Object
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import stays_true, wait_until
from suites.conformance.protection.objects import bound_pvc, pod, run_pod

# every file system has these, so kernel and FUSE clients show them alike
_OPTIONS = {"noexec", "noatime"}
_UNKNOWN = "landfast-unknown"
_STAYS_SECONDS = 2


def mount_of(stack: Stack, user: Object) -> list[str]:
    """Return the line of mountinfo, in fields, of a pod's NFS volume on the pod's node.

    proc_pid_mountinfo(5): the fifth field is the mount point, the sixth its options.
    """
    env = stack.env
    env.cluster.require("cluster.node-shell")
    assert env.engine is not None, "a cluster with a node shell has an engine"
    node, uid = user["spec"]["nodeName"], user["metadata"]["uid"]
    lines = env.engine.execute(node, "cat", "/proc/1/mountinfo").stdout.splitlines()
    found = [line.split() for line in lines if f"/{uid}/volumes/kubernetes.io~nfs/" in line]
    assert len(found) == 1, f"{node} has {len(found)} NFS mounts of the pod"
    return found[0]


@pytest.mark.claim("protection.mount-options-are-applied")
def test_mount_options_of_a_pv_are_on_the_nodes_mount(stack: Stack, test: Steps) -> None:
    with test.step(f"run a pod with a PV whose mountOptions are {sorted(_OPTIONS)}"):
        bound_pvc(stack, mountOptions=sorted(_OPTIONS))
        user = run_pod(stack, "user")
    mount = mount_of(stack, user)
    test.observe(f"{user['spec']['nodeName']} has mounted it so: {' '.join(mount)}")
    assert set(mount[5].split(",")) >= _OPTIONS, "the node's mount lacks options"


@pytest.mark.claim("protection.bad-mount-option-is-reported")
def test_unknown_mount_option_holds_the_pod_and_is_named_in_an_event(
    stack: Stack, test: Steps
) -> None:
    def phase() -> str:
        return str(stack.kube.get("Pod", "user", stack.namespace)["status"]["phase"])

    with test.step(f"create a pod with a PV whose mountOptions have {_UNKNOWN}"):
        bound_pvc(stack, mountOptions=[_UNKNOWN])
        stack.make(pod("user"))
    with test.verify(f"an event FailedMount comes, and the pod is Pending for {_STAYS_SECONDS} s"):
        events = wait_until(
            "an event FailedMount of the pod, which does not start",
            lambda: stack.kube.events(stack.namespace, name="user"),
            until=lambda found: any(e["reason"] == "FailedMount" for e in found),
            give_up=lambda _events: "the pod runs" if phase() == "Running" else None,
            timeout=timeouts.EVENT,
            describe=lambda found: str([e["reason"] for e in found]),
        )
        stays_true(
            "that the pod is Pending", phase, holds=lambda p: p == "Pending", seconds=_STAYS_SECONDS
        )
    said = next(e["message"] for e in events if e["reason"] == "FailedMount")
    test.observe(f"the pod stays Pending; FailedMount: {said}")
    assert _UNKNOWN in said, "the event does not name the option"
