"""Providers, and the environment that they bring up for a run."""

from contextlib import AbstractContextManager
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from landfast.cluster.base import Cluster
from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.files import write_atomically
from landfast.images import Images
from landfast.machine.parts import Parts
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.nfs.inspector_pod import pod_inspector
from landfast.nfs.own_server import OwnServer
from landfast.nfs.server import container_inspector
from landfast.progress import Progress
from landfast.run import RunRecord
from landfast.settings import Settings


class Environment(BaseModel):
    """A cluster, an export and images that tests may use. It is a value: workers get it as JSON.

    `subtree`, `suffix` and `namespace` place the reference stack (see `Overlay`): under the
    reference's own names on the run's own cluster, under free names on an existing one.
    `kernel_server` is what the run's NFS servers are made from if they are machines. `notes` are
    for the reader of the report.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    cluster: Cluster
    export: Export
    images: Images
    nfs_client: str
    engine: Engine | None
    kernel_server: Parts | None = None
    subtree: str = ""
    suffix: str = ""
    namespace: str = "default"
    notes: tuple[str, ...] = ()

    def with_export(self, export: Export) -> "Environment":
        """Return the environment with another export."""
        return self.model_copy(update={"export": export})

    def served_by(self, server: OwnServer) -> "Environment":
        """Return the environment with the export of another server, mounted as this one is."""
        export = server.export.mounted_with(self.export.mount_options)
        return self.model_copy(update={"export": export, "engine": server.engine})

    @property
    def pace(self) -> float:
        """How many times longer than a container a machine may take: it starts and runs slowly."""
        return 2.0 if self.kernel_server or self.nfs_client == "machine" else 1.0

    @property  # a cached one would follow a copy of the environment to another export
    def inspector(self) -> ExportInspector:
        """The inspector of the export: on its server if the run owns it, else through a pod."""
        if self.engine is not None and self.export.container is not None:
            return container_inspector(self.engine, self.export.container)
        if self.export.inspector is not None:
            return pod_inspector(self.cluster.kube, *self.export.inspector, own=self.subtree)
        raise LandfastError("this environment has no inspector")


class Provider(Protocol):
    """A source of clusters. A run's record says which provider removes its remains."""

    def bring_up(
        self, settings: Settings, progress: Progress, run_id: str
    ) -> AbstractContextManager[Environment]:
        """Bring up what the settings ask for; remove it at the end.

        Raises:
            BadInput: this host or these settings cannot work; nothing was changed.
            LandfastError: it failed half-way; what had been made by then is removed.
        """
        ...

    def sweep(self, progress: Progress, *, kept: bool = False) -> list[str]:
        """Remove what dead runs left, with `kept` also kept clusters, and return their ids.

        Raises:
            LandfastError: something cannot be removed; its record stays for the next try.
        """
        ...


def save_environment(record: RunRecord, env: Environment) -> None:
    """Keep a run's environment with its record, for whatever cleans up after it."""
    write_atomically(record.folder / "environment.json", env.model_dump_json())


def saved_environment(record: RunRecord) -> Environment | None:
    """Return a run's environment, or None if the run did not get that far."""
    file = record.folder / "environment.json"
    return Environment.model_validate_json(file.read_text()) if file.exists() else None
