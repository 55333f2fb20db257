"""PVs, prepared or provisioned, and what becomes of their folders."""

from landfast import timeouts
from landfast.kube.client import Object
from landfast.stack import Stack
from suites.objects import files, pvc

TEXT = "what a pod has written"


def provision(stack: Stack, name: str) -> Object:
    """Create a PVC of the stack's class, and return the PV that the provisioner makes for it."""
    stack.make(pvc(name))
    bound = stack.wait_for_pvc(name)
    return stack.kube.get("PersistentVolume", bound["spec"]["volumeName"])


def folder_name(stack: Stack, name: str, pv: Object) -> str:
    """Return the name that the folder of a PVC's provisioned PV must have."""
    return f"{stack.namespace}-{name}-{pv['metadata']['name']}"


def delete_pvc(stack: Stack, name: str, pv: Object) -> dict[str, str]:
    """Delete a PVC, wait until its PV is gone, and return the files left on the export."""
    stack.kube.delete("PersistentVolumeClaim", name, stack.namespace)
    stack.wait_gone("PersistentVolume", pv["metadata"]["name"], timeout=timeouts.RECLAIM)
    return files(stack)
