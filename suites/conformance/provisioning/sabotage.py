"""For every claim of the suite, one change that makes it untrue."""

from fixtures.sabotage import Sabotage, Target
from suites.sabotages import (
    before,
    bind_to_nodes,
    execute_on_server,
    of_another_class,
    of_class,
    of_pvc,
    written,
)


def close_directory(target: Target, volume: str) -> None:
    """Let only root into the directory of a volume."""
    stack = target.stack
    path = stack.kube.get("PersistentVolume", volume)["spec"]["nfs"]["path"]
    execute_on_server(target, "chmod", "700", path)


_NO_OPTIONS = Sabotage(
    "the class has no mountOptions", written("StorageClass", {"mountOptions": None})
)

SABOTAGES = {
    "provisioning.mount-options-follow-the-class": _NO_OPTIONS,
    "provisioning.mount-options-take-effect": _NO_OPTIONS,
    "provisioning.access-modes-follow-the-pvc": Sabotage(
        "the PVC asks for ReadWriteMany", of_pvc({"accessModes": ["ReadWriteMany"]})
    ),
    "provisioning.capacity-follows-the-request": Sabotage(
        "the PVC requests 2Mi", of_pvc({"resources": {"requests": {"storage": "2Mi"}}})
    ),
    "provisioning.policy-follows-the-class": Sabotage(
        "the class says Retain", written("StorageClass", {"reclaimPolicy": "Retain"})
    ),
    "provisioning.class-follows-the-pvc": Sabotage(
        "the PVC names the stack's own class instead", of_another_class
    ),
    "provisioning.path-lies-below-nfs-path": Sabotage(
        "the class has a pathPattern", of_class(pathPattern="elsewhere")
    ),
    "provisioning.any-node-may-mount-it": Sabotage(
        "the volume gets a node affinity", before("get", "PersistentVolume", bind_to_nodes)
    ),
    "provisioning.directory-is-open-to-all": Sabotage(
        "the directory gets mode 0700", before("get", "PersistentVolume", close_directory)
    ),
    "provisioning.labels-name-the-directory": Sabotage(
        "the PVC has another label",
        written("PersistentVolumeClaim", {"metadata": {"labels": {"landfast/tier": "silver"}}}),
    ),
}
