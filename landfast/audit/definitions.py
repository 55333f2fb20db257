"""All definitions of all objects, and each found by its name."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from landfast.audit.export import ExportView
from landfast.audit.objects import CsiDriver, Node, PvcObject, PvObject, Resource, StorageClass
from landfast.audit.several import different, grouped, identity
from landfast.audit.uses import ephemeral_pvc
from landfast.audit.workloads import Workload
from landfast.kube.default_classes import newest_first

_R = TypeVar("_R", bound=Resource)


@dataclass(frozen=True)
class Definitions:
    """What is audited.

    `complete` is True for a cluster: an object that is not listed does not exist. Manifests cannot
    tell. `export` is the export as its server shows it, if that is known.
    """

    resources: tuple[Resource, ...]
    complete: bool
    export: ExportView | None = None

    @property
    def where(self) -> str:
        """Where an object was looked for, in words."""
        return "on this cluster" if self.complete else "in these manifests"

    @property
    def defined_again(self) -> Iterator[tuple[Resource, Resource]]:
        """Every object with the kind, namespace and name of an earlier one, and that one."""
        first: dict[object, Resource] = {}
        for resource in self.resources:
            earlier = first.setdefault(identity(resource), resource)
            if earlier is not resource and not resource.metadata.generate_name:
                yield resource, earlier

    def _of(self, model: type[_R]) -> tuple[_R, ...]:
        """Return the objects of a type: of one with several definitions, each that differs."""
        return tuple(different(r for r in self.resources if isinstance(r, model)))

    @cached_property
    def pvs(self) -> tuple[PvObject, ...]:
        """The PersistentVolumes."""
        return self._of(PvObject)

    @cached_property
    def classes(self) -> tuple[StorageClass, ...]:
        """The StorageClasses."""
        return self._of(StorageClass)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, which manifests hardly ever have."""
        return self._of(Node)

    @cached_property
    def csi_drivers(self) -> tuple[CsiDriver, ...]:
        """The CSI drivers that the cluster knows."""
        return self._of(CsiDriver)

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """What runs pods."""
        return self._of(Workload)

    @cached_property
    def pvcs(self) -> tuple[PvcObject, ...]:
        """The PVCs, including those that StatefulSets, operators and pods will create."""
        own = self._of(PvcObject)
        defined = {pvc.title for pvc in own}
        made = (pvc for pvc in self._made_pvcs if pvc.title not in defined)
        return (*different(made), *own)

    @property
    def _made_pvcs(self) -> Iterator[PvcObject]:
        for workload in self.workloads:
            yield from (pvc for _, pvc in workload.made_pvcs())
            for volume in workload.pod.volumes:
                if pvc := ephemeral_pvc(workload, volume):
                    yield pvc

    @cached_property
    def defaults(self) -> tuple[StorageClass, ...]:
        """The default classes, first the one that counts: the newest."""
        found = (c for c in self.classes if c.is_default)
        return tuple(newest_first(found, lambda c: (str(c.metadata.creation_timestamp), c.name)))

    def storage_class_of(self, pvc: PvcObject) -> str:
        """Return the name of the class that counts for a PVC; "" is none."""
        if pvc.storage_class is not None:
            return pvc.storage_class
        return self.defaults[0].name if self.defaults else ""

    @cached_property
    def _classes_by_name(self) -> dict[str, list[StorageClass]]:
        return grouped((c.name, c) for c in self.classes)

    def find_class(self, name: str) -> StorageClass | None:
        """Return a class by its name; of several definitions the first."""
        return next(iter(self.find_classes(name)), None)

    def find_classes(self, name: str) -> list[StorageClass]:
        """Return the definitions of a class."""
        return self._classes_by_name.get(name, [])

    @cached_property
    def _pvs_by_name(self) -> dict[str, list[PvObject]]:
        return grouped((pv.name, pv) for pv in self.pvs)

    def find_pvs(self, name: str) -> list[PvObject]:
        """Return the definitions of a volume."""
        return self._pvs_by_name.get(name, [])

    @cached_property
    def _pvcs_by_name(self) -> dict[tuple[str, str], list[PvcObject]]:
        return grouped(((pvc.namespace, pvc.name), pvc) for pvc in self.pvcs)

    def find_pvcs(self, namespace: str, name: str) -> list[PvcObject]:
        """Return the definitions of a PVC, or what makes it."""
        return self._pvcs_by_name.get((namespace, name), [])

    @cached_property
    def _reserved(self) -> dict[tuple[str, str], list[PvObject]]:
        refs = ((pv.spec.claim_ref, pv) for pv in self.pvs)
        return grouped(((ref.namespace or "default", ref.name), pv) for ref, pv in refs if ref)

    def reserved_for(self, pvc: PvcObject) -> list[PvObject]:
        """Return the volumes whose `claimRef` names a PVC."""
        return self._reserved.get((pvc.namespace, pvc.name), [])

    def is_pinned(self, pvc: PvcObject) -> bool:
        """Whether a PVC names its volume, or a volume names the PVC."""
        return bool(pvc.spec.volume_name or self.reserved_for(pvc))
