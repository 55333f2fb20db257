"""Volumes, prepared or made by the provisioner, and what becomes of their folders."""

from landfast.kube.client import Object
from landfast.stack import Stack
from suites.objects import files as files
from suites.objects import prepare as prepare
from suites.objects import pvc

TEXT = "what a pod has written"
_BIND_SECONDS = 40
_RECLAIM_SECONDS = 30


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


def logs(stack: Stack) -> str:
    """Give the log of the stack's provisioner."""
    pods = stack.kube.list("Pod", stack.system_namespace)
    return "\n".join(stack.kube.logs(stack.system_namespace, p["metadata"]["name"]) for p in pods)
