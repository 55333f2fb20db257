"""Objects and changes that the hazards need, in the reference's own names."""

from landfast.kube.client import Object
from landfast.kube.manifests import load
from landfast.stack import Change, Stack

PATH = "landfast/path"
BY_ANNOTATION = f"${{.PVC.annotations.{PATH}}}"
"""A pathPattern that takes the volume's directory from the PVC's annotation `PATH`."""


def variable(name: str, value: str) -> Change:
    """Return a change that sets a variable of a Deployment; `{}` stands for its former value."""

    def change(obj: Object) -> Object:
        if obj["kind"] == "Deployment":
            for entry in obj["spec"]["template"]["spec"]["containers"][0]["env"]:
                if entry["name"] == name:
                    entry["value"] = value.format(entry["value"])
        return obj

    return change


def pod(name: str, volume: Object, command: str, *, uid: int = 0) -> Object:
    """Return the reference's test pod: a shell command in a volume, as a user (0 is root)."""
    (obj,) = load("pod")
    obj["metadata"]["name"] = name
    obj["spec"]["securityContext"] = {"runAsUser": uid, "runAsGroup": uid}
    obj["spec"]["terminationGracePeriodSeconds"] = 0
    obj["spec"]["containers"][0]["args"] = ["-c", f"cd /nfs && {command}"]
    obj["spec"]["volumes"] = [{"name": "nfs-pvc", **volume}]
    return obj


def pvc_volume(name: str) -> Object:
    """Return a pod's volume that is a PVC."""
    return {"persistentVolumeClaim": {"claimName": name}}


def run_pod(stack: Stack, obj: Object) -> str:
    """Run a pod until it ends, remove it, and return its output.

    Raises:
        WaitTimeout: the pod fails, or does not end in time.
    """
    name = obj["metadata"]["name"]
    stack.make(obj)
    try:
        stack.wait_for_pod(name, "Succeeded")
        return stack.kube.logs(stack.namespace, name).strip()
    finally:
        stack.kube.delete("Pod", name, stack.namespace, grace_seconds=0)
