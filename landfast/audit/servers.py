"""The containers that keep data in files: what each is, and where its data goes."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from landfast.audit.commands import single_commands
from landfast.audit.directories import is_below
from landfast.audit.elsewhere import uses_a_server
from landfast.audit.engines import Engine, Kind, identify
from landfast.audit.pods import Container, PodVolume, VolumeMount
from landfast.audit.workloads import Workload
from landfast.image_names import ImageName

_CONFIGURATION = {"configMap", "secret", "projected", "downwardAPI"}
_WITH_THE_POD = {"emptyDir", "ephemeral"}
_NOT_DATA = {*_CONFIGURATION, "image", "gitRepo"}
_OWN_FOLDER = {"bitnami": "/bitnami/", "bitnamilegacy": "/bitnami/", "linuxserver": "/config"}
"""Where the images of some organisations have all data, by what those paths contain."""
_STATE = re.compile(r"/\.?(app-?)?(config|data|database|db|state|storage)(/|$)")
_NO_STORAGE_DRIVERS = {"secrets-store.csi.k8s.io", "csi.cert-manager.io"}
_PATH = re.compile(r"/[\w./-]+")
_LONGEST_PATH = 1_000
UNTIL_DONE = {"Job", "CronJob", "PodTemplate"}
"""The kinds whose pods end by themselves."""


@dataclass(frozen=True)
class Mounted:
    """A mount of a container, and the field that says what is mounted (`emptyDir`, `nfs` …)."""

    mount: VolumeMount
    source: str

    @property
    def path(self) -> str:
        """Where it is mounted, normalised."""
        return posixpath.normpath(self.mount.mount_path or "/")

    @property
    def stays(self) -> bool:
        """Whether what is written there is still there once the pod is gone."""
        return self.source not in _NOT_DATA | _WITH_THE_POD

    @property
    def goes_with_the_pod(self) -> bool:
        """Whether it is storage that is deleted with the pod."""
        return self.source in _WITH_THE_POD

    def is_around(self, path: str) -> bool:
        """Whether a path is where it is mounted, in it or around it."""
        return is_below(path, self.path) or is_below(self.path, path)

    @property
    def is_configuration(self) -> bool:
        """Whether it may tell the server where its data is to be."""
        return self.source in _CONFIGURATION


@dataclass(frozen=True)
class Server:
    """A container that keeps data in files.

    Attributes:
        workload: what runs it.
        container: the container.
        engine: what it is.
    """

    workload: Workload
    container: Container
    engine: Engine

    def __str__(self) -> str:
        return f"{self.workload.title} ({self.container.image})"

    @cached_property
    def mounts(self) -> tuple[Mounted, ...]:
        """Its mounts."""
        return tuple(mounts(self.workload, self.container))

    @cached_property
    def data(self) -> tuple[str, ...]:
        """Where its image has the data."""
        path = ImageName.parse(self.container.image).path.split("/")
        own = next((folder for name, folder in _OWN_FOLDER.items() if name in path), None)
        found = tuple(p for p in self.engine.data if own and own in p)
        moved = self.engine.kind is Kind.OBJECT_STORE  # Bitnami's MinIO had it in /data for years
        return self.engine.data if moved or not found else found

    def has_data_at(self, mount_path: str) -> bool:
        """Whether a mount may have its data, and is not that of its backups or media beside it.

        That is so for mounts at its data directory or at a path that it is told; where there are
        none, for those with a name that says so; and for all if none has one.
        """
        paths = [*self.engine.data]
        if self.engine.kind is not Kind.EMBEDDED:  # what an application is told may be its media
            paths += self.named_paths
        storage = [m for m in self.mounts if not m.is_configuration]
        at_data = [m.path for m in storage if any(m.is_around(path) for path in paths)]
        called = [m.path for m in storage if _STATE.search(m.path)]
        own = at_data or (called if self.engine.kind is Kind.EMBEDDED else [])
        return not own or posixpath.normpath(mount_path or "/") in own

    @property
    def runs_on(self) -> bool:
        """Whether it is meant to run until somebody ends it."""
        return self.workload.kind not in UNTIL_DONE

    @cached_property
    def usual(self) -> bool:
        """Whether its image alone tells what it is, so that it has its data where that has it."""
        return identify(self.container.image) == self.engine

    @cached_property
    def sure(self) -> bool:
        """Whether image or command tell what it is: labels may be those of another's client."""
        command = [*self.container.command, *self.container.args]
        return identify(self.container.image, command=command) == self.engine

    @cached_property
    def named_paths(self) -> set[str]:
        """The absolute paths that its command, arguments and environment name."""
        env = [variable.value for variable in self.container.env]
        said = [*self.container.command, *self.container.args, *env]
        found = {path for text in said for path in _PATH.findall(text)}
        return {posixpath.normpath(end) for path in found for end in _ends(path)}


def _ends(path: str) -> Iterator[str]:
    """Yield a path and what follows each of its slashes: it may be that of a URL."""
    return (path[number:] for number, letter in enumerate(path[:_LONGEST_PATH]) if letter == "/")


def servers_of(workload: Workload) -> list[Server]:
    """Return the containers of a workload that keep data in files.

    What mounts a server's directory beside that server, to copy its files, is none.
    """
    found = [
        Server(workload, container, engine)
        for container in running_containers(workload)
        if (engine := engine_of(workload, container))
    ]
    usual = {server.engine.name for server in found if server.usual}
    return [server for server in found if server.usual or server.engine.name not in usual]


def running_containers(workload: Workload) -> list[Container]:
    """Return the containers that run together, native sidecars among them."""
    sidecars = [c for c in workload.pod.init_containers if c.restart_policy == "Always"]
    return [*sidecars, *workload.pod.containers]


def engine_of(workload: Workload, container: Container) -> Engine | None:
    """Return which engine a container runs; labels count if the pod has no other container.

    An application that is told of a database server has no database of its own, and what is told of
    an NFS server is not one: a provisioner's image may have any name.
    """
    if workload.engine:
        return identify(workload.engine)
    engine = identify(
        container.image,
        workload.labels if len(workload.pod.containers) == 1 else {},
        [*container.command, *container.args],
        [mount.mount_path for mount in container.volume_mounts],
        [port.container_port for port in container.ports],
    )
    match engine and engine.kind:
        case Kind.EMBEDDED:
            is_client = uses_a_server(container)
        case Kind.FILE_SERVER:
            is_client = any(variable.name == "NFS_SERVER" for variable in container.env)
        case _:
            is_client = False
    return None if is_client else engine


def mounts(workload: Workload, container: Container) -> Iterator[Mounted]:
    """Yield the mounts of a container; a volume that nobody defines may be anything that stays."""
    volumes: Mapping[str, PodVolume] = {volume.name: volume for volume in workload.pod.volumes}
    for mount in container.volume_mounts:
        volume = volumes.get(mount.name)
        source = volume.source if volume else "volumeClaimTemplate"
        if volume and volume.csi and volume.csi.driver in _NO_STORAGE_DRIVERS:
            source = "secret"
        yield Mounted(mount, source)


def commands_of(container: Container) -> list[list[str]]:
    """Return the single commands that a container's command and arguments start."""
    return single_commands([*container.command, *container.args])
