"""Pods, sets and volumes of this suite, in the reference's own names, and what is seen of them."""

from typing import Any

from landfast import timeouts
from landfast.kube.client import Object
from landfast.kube.pods import summary, unscheduled
from landfast.stack import Stack
from landfast.waiting import wait_until
from suites import objects
from suites.objects import HOSTNAME, SLEEP, is_terminating, of_pvc, prepare, pv, pvc, with_spec

SET, TEMPLATE = "app", "nfs-pvc"


def pod(
    name: str, argv: tuple[str, ...] = SLEEP, *, read_only: bool = False, **spec: Any
) -> Object:
    """Return a pod that has PVC `data` (see `suites.objects.pod`)."""
    return objects.pod(name, argv, volume=of_pvc("data", read_only=read_only), **spec)


def statefulset(replicas: int, name: str = SET, /, **spec: Any) -> Object:
    """Return a StatefulSet whose pods are those of `pod`, each with its own PVC."""
    template = objects.pod(name, volume=of_pvc("data"))["spec"]
    del template["volumes"]
    template["restartPolicy"] = "Always"  # the only one that a set's pods may have
    labels = {"app": name}
    obj: Object = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template},
            "volumeClaimTemplates": [
                {"metadata": {"name": TEMPLATE}, "spec": pvc(TEMPLATE)["spec"]}
            ],
        },
    }
    return with_spec(obj, **spec)


def volume(stack: Stack, name: str = "volume", /, **spec: Any) -> str:
    """Create a Retain PV with its own folder, and return its name once it is Available."""
    stack.export.make_folder(name)
    return prepare(stack, pv(name, f"/data/share/{name}", **spec))


def bound_pvc(stack: Stack, mode: str = "ReadWriteOnce", /, **pv_spec: Any) -> Object:
    """Create a PV and a PVC `data` of one access mode, and return the PVC once it is Bound.

    `pv_spec` are fields of the PV alone.
    """
    volume(stack, accessModes=[mode], **pv_spec)
    stack.make(pvc("data", accessModes=[mode]))
    return stack.wait_for_pvc("data")


def run_pod(stack: Stack, name: str, *, read_only: bool = False) -> Object:
    """Create a pod (see `pod`), and return it once it is Running."""
    stack.make(pod(name, read_only=read_only))
    return stack.wait_for_pod(name, "Running", timeout=timeouts.POD_UNDER_TEST)


def run_set(stack: Stack, **spec: Any) -> Object:
    """Create PVs and a set of two pods, wait until both are Running, and return the set."""
    for ordinal in range(2):
        volume(stack, f"volume-{ordinal}")
    made = stack.make(statefulset(2, **spec))
    for ordinal in range(2):
        stack.wait_for_pod(f"{SET}-{ordinal}", "Running", timeout=timeouts.POD_UNDER_TEST)
    return made


def scale(stack: Stack, replicas: int) -> None:
    """Set how many pods the set has, and wait until the others are gone."""
    stack.kube.patch("StatefulSet", SET, {"spec": {"replicas": replicas}}, stack.namespace)
    for ordinal in range(replicas, 2):
        stack.wait_gone("Pod", f"{SET}-{ordinal}", stack.namespace)


def pvcs(stack: Stack) -> dict[str, Object]:
    """Return the PVCs that exist and are not being deleted, by name."""
    there = stack.kube.list("PersistentVolumeClaim", stack.namespace)
    return {obj["metadata"]["name"]: obj for obj in there if not is_terminating(obj)}


def owners(obj: Object) -> list[str]:
    return [f"{o['kind']} {o['name']}" for o in obj["metadata"].get("ownerReferences", [])]


def node_affinity(hostname: str) -> Object:
    """Return the field of a PV's spec that names the only node that can reach it."""
    term = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": [hostname]}]}
    return {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}


def wait_until_unschedulable(stack: Stack, name: str) -> str:
    """Wait until the scheduler has refused a pod, and return its reason.

    Raises:
        WaitTimeout: it has not, or the pod was scheduled.
    """
    pod = wait_until(
        f"pod {name} to be refused by the scheduler",
        lambda: stack.kube.get("Pod", name, stack.namespace),
        until=lambda pod: unscheduled(pod) is not None,
        give_up=lambda pod: "it was scheduled" if pod["spec"].get("nodeName") else None,
        timeout=timeouts.REFUSAL,
        describe=summary,
    )
    refused = unscheduled(pod)
    return refused[1] if refused else ""
