"""Volumes, prepared or made by the provisioner, and what becomes of their folders."""

from landfast.kube.client import Object
from landfast.stack import Stack
from suites.conformance.walkthrough.objects import pvc

TEXT = "what a pod has written"
_AVAILABLE_SECONDS = 20
_BIND_SECONDS = 40
_RECLAIM_SECONDS = 30


def prepare(stack: Stack, volume: Object) -> str:
    """Create a volume, wait until it is Available, and give its name.

    A claim that comes earlier is looked at again only 15 s later (kube-controller-manager's
    --pvclaimbinder-sync-period), so that one which must not bind would seem not to.
    """
    name = str(stack.make(volume)["metadata"]["name"])
    stack.wait_for_pv(name, "Available", timeout=_AVAILABLE_SECONDS)
    return name


def provision(stack: Stack, name: str) -> Object:
    """Deploy the provisioner, make a claim, and give the volume that is made for it."""
    stack.deploy_provisioner()
    stack.make(pvc(name))
    bound = stack.wait_for_pvc(name, timeout=_BIND_SECONDS)
    return stack.kube.get("PersistentVolume", bound["spec"]["volumeName"])


def folder_name(stack: Stack, name: str, pv: Object) -> str:
    """Give the name that the folder of a claim's volume must have."""
    return f"{stack.namespace}-{name}-{pv['metadata']['name']}"


def delete_claim(stack: Stack, name: str, pv: Object) -> dict[str, str]:
    """Delete a claim, wait until its volume is gone, give the files left on the export by path."""
    stack.kube.delete("PersistentVolumeClaim", name, stack.namespace)
    stack.wait_gone("PersistentVolume", pv["metadata"]["name"], timeout=_RECLAIM_SECONDS)
    return files(stack)


def files(stack: Stack) -> dict[str, str]:
    """Give the text of every file in the stack's part of the export, by path in it."""
    top = stack.folder("")
    return {
        path.removeprefix(f"{top}/"): stack.env.inspector.read(path)
        for path, entry in stack.env.inspector.list(top).items()
        if entry.type == "file"
    }


def logs(stack: Stack) -> str:
    """Give the log of the stack's provisioner."""
    pods = stack.kube.list("Pod", stack.system_namespace)
    return "\n".join(stack.kube.logs(stack.system_namespace, p["metadata"]["name"]) for p in pods)
