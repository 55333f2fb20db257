"""A rule for what was to be filled in, and was not."""

import re
from collections.abc import Iterator
from typing import Any

from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvObject, StorageClass
from landfast.audit.place import Path
from landfast.audit.workloads import Workload

_ANYWHERE = re.compile(
    r"<[A-Za-z][\w .:/-]*>|\byour[-_]\w+|\bfixme\b|change[-_]?me\b"
    r"|replace[-_]?(me|with|this)(?![a-z])",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\b[xX]{3,}\b|^(\d{1,3}\.){0,3}[xX]{1,3}(\.[xX]{1,3}){0,3}$|^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$",
)
_SERVERS = {"server", "nfsserver", "host", "filesystemid", "volumehandle", "ip", "dnsname"}


@Rule(
    "audit.placeholder-left",
    Severity.WARNING,
    "A placeholder that was not filled in",
    reason=(
        "With such a server, file system or node the mount fails, or no node is found: pods stay "
        "in ContainerCreating or Pending."
    ),
    fix="Write the value, or have kustomize or Helm fill it in.",
    example="""
        kind: PersistentVolume
        spec:
          nfs: {server: nas.example.com, path: /export/shop}     # not <nfs-server>
    """,
    source="Kubernetes documentation, Volumes, nfs; the driver's own documentation",
)
def placeholder_left(inventory: Inventory) -> Iterator[Hit]:
    """Find them where a volume's storage is named; a variable such as `${SERVER}` is another's."""
    for resource in (*inventory.pvs, *inventory.classes, *inventory.workloads):
        for at, key, text in _named(resource):
            address = key.lower() in _SERVERS and _ADDRESS.search(text)
            pattern = key == "pathPattern"  # whose names are those of labels
            if address or (_ANYWHERE.search(text) and not pattern):
                yield Hit(resource, f"the {key} of {resource.title} is {text}", at)


def _named(resource: object) -> Iterator[tuple[Path, str, str]]:
    """Yield what names a server, a path or a node, each with its field."""
    match resource:
        case StorageClass():
            yield from _texts(resource.parameters, ("parameters",))
        case PvObject():
            spec = resource.spec
            if spec.nfs:
                yield ("spec", "nfs", "server"), "server", spec.nfs.server
                yield ("spec", "nfs", "path"), "path", spec.nfs.path
            if spec.csi:
                yield ("spec", "csi", "volumeHandle"), "volumeHandle", spec.csi.volume_handle
                yield from _texts(spec.csi.volume_attributes, ("spec", "csi", "volumeAttributes"))
            for at, _, text in _texts(spec.node_affinity, ("spec", "nodeAffinity")):
                yield at, "nodeAffinity", text
        case Workload():
            for number, volume in enumerate(resource.pod.volumes):
                at = (*resource.template_at, "spec", "volumes", number)
                if volume.nfs:
                    yield at, "server", volume.nfs.server
                    yield at, "path", volume.nfs.path
                if volume.csi:
                    yield from _texts(volume.csi.volume_attributes, at)


def _texts(value: Any, at: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield the texts in a value, each with where it is and what it is called."""
    if isinstance(value, str):
        yield at, next(str(step) for step in reversed(at) if isinstance(step, str)), value
    pairs: Any = value.items() if hasattr(value, "items") else ()
    for key, inner in enumerate(value) if isinstance(value, list | tuple) else pairs:
        yield from _texts(inner, (*at, key))
