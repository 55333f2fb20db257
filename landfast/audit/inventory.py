"""All objects together, and what follows from them: what uses, fits and provisions what."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from landfast.audit.definitions import Definitions
from landfast.audit.directories import Directory, DirectoryIndex
from landfast.audit.engines import Engine, Kind
from landfast.audit.free_volumes import SHOWN, FreeVolumes, Some, stored_pv, stored_pvc
from landfast.audit.made import directory_for
from landfast.audit.objects import PvcObject, PvObject, Resource, StorageClass
from landfast.audit.open_pvcs import OpenPvcs
from landfast.audit.pods import Container, VolumeMount
from landfast.audit.servers import Server, servers_of
from landfast.audit.several import one_of_each
from landfast.audit.uses import Claimed, Use, root_of_volume, uses_of
from landfast.audit.workloads import Workload
from landfast.binding.matching import Misfit, misfits
from landfast.provisioning import csi

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


@dataclass(frozen=True)
class Inventory(Definitions):
    """What is audited, and what follows from it."""

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

    @cached_property
    def _environments(self) -> tuple[tuple[Workload, dict[str, str]], ...]:
        return tuple(
            (workload, env)
            for workload in self.workloads
            for container in workload.pod.containers
            if "PROVISIONER_NAME" in (env := {v.name: v.value for v in container.env})
        )

    @cached_property
    def servers(self) -> tuple[Server, ...]:
        """The containers that keep data in files: databases, queues, NFS servers and others."""
        return tuple(server for workload in self.workloads for server in servers_of(workload))

    @cached_property
    def _servers(self) -> dict[int, Server]:
        return {id(server.container): server for server in self.servers}

    def engine_at(self, container: Container, mount: VolumeMount) -> Engine | None:
        """Return which engine has its data in a container's mount; None if none does."""
        server = self._servers.get(id(container))
        return server.engine if server and server.has_data_at(mount.mount_path) else None

    def is_database(self, container: Container, mount: VolumeMount) -> bool:
        """Whether a container keeps data in a mount that a second one would destroy."""
        engine = self.engine_at(container, mount)
        return engine is not None and engine.kind is not Kind.FILE_SERVER

    @cached_property
    def databases(self) -> tuple[Database, ...]:
        """Each pair of a database server and a known PVC that has its files."""
        return tuple(
            Database(use.workload, use.container.image, use.pvc, use.pods)
            for use in self.uses
            if use.pvc and not use.init and self.is_database(use.container, use.mount)
        )

    @cached_property
    def database_pvcs(self) -> dict[str, Database]:
        """One database for each PVC that has any, by the PVC's title."""
        return {database.pvc.title: database for database in reversed(self.databases)}

    # --- who writes where

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every mount of every container."""
        return tuple(use for workload in self.workloads for use in uses_of(workload, self._claimed))

    @cached_property
    def uses_by_directory(self) -> DirectoryIndex[Use]:
        """The mounts by their directories, each with its sub-path."""
        return DirectoryIndex((use.directory, use) for use in self.uses if use.directory)

    @cached_property
    def volumes_by_directory(self) -> DirectoryIndex[PvObject]:
        """The PersistentVolumes on NFS by their directories."""
        return DirectoryIndex((pv.directory, pv) for pv in self.pvs if pv.directory)

    def writers(self, directory: Directory) -> list[Use]:
        """Return who writes to a directory, or to one inside it or around it.

        Whether it is nested says `use.directory`. One workload is there once for each container,
        mount and PVC; `use.pods` says how many pods can have the directory at the same time.
        """
        index = self.uses_by_directory
        found = [*index.within(directory), *index.above(directory)]
        return [use for use in found if use.writes]

    @cached_property
    def _provisioners(self) -> dict[str, Directory]:
        """Where the NFS subdir provisioners here make directories, by their names."""
        return {
            env["PROVISIONER_NAME"]: Directory(server=env["NFS_SERVER"], path=env["NFS_PATH"])
            for _, env in self._environments
            if env.get("NFS_SERVER") and env.get("NFS_PATH")
        }

    def made_for(self, pvc: PvcObject) -> Directory | None:
        """Return the directory that a class will give a PVC; None if it is new, or not known."""
        storage_class = self.find_class(self.storage_class_of(pvc))
        return directory_for(pvc, storage_class, self._provisioners) if storage_class else None

    def _claimed(self, namespace: str, name: str) -> Iterator[Claimed]:
        """Yield what a PVC is, for each of its definitions; one that is not known is itself."""
        claim, pvcs = (namespace, name), self.find_pvcs(namespace, name)
        if not pvcs:
            yield Claimed(Directory(of=f"PersistentVolumeClaim {namespace}/{name}"), claim)
        for pvc in pvcs:
            volumes = self.volumes_for(pvc)
            if len({pv.title for pv in volumes}) == 1:
                for pv in volumes:
                    yield Claimed(root_of_volume(pv), claim, pvc, pv)
            else:
                made = None if volumes else self.made_for(pvc)
                yield Claimed(made or Directory(of=pvc.title), claim, pvc)

    # --- what belongs to what

    @cached_property
    def _free(self) -> FreeVolumes:
        return FreeVolumes(self.pvs)

    def misfits(self, pv: PvObject, pvc: PvcObject) -> list[Misfit]:
        """Return why a PVC could not take a volume, whatever its phase; empty if it fits."""
        return list(misfits(stored_pv(pv), stored_pvc(pvc, self.storage_class_of(pvc))))

    @cached_property
    def open_pvcs(self) -> tuple[PvcObject, ...]:
        """The PVCs whose volume Kubernetes has yet to choose."""
        return tuple(pvc for pvc in self.pvcs if not self.is_pinned(pvc))

    @cached_property
    def _askers(self) -> OpenPvcs:
        first = one_of_each(self.open_pvcs)
        return OpenPvcs((pvc, self.storage_class_of(pvc)) for pvc in first)

    def takers(self, pv: PvObject, *, explicit: bool = False) -> Some[PvcObject]:
        """Return which open PVCs could take a volume; if `explicit`, only those with a class."""
        return self._askers.takers(pv, explicit=explicit)

    @cached_property
    def _free_once(self) -> FreeVolumes:
        return FreeVolumes(one_of_each(self.pvs))

    def fitting(self, pvc: PvcObject) -> Some[PvObject]:
        """Return how many volumes an open PVC could take, and the first of them.

        Of a volume with several definitions the first counts; the others do if nothing else fits.
        """
        found = self._free_once.some(pvc, self.storage_class_of(pvc))
        if found.count:
            return found
        others = one_of_each(self.candidates(pvc))
        return Some(len(others), others[:SHOWN])

    def candidates(self, pvc: PvcObject) -> list[PvObject]:
        """Return the volumes that an unbound PVC could take, each considered alone."""
        return self._free.fitting(pvc, self.storage_class_of(pvc))

    def volumes_for(self, pvc: PvcObject) -> list[PvObject]:
        """Return the volumes that a PVC has or could get."""
        if pvc.spec.volume_name:
            return self.find_pvs(pvc.spec.volume_name)
        return self.reserved_for(pvc) or self.candidates(pvc)
