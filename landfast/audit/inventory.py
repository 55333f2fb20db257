"""All objects together, and what follows from them: what uses, fits and provisions what."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

from landfast.audit.export import ExportView
from landfast.audit.objects import Directory, PvcObject, PvObject, Resource, StorageClass
from landfast.audit.workloads import Pod, PodController, Workload
from landfast.binding.matching import Misfit, misfits, suits
from landfast.binding.model import Pv, Pvc, PvPhase
from landfast.binding.state import Owner, Stamp, StoredPv, StoredPvc
from landfast.image_names import ImageName
from landfast.kube.default_classes import newest_first
from landfast.provisioning import csi

_AVAILABLE = ("", "Available")
_SERVERS = (
    "cassandra|clickhouse|cockroach|couchdb|elasticsearch|etcd|influxdb|mariadb|mongo|mongodb|mssql|"
    "mysql|neo4j|percona|postgis|postgres|postgresql|redis|timescaledb|valkey"
)
_DATABASE = re.compile(rf"(^|[/_-])({_SERVERS})($|[/_-])")
_NOT_A_SERVER = re.compile(r"admin|backup|client|exporter|express|operator|proxy|router")
_SUBDIR_PROVISIONER = re.compile(
    r"nfs-(subdir-external|client)-provisioner|^nfs-client$|^fuseim\.pri/ifs$"
)
_SUBDIR_PARAMETERS = {"archiveondelete", "pathpattern"}

_R = TypeVar("_R", bound=Resource)


@dataclass(frozen=True)
class Database:
    """A database server and a PVC that has its files.

    `at_once` is how many pods of the workload can use the PVC at the same time.
    """

    workload: Workload
    image: str
    pvc: PvcObject
    at_once: int

    def __str__(self) -> str:
        return f"{self.workload.title} ({self.image})"


class Choice(NamedTuple):
    """PVCs that ask for the same, and the volumes of which each of them could get one."""

    pvcs: tuple[PvcObject, ...]
    volumes: tuple[PvObject, ...]


@dataclass(frozen=True)
class Inventory:
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
        first: dict[str, Resource] = {}
        for resource in self.resources:
            earlier = first.setdefault(resource.title, resource)
            if earlier is not resource:
                yield resource, earlier

    def _of(self, model: type[_R]) -> tuple[_R, ...]:
        """Return the objects of a type; the last of several with one name, like `kubectl apply`."""
        found = {r.title: r for r in self.resources if isinstance(r, model)}
        return tuple(found.values())

    @cached_property
    def pvs(self) -> tuple[PvObject, ...]:
        """The PersistentVolumes."""
        return self._of(PvObject)

    @cached_property
    def classes(self) -> tuple[StorageClass, ...]:
        """The StorageClasses."""
        return self._of(StorageClass)

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """What runs containers."""
        return (*self._of(Pod), *self._of(PodController))

    @cached_property
    def pvcs(self) -> tuple[PvcObject, ...]:
        """The PVCs, including those that StatefulSets will create."""
        made = [pvc for controller in self._of(PodController) for pvc in _made_by(controller)]
        return tuple({pvc.title: pvc for pvc in [*made, *self._of(PvcObject)]}.values())

    @cached_property
    def defaults(self) -> tuple[StorageClass, ...]:
        """The default classes, first the one that counts: the newest."""
        found = (c for c in self.classes if c.is_default)
        return tuple(newest_first(found, lambda c: (str(c.metadata.creation_timestamp), c.name)))

    @cached_property
    def provisioner_roots(self) -> tuple[tuple[Directory, Workload], ...]:
        """The directories in which NFS subdir provisioners make volumes, with the provisioner."""
        return tuple(
            (Directory(server=env["NFS_SERVER"], path=env["NFS_PATH"]), workload)
            for workload, env in self._environments
            if env.get("NFS_SERVER") and env.get("NFS_PATH")
        )

    @cached_property
    def subdir_classes(self) -> tuple[StorageClass, ...]:
        """The classes of an NFS subdir provisioner, by what runs here, by name or by parameters."""
        here = {env["PROVISIONER_NAME"] for _, env in self._environments if "NFS_PATH" in env}
        return tuple(
            c
            for c in self.classes
            if c.provisioner in here
            or _SUBDIR_PROVISIONER.search(c.provisioner)
            or (
                c.provisioner != csi.DRIVER
                and _SUBDIR_PARAMETERS & {key.lower() for key in c.parameters}
            )
        )

    @cached_property
    def csi_classes(self) -> tuple[StorageClass, ...]:
        """The classes of csi-driver-nfs."""
        return tuple(c for c in self.classes if c.provisioner == csi.DRIVER)

    @property
    def nfs_classes(self) -> tuple[StorageClass, ...]:
        """The classes that make volumes on NFS in a way that the audit knows."""
        return self.subdir_classes + self.csi_classes

    @property
    def _environments(self) -> Iterator[tuple[Workload, dict[str, str]]]:
        for workload in self.workloads:
            for container in workload.pod.containers:
                env = {variable.name: variable.value for variable in container.env}
                if "PROVISIONER_NAME" in env:
                    yield workload, env

    @cached_property
    def databases(self) -> tuple[Database, ...]:
        """Each pair of a database server and a known PVC that has its files."""
        known = {(pvc.namespace, pvc.name): pvc for pvc in self.pvcs}
        return tuple(
            Database(workload, image, pvc, at_once)
            for workload in self.workloads
            for image, name, at_once in _mounts(workload)
            if is_database(image) and (pvc := known.get((workload.namespace, name)))
        )

    @cached_property
    def database_pvcs(self) -> dict[str, Database]:
        """One database for each PVC that has any, by the PVC's title."""
        return {database.pvc.title: database for database in reversed(self.databases)}

    def storage_class_of(self, pvc: PvcObject) -> str:
        """Return the name of the class that counts for a PVC; "" is none."""
        if pvc.storage_class is not None:
            return pvc.storage_class
        return self.defaults[0].name if self.defaults else ""

    def find_class(self, name: str) -> StorageClass | None:
        """Return a class by its name."""
        return next((c for c in self.classes if c.name == name), None)

    def reserved_for(self, pvc: PvcObject) -> list[PvObject]:
        """Return the volumes whose `claimRef` names a PVC."""
        return [
            pv
            for pv in self.pvs
            if (ref := pv.spec.claim_ref)
            and (ref.namespace or "default", ref.name) == (pvc.namespace, pvc.name)
        ]

    def misfits(self, pv: PvObject, pvc: PvcObject) -> list[Misfit]:
        """Return why a PVC could not take a volume, whatever its phase; empty if it fits."""
        return list(misfits(_stored_pv(pv), _stored_pvc(pvc, self.storage_class_of(pvc))))

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The PVCs whose volume Kubernetes has yet to choose, with what each could take."""
        alike: dict[object, list[PvcObject]] = defaultdict(list)
        for pvc in self.pvcs:
            if not self.is_pinned(pvc):
                stored = _stored_pvc(pvc, self.storage_class_of(pvc))
                alike[replace(stored, spec=replace(stored.spec, name=""))].append(pvc)
        return tuple(
            Choice(tuple(pvcs), tuple(self.candidates(pvcs[0]))) for pvcs in alike.values()
        )

    def candidates(self, pvc: PvcObject) -> list[PvObject]:
        """Return the volumes that an unbound PVC could take, each considered alone."""
        wanted = _stored_pvc(pvc, self.storage_class_of(pvc))
        return [pv for pv, stored in self._available if suits(stored, wanted)]

    @cached_property
    def _available(self) -> tuple[tuple[PvObject, StoredPv], ...]:
        return tuple((pv, _stored_pv(pv)) for pv in self.pvs if pv.status.phase in _AVAILABLE)

    def is_pinned(self, pvc: PvcObject) -> bool:
        """Whether a PVC names its volume, or a volume names the PVC."""
        return bool(pvc.spec.volume_name or self.reserved_for(pvc))

    def volumes_for(self, pvc: PvcObject) -> list[PvObject]:
        """Return the volumes that a PVC has or could get."""
        if pvc.spec.volume_name:
            return [pv for pv in self.pvs if pv.name == pvc.spec.volume_name]
        return self.reserved_for(pvc) or self.candidates(pvc)


def is_database(image: str) -> bool:
    """Whether an image is a database server's, by its name without registry, tag and digest."""
    name = ImageName.parse(image).path
    return bool(_DATABASE.search(name)) and not _NOT_A_SERVER.search(name)


