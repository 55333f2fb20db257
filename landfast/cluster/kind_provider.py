"""The `kind` provider: an engine, images, a network, an NFS server and a cluster for one run."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from landfast import engine_host, paths, registry, timeouts
from landfast.cluster import built_images, kernel_workers, kind_images, kind_removal
from landfast.cluster import kind as kinds
from landfast.cluster.base import wait_for_nodes
from landfast.cluster.kind import Kind
from landfast.cluster.provider import Environment, save_environment, saved_environment
from landfast.docker import Engine
from landfast.errors import BadInput, LandfastError
from landfast.images import Images
from landfast.kit import engine as engines
from landfast.kit.build import kit_lock
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder
from landfast.kit.programs import Programs
from landfast.machine.parts import Parts as MachineParts
from landfast.machine.parts import provide as provide_machines
from landfast.nfs import client as nfs_client
from landfast.nfs.export import Export
from landfast.nfs.kernel_server import start_kernel_server
from landfast.nfs.server import start_server
from landfast.progress import Progress
from landfast.run import RunRecord, new_record, records
from landfast.settings import Settings

NEEDED_GIB = 3  # three nodes and the export
_EXPORT_SIZE = "8G"  # of a machine that serves; sparse


@dataclass(frozen=True)
class _Parts:
    """All that a cluster is made from."""

    kind: Kind
    images: Images
    nfs_client: nfs_client.NfsClient
    mount_helper: Path | None
    mysql_port: int
    machines: MachineParts | None = None
    kernel_server: MachineParts | None = None

    @property
    def client_of_pods(self) -> str:
        """The NFS client that pods with volumes have."""
        return "machine" if self.machines else self.nfs_client


class KindProvider:
    """Creates a cluster with kind, and removes it unless it is to be kept."""

    @contextlib.contextmanager
    def bring_up(
        self, settings: Settings, progress: Progress, run_id: str
    ) -> Iterator[Environment]:
        """See `Provider.bring_up`."""
        with contextlib.ExitStack() as ends:
            work = ends.enter_context(TemporaryDirectory(prefix="landfast-"))
            parts = _prepare(settings, progress, Path(work))
            used = _kept(parts, progress) if settings.keep else None
            record, env = used or ends.enter_context(_made(parts, settings, progress, run_id))
            if record.kept:
                ends.enter_context(record.lock())
            yield env.with_export(env.export.mounted_with(settings.volume_options))
            if record.kept:
                kind_removal.wait_for_namespaces(env.cluster.kube)

    def sweep(self, progress: Progress, *, kept: bool = False) -> list[str]:
        """See `Provider.sweep`."""
        if not kind_removal.left(kept=kept):
            return []
        with kit_lock(progress):
            return kind_removal.sweep(progress, engines.ensure(progress), kept=kept)


def _prepare(settings: Settings, progress: Progress, work: Path) -> _Parts:
    port = _mysql_port(settings.mysql_port)
    with kit_lock(progress):
        engine = engines.ensure(progress)
        try:
            kind_removal.sweep(progress, engine)
        except LandfastError as error:  # it need not keep a run from its own cluster
            progress.say(str(error))
        programs = Programs(Cache(paths.cache()), progress)
        kind = Kind(engine, programs.kind())
        images = kind_images.provide(settings, engine, progress)
        host = engine_host.look(engine, images.busybox)
        if host.free_gib < NEEDED_GIB:
            raise BadInput(
                f"a run needs {NEEDED_GIB} GiB free in {engine_host.facts(engine).data_root} on "
                f"the Docker engine's host, which has {host.free_gib:.1f}; free some"
            )
        if host.clock_off > engine_host.MAX_CLOCK_OFF:
            raise BadInput(
                f"the clock of the Docker engine's host is {host.clock_off:.0f} s off this host's, "
                "and a run compares times of both: set it, or restart the engine's VM"
            )
        client = nfs_client.choose(settings.nfs_client, host)
        helper = None
        if client == "fuse" and images.source == "registry":  # the kit's node image has it
            helper = built_images.mount_helper(engine, programs, progress, work)
        builder = ImageBuilder(engine, programs.store, progress)
        machines = kernel_server = None
        if settings.workers == "kernel":
            machines = provide_machines(builder, images.node)
        if settings.nfs_server_kind == "kernel":
            kernel_server = provide_machines(builder, builder.image("kernel-nfs-server"))
    return _Parts(kind, images, client, helper, port, machines, kernel_server)


@contextlib.contextmanager
def _made(
    parts: _Parts, settings: Settings, progress: Progress, run_id: str
) -> Iterator[tuple[RunRecord, Environment]]:
    record = new_record(run_id, engine=parts.kind.engine.identity())
    try:
        env = _make(parts, record, progress)
        save_environment(record, env)
        record.complete, record.kept = True, settings.keep
        record.save()
        yield record, env
    except BaseException:
        record.kept = False
        raise
    finally:
        if not record.kept:
            with progress.phase("remove the cluster"):
                kind_removal.remove_run(record, parts.kind.engine)


def _make(parts: _Parts, record: RunRecord, progress: Progress) -> Environment:
    kind, images, engine = parts.kind, parts.images, parts.kind.engine
    engine.create_network(record.name, label=record.docker_label)
    with progress.phase("NFS server"):
        engine, export = _start_server(parts, record)
    workers = 1 if parts.machines else kinds.WORKERS
    with progress.phase(f"cluster of {workers + 1} nodes"):
        kubeconfig = record.folder / "kubeconfig"
        cluster = kind.create(record.name, images.node, kubeconfig, parts.mysql_port, workers)
        if parts.mount_helper is not None:
            for node in cluster.nodes:
                nfs_client.install_helper(engine, node, parts.mount_helper)
    if parts.machines:
        with progress.phase("workers with a kernel of their own"):
            engine, cluster = kernel_workers.add(
                engine, parts.machines, cluster, label=record.docker_label
            )
    if missing := kind_images.not_in_nodes(images):
        with progress.phase("load the workloads' images into the nodes"):
            machines = [node for node in cluster.nodes if node in engine.machines]
            nodes = [*kind.workers(record.name), *machines]
            registry.load_into_nodes(engine, missing, nodes)
        # a slow host's control plane may have fallen behind, or have been started anew
        wait_for_nodes(cluster.kube, len(cluster.nodes), timeout=timeouts.NODE_READY)
    return Environment(
        run_id=record.run_id,
        cluster=cluster,
        export=export,
        images=images,
        nfs_client=parts.client_of_pods,
        engine=engine,
        kernel_server=parts.kernel_server,
    )


def _start_server(parts: _Parts, record: RunRecord) -> tuple[Engine, Export]:
    """Return the engine that looks into the run's NFS server, and the server's export."""
    engine, name, network = parts.kind.engine, f"{record.name}-nfs", record.name
    label = record.docker_label
    if parts.kernel_server is None:
        image = parts.images.nfs_server
        return engine, start_server(engine, image, name=name, network=network, label=label)
    server = start_kernel_server(
        engine, parts.kernel_server, name=name, network=network, label=label, size=_EXPORT_SIZE
    )
    return server.engine, server.export


def _kept(parts: _Parts, progress: Progress) -> tuple[RunRecord, Environment] | None:
    """Return a kept cluster that was made from the same parts; remove one that does not answer."""
    engine = parts.kind.engine
    kept = [record for record in records() if record.kept and kind_removal.is_here(record, engine)]
    for record in reversed(kept):
        env = saved_environment(record)
        made_from = (parts.images, parts.client_of_pods, parts.kernel_server)
        if env is None or (env.images, env.nfs_client, env.kernel_server) != made_from:
            continue
        try:
            env.cluster.kube.server_version()
        except BadInput:
            with progress.phase(f"remove the kept cluster {record.name}: it does not answer"):
                kind_removal.remove_run(record, engine)
            continue
        progress.say(f"using the kept cluster {record.name}")
        return record, env
    return None


def _mysql_port(asked: int) -> int:
    """Return a free port on 127.0.0.1: the one asked for, unless that is 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", asked))
        except OSError as error:
            raise BadInput(
                f"--mysql-port {asked}: 127.0.0.1:{asked} cannot be used ({error.strerror}); "
                "omit it to get a free port"
            ) from error
        port: int = probe.getsockname()[1]
        return port
