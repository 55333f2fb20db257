"""Objects that hazards make, in the reference's own names, and what is seen of them."""

import contextlib
from collections.abc import Iterator

from landfast.kube.client import Object
from landfast.kube.manifests import load
from landfast.provisioning.contract import ClassSettings, Pvc
from landfast.provisioning.volumes import claim, storage_class
from landfast.stack import Change, Stack
from landfast.waiting import stays_true, wait_until

PATH = "landfast/path"
BY_ANNOTATION = f"${{.PVC.annotations.{PATH}}}"
"""A pathPattern that takes the volume's directory from the claim's annotation `PATH`."""

_REFUSAL_SECONDS = 20
_STAYS_SECONDS = 2.5


def variable(name: str, value: str) -> Change:
    """Give the change to a Deployment that sets a variable; `{}` in it is its value until now."""

    def change(obj: Object) -> Object:
        if obj["kind"] == "Deployment":
            for entry in obj["spec"]["template"]["spec"]["containers"][0]["env"]:
                if entry["name"] == name:
                    entry["value"] = value.format(entry["value"])
        return obj

    return change


def pod(name: str, volume: Object, command: str, *, uid: int = 0) -> Object:
    """Give the reference's test pod, its volume mounted at /nfs, as a user (0 is root)."""
    (obj,) = load("pod")
    obj["metadata"]["name"] = name
    obj["spec"]["securityContext"] = {"runAsUser": uid, "runAsGroup": uid}
    obj["spec"]["containers"][0]["args"] = ["-c", command]
    obj["spec"]["volumes"] = [{"name": "nfs-pvc", **volume}]
    return obj


def of_claim(name: str) -> Object:
    """Give a pod's volume that is a claim's."""
    return {"persistentVolumeClaim": {"claimName": name}}


def run_pod(stack: Stack, obj: Object) -> str:
    """Run a pod to its end, remove it, and give its output.

    Raises:
        WaitTimeout: it fails, or does not end in time.
    """
    name = obj["metadata"]["name"]
    stack.make(obj)
    try:
        stack.wait_for_pod(name, "Succeeded")
        return stack.kube.logs(stack.namespace, name).strip()
    finally:
        stack.kube.delete("Pod", name, stack.namespace, grace_seconds=0)


@contextlib.contextmanager
def asked(stack: Stack, name: str, **spec: object) -> Iterator[None]:
    """Create a claim with these fields in its spec, of a class of its own; remove both at the end.

    Nobody waits for a volume: it may be refused.
    """
    made = stack.make(storage_class(name, ClassSettings(on_delete="delete")))
    wanted = claim(name, name, Pvc(stack.namespace, name))
    wanted["spec"] |= spec
    stack.make(wanted)
    try:
        yield
    finally:
        stack.kube.delete("PersistentVolumeClaim", name, stack.namespace)
        stack.wait_gone("PersistentVolumeClaim", name, stack.namespace)
        stack.kube.delete("StorageClass", made["metadata"]["name"])


def refusal(stack: Stack, name: str) -> str:
    """Wait for the event that says why a claim gets no volume; give it when it stays Pending.

    Raises:
        AssertionError: there is none in time, or the claim does not stay Pending.
    """
    said = wait_until(
        f"an event ProvisioningFailed of claim {name}",
        lambda: [
            str(event["message"])
            for event in stack.kube.events(stack.namespace, name=name)
            if event["reason"] == "ProvisioningFailed"
        ],
        timeout=_REFUSAL_SECONDS,
    )
    stays_true(
        f"that claim {name} is Pending",
        lambda: stack.kube.get("PersistentVolumeClaim", name, stack.namespace)["status"]["phase"],
        holds=lambda phase: phase == "Pending",
        seconds=_STAYS_SECONDS,
    )
    return said[-1]
