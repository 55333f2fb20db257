"""Rules for what a cluster itself must have: nodes that can be told apart, and the driver."""

from collections import defaultdict
from collections.abc import Iterator

from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.objects import Node
from landfast.provisioning import csi


@Rule(
    "audit.nodes-cloned",
    Severity.WARNING,
    "Nodes that are clones of one machine",
    reason=(
        "They have one machine id, and perhaps one host name, by which the kernel's NFS client "
        "tells servers who it is. The mount of one then ends the locks of the other: a database "
        "gets I/O errors, or a second one runs in its files."
    ),
    fix=(
        "Give each node a host name of its own before it mounts anything. Empty /etc/machine-id "
        "in the image that nodes are copied from: systemd then makes a new one at the first boot."
    ),
    source="RFC 8881, 2.4 and 18.35.4; machine-id(5); chaos.node-cloned",
)
def nodes_cloned(inventory: Inventory) -> Iterator[Hit]:
    """Find them where something is on NFS."""
    if not any(pv.backing.on_nfs for pv in inventory.pvs) and not inventory.nfs_classes:
        return
    alike: dict[str, list[Node]] = defaultdict(list)
    for node in inventory.nodes:
        if node.status.node_info.machine_id:
            alike[node.status.node_info.machine_id].append(node)
    for nodes in alike.values():
        for node in nodes:
            others = [other.name for other in nodes if other is not node]
            if others:
                said = f"it has the machine id of {listed(others)}"
                yield Hit(node, said, ("status", "nodeInfo", "machineID"))


@Rule(
    "audit.csi-driver-not-there",
    Severity.ERROR,
    "A class of csi-driver-nfs on a cluster without it",
    reason=(
        "Nobody makes its volumes, and no kubelet can mount them: PVCs stay Pending, pods in "
        "ContainerCreating."
    ),
    fix="Install the driver, for example with its Helm chart, or remove the class.",
    source="csi-driver-nfs, deploy/csi-nfs-driverinfo.yaml; Kubernetes documentation, CSIDriver",
)
def csi_driver_not_there(inventory: Inventory) -> Iterator[Hit]:
    """Find classes, and volumes that no class here has made; manifests cannot tell."""
    if not inventory.complete or any(found.name == csi.DRIVER for found in inventory.csi_drivers):
        return
    for made in inventory.csi_classes:
        yield Hit(made, f"the cluster has no CSIDriver {csi.DRIVER}", ("provisioner",))
    for pv in inventory.pvs:
        if pv.spec.csi and pv.spec.csi.driver == csi.DRIVER:
            said = f"the cluster has no CSIDriver {csi.DRIVER}"
            yield Hit(pv, said, ("spec", "csi", "driver"))
