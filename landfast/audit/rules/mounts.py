"""Rules for mounts without a volume, and volumes without a mount."""

from collections import Counter
from collections.abc import Iterator

from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.workloads import Workload

_SELECT = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}
"""The kinds that cannot be without a selector, which patches of them leave out."""
_LASTS = {"persistentVolumeClaim", "nfs", "ephemeral"}


def _whole(inventory: Inventory) -> Iterator[Workload]:
    """Yield the workloads that are no patches: nothing else has their name, and none is a part."""
    titles = Counter(workload.title for workload in inventory.workloads)
    for workload in inventory.workloads:
        part = workload.kind in _SELECT and not workload.spec.selector
        if titles[workload.title] == 1 and not part and not workload.engine:
            yield workload


def _declared(workload: Workload) -> set[str]:
    templates = {template.metadata.name for template in workload.spec.volume_claim_templates}
    return templates | {volume.name for volume in workload.pod.volumes}


def _mounted(workload: Workload) -> set[str]:
    return {name for container in workload.pod.all_containers for name in container.volume_names}


@Rule(
    "audit.mount-without-volume",
    Severity.ERROR,
    "A mount of a volume that the pod does not have",
    reason=(
        "The API server refuses the object. A StatefulSet it accepts, and refuses each of its "
        "pods: none ever runs, and only an event of the StatefulSet says why."
    ),
    fix="Declare it under volumes or volumeClaimTemplates, or mount the one that is declared.",
    example="""
        kind: StatefulSet
        spec:
          template:
            spec:
              containers:
                - name: mysql
                  image: mysql:8.4
                  volumeMounts: [{name: data, mountPath: /var/lib/mysql}]
          volumeClaimTemplates:
            - metadata: {name: data}    # the same name
    """,
    source=(
        "Kubernetes v1.37, pkg/apis/core/validation/validation.go, ValidateVolumeMounts; "
        "pkg/apis/apps/validation/validation.go, ValidatePodTemplateSpecForStatefulSet"
    ),
)
def mount_without_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find them in manifests; a cluster has none but those of StatefulSets."""
    for workload in _whole(inventory):
        declared = _declared(workload)
        for container in workload.pod.all_containers:
            missing = [name for name in container.volume_names if name not in declared]
            if missing:
                at = (*workload.container_at(container), "volumeMounts")
                there = f"has {listed(sorted(declared))}" if declared else "has no volume at all"
                said = f"container {container.name} mounts {listed(missing)}, and the pod {there}"
                yield Hit(workload, said, at)


@Rule(
    "audit.volume-not-mounted",
    Severity.NOTE,
    "A volume that no container mounts",
    reason=(
        "Nothing is written there: what was meant for it is in another volume or in the "
        "container's own files, which go with the pod."
    ),
    fix="Mount it where the data is, or remove it.",
    example="""
        kind: Deployment
        spec:
          template:
            spec:
              containers:
                - name: mysql
                  image: mysql:8.4
                  volumeMounts: [{name: data, mountPath: /var/lib/mysql}]
              volumes:
                - name: data
                  persistentVolumeClaim: {claimName: data}
    """,
    source="Kubernetes documentation, Volumes, How volumes work",
)
def volume_not_mounted(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs, templates of PVCs and NFS volumes; others may be there for a webhook."""
    for workload in _whole(inventory):
        mounted = _mounted(workload)
        for number, volume in enumerate(workload.pod.volumes):
            lasts = volume.source in _LASTS or (volume.csi and volume.csi.backing.on_nfs)
            if lasts and volume.name not in mounted:
                at = (*workload.template_at, "spec", "volumes", number)
                yield Hit(workload, f"no container mounts its volume {volume.name}", at)
        for number, template in enumerate(workload.spec.volume_claim_templates):
            name = template.metadata.name
            if name not in mounted:
                said = f"no container mounts the PVC that it makes of its template {name}"
                yield Hit(workload, said, (*workload.claims_at, number))