def _stored_pv(pv: PvObject) -> StoredPv:
    """Return the binding oracle's value for a PV, in bytes: only the order of sizes counts."""
    spec = Pv(
        pv.name,
        math.floor(pv.spec.capacity.get("storage", 0)),
        pv.spec.access_modes,
        pv.storage_class,
        pv.spec.volume_mode,
        labels=tuple(pv.metadata.labels.items()),
    )
    owner = Owner(pv.spec.claim_ref.name, None) if pv.spec.claim_ref else None
    deleting = pv.metadata.deletion_timestamp is not None
    return StoredPv(spec, owner, PvPhase.AVAILABLE, deleting=deleting)


def _stored_pvc(pvc: PvcObject, storage_class: str) -> StoredPvc:
    spec = Pvc(
        pvc.name,
        math.ceil(pvc.spec.resources.requests.get("storage", 0)),
        pvc.spec.access_modes,
        volume_mode=pvc.spec.volume_mode,
        selector=pvc.spec.selector.to_model() if pvc.spec.selector else None,
    )
    return StoredPvc(spec, Stamp(0, 0), storage_class)


def _pvc_names(controller: PodController, template: str) -> list[str]:
    first = controller.spec.ordinals.get("start", 0)
    ordinals = range(first, first + controller.spec.replicas)
    return [f"{template}-{controller.name}-{ordinal}" for ordinal in ordinals]


def _made_by(controller: PodController) -> Iterator[PvcObject]:
    for number, template in enumerate(controller.spec.volume_claim_templates):
        for name in _pvc_names(controller, template.metadata.name):
            yield PvcObject(
                kind="PersistentVolumeClaim",
                metadata=template.metadata.model_copy(
                    update={"name": name, "namespace": controller.namespace}
                ),
                spec=template.spec,
                made_by=f"{controller.title} {template.metadata.name}",
                place=controller.place.at(("spec", "volumeClaimTemplates", number)),
            )


def _mounts(workload: Workload) -> Iterator[tuple[str, str, int]]:
    """Yield image and PVC of every mount, and how many pods can use the PVC at the same time."""
    names = {
        volume.name: ([volume.persistent_volume_claim.claim_name], workload.at_once)
        for volume in workload.pod.volumes
        if volume.persistent_volume_claim
    }
    if isinstance(workload, PodController):
        for template in workload.spec.volume_claim_templates:
            name = template.metadata.name
            names[name] = (_pvc_names(workload, name), 1)
    for container in workload.pod.containers:
        for mount in container.volume_mounts:
            pvcs, at_once = names.get(mount.name, ([], 0))
            for pvc in pvcs:
                yield container.image, pvc, at_once
