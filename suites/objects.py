"""Objects that several suites make, in the reference's own names (`Stack.fit` fits them)."""

from landfast.kube.client import Object
from landfast.kube.manifests import load
from landfast.stack import Stack

_AVAILABLE_SECONDS = 20


def pv(
    name: str,
    path: str,
    *,
    policy: str = "Retain",
    storage_class: str | None = "nfs-ssd",
) -> Object:
    """Give `nfs-pv` with another name, folder, policy and class; None is no class."""
    (obj,) = load("pv")
    obj["metadata"]["name"] = name
    spec = obj["spec"]
    spec["nfs"]["path"] = path
    spec["persistentVolumeReclaimPolicy"] = policy
    _set_class(spec, storage_class)
    return obj


def pvc(
    name: str,
    *,
    storage_class: str | None = "nfs-ssd",
    selector: dict[str, str] | None = None,
) -> Object:
    """Give `nfs-pvc` with another name, class and selector; None is no class, no selector."""
    (obj,) = load("pvc")
    obj["metadata"]["name"] = name
    spec = obj["spec"]
    del spec["selector"]
    if selector is not None:
        spec["selector"] = {"matchLabels": selector}
    _set_class(spec, storage_class)
    return obj


def _set_class(spec: Object, storage_class: str | None) -> None:
    del spec["storageClassName"]
    if storage_class is not None:
        spec["storageClassName"] = storage_class


def prepare(stack: Stack, volume: Object) -> str:
    """Create a volume, wait until it is Available, and give its name.

    A claim that comes earlier is looked at again only 15 s later (kube-controller-manager's
    --pvclaimbinder-sync-period), so that one which must not bind would seem not to.
    """
    name = str(stack.make(volume)["metadata"]["name"])
    stack.wait_for_pv(name, "Available", timeout=_AVAILABLE_SECONDS)
    return name


def files(stack: Stack) -> dict[str, str]:
    """Give the text of every file in the stack's part of the export, by path in it."""
    top = stack.folder("")
    return {
        path.removeprefix(f"{top}/"): stack.env.inspector.read(path)
        for path, entry in stack.env.inspector.list(top).items()
        if entry.type == "file"
    }
