"""The rule for directories that the next PVC of a name gets, with what the last one wrote."""

from collections.abc import Iterator

from landfast.audit import csi_nfs, subdir
from landfast.audit.fates import fate_of_class
from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.objects import StorageClass
from landfast.audit.place import Path
from landfast.provisioning import csi
from landfast.provisioning.contract import Reclaimed

_LEFT = {
    Reclaimed.KEPT: "it keeps what the last one wrote",
    Reclaimed.LEAKED: "what the last one wrote is left behind",
}


@Rule(
    "audit.directory-handed-on",
    Severity.WARNING,
    "A directory that the next PVC of the name gets with the old data",
    reason=(
        "A PVC that is deleted and created again is meant to be empty, and is not: a database "
        "starts on the old files, with the old passwords, and a member of a cluster comes back "
        "with a past that the others have left."
    ),
    fix=(
        "Give each volume a directory of its own: end subDir with ${pv.metadata.name}, or leave "
        "out pathPattern. If the same directory is wanted, as for data that outlives its PVC, "
        "ignore this with that reason, and move it away where a new PVC is to be empty."
    ),
    example="""
        kind: StorageClass
        provisioner: nfs.csi.k8s.io
        reclaimPolicy: Retain
        parameters:
          server: nas.example.com
          share: /export
          subDir: ${pvc.metadata.namespace}-${pvc.metadata.name}-${pv.metadata.name}
    """,
    source="hazards.kept-directory-is-handed-on; csi.kept-directory-is-handed-on",
)
def directory_handed_on(inventory: Inventory) -> Iterator[Hit]:
    """Find such classes: a note, unless a database's PVCs come and go by themselves."""
    for made in inventory.nfs_classes:
        pattern, at = _pattern(made)
        left = _LEFT.get(fate_of_class(made).reclaimed)
        if not pattern or not left:
            continue
        said = f"{pattern!r} is the same for the next PVC of a name, and {left}"
        again = _recreated(inventory, made)
        if again:
            said += f"; {listed(again)} deletes its PVCs and creates them again"
        yield Hit(made, said, at, None if again else Severity.NOTE)


def _pattern(made: StorageClass) -> tuple[str, Path]:
    """Return a class's pattern if each PVC has one directory by it, whatever its volume; else "".

    What several PVCs share, or is the root, is for other rules.
    """
    if made.provisioner == csi.DRIVER:
        given = csi_nfs.settings(made)
        first, second = ([csi.directory(given, pvc, n) for pvc in subdir.SAMPLES] for n in "12")
        own = first == second and len(set(first)) == len(first)
        return given.sub_dir or "" if own else "", ("parameters", "subDir")
    pattern = subdir.settings(made).path_pattern or ""
    of_pvcs = {subdir.directory(pattern, pvc) for pvc in subdir.SAMPLES}
    return pattern if len(of_pvcs) == len(subdir.SAMPLES) else "", ("parameters", "pathPattern")


def _recreated(inventory: Inventory, made: StorageClass) -> list[str]:
    """Return the databases whose PVCs of a class are deleted, and made again under their names."""
    found = []
    for server in inventory.servers:
        retention = server.workload.spec.persistent_volume_claim_retention_policy
        templates = {mount.name for mount in server.container.volume_mounts}
        own = [pvc for name, pvc in server.workload.made_pvcs() if name in templates]
        of_class = any(inventory.storage_class_of(pvc) == made.name for pvc in own)
        if of_class and "Delete" in (retention.when_deleted, retention.when_scaled):
            found.append(str(server))
    return list(dict.fromkeys(found))
