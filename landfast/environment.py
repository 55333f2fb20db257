"""What a run works on: a cluster, an export, images. Brought up once, taken down at its end."""

import contextlib
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from landfast import paths, registry
from landfast.cluster import existing
from landfast.cluster.base import Cluster
from landfast.cluster.fence import FencedKube
from landfast.cluster.kind import Kind
from landfast.cluster.removal import remove
from landfast.docker import Engine
from landfast.errors import BadInput, LandfastError
from landfast.images import Images
from landfast.kit import engine as engines
from landfast.kit.build import build_kit, kit_lock
from landfast.kit.cache import Cache
from landfast.kit.programs import Programs
from landfast.kube.client import Kube
from landfast.kube.default_classes import restore_default_classes
from landfast.nfs import client as nfs_client
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.nfs.inspector_pod import pod_inspector
from landfast.nfs.server import container_inspector, start_server
from landfast.progress import Progress
from landfast.run import RunRecord, default_classes_file, new_record, new_run_id, records
from landfast.settings import Settings
from landfast.waiting import wait_until

_GIB = 1 << 30
_REMOVE_SECONDS = 240
_QUIET_POLLS = 6  # what `kind` had asked for when it was killed takes the engine a second or two
_NEEDED_GIB = 3  # three nodes and the export


class Environment(BaseModel):
    """A cluster, an export and images that tests may use. A value: workers get it as JSON.

    `subtree`, `suffix` and `namespace` say where the reference stack stands (see `Overlay`): on a
    cluster of our own under the reference's names, on somebody's where nothing of theirs is.
    `notes` is what a reader of the report has to know of it.
    """

    model_config = ConfigDict(frozen=True, ignored_types=(cached_property,))

    run_id: str
    cluster: Cluster
    export: Export
    images: Images
    nfs_client: str
    engine: Engine | None
    subtree: str = ""
    suffix: str = ""
    namespace: str = "default"
    notes: tuple[str, ...] = ()

    @cached_property
    def inspector(self) -> ExportInspector:
        """The look at the export: from its server, where that is the run's own."""
        if self.engine is not None and self.export.container is not None:
            return container_inspector(self.engine, self.export.container)
        if self.export.inspector is not None:
            return pod_inspector(self.cluster.kube, *self.export.inspector, own=self.subtree)
        raise LandfastError("this environment has no inspector")


@contextlib.contextmanager
def environment(
    settings: Settings, progress: Progress, *, run_id: str | None = None
) -> Iterator[Environment]:
    """Bring up what the settings ask for; take down at the end what was brought up.

    With `keep`, what an earlier run kept is used if it is of the same images, and stays.

    Raises:
        BadInput: this host or these settings cannot work; nothing was changed.
        LandfastError: it failed on the way; what was made until then is removed.
    """
    provider = _existing_environment if settings.cluster == "existing" else _kind_environment
    with provider(settings, progress, run_id) as env:
        yield env


@contextlib.contextmanager
def _kind_environment(
    settings: Settings, progress: Progress, run_id: str | None
) -> Iterator[Environment]:
    client = nfs_client.choose(settings.nfs_client, kernel=nfs_client.kernel_has_nfs())
    port = _mysql_port(settings.mysql_port)
    with kit_lock(progress):
        engine = engines.ensure(progress)
        sweep(progress, engine)
        images = _images(settings, engine, progress)
        programs = Programs(Cache(paths.cache()), progress)
        kind = Kind(engine, programs.kind())
        helper = programs.path("mount.nfs") if client == "fuse" else None
    _check_disk(engine)
    if settings.keep and (kept := _kept(images, client, progress, engine)):
        record, env = kept
        with record.lock():
            yield env
            _wait_for_namespaces(env.cluster.kube)
        return
    record = new_record(run_id=run_id)
    try:
        env = _bring_up(record, kind, images, port, progress, client, helper)
        (record.folder / "environment.json").write_text(env.model_dump_json())
        record.complete, record.kept = True, settings.keep
        record.save()
        with record.lock() if settings.keep else contextlib.nullcontext():
            yield env
            if settings.keep:
                _wait_for_namespaces(env.cluster.kube)
    except BaseException:
        record.kept = False
        raise
    finally:
        if not record.kept:
            with progress.phase("take down the cluster"):
                remove_run(record, engine)


def _wait_for_namespaces(kube: Kube) -> None:
    """Wait until the namespaces of removed stacks are gone: removing one does not wait for its own.

    Raises:
        WaitTimeout: one does not go.
    """
    wait_until(
        "the namespaces of removed stacks to be gone",
        lambda: [n for n in kube.list("Namespace") if n["metadata"].get("deletionTimestamp")],
        until=lambda going: not going,
        timeout=_REMOVE_SECONDS,
        describe=lambda going: ", ".join(n["metadata"]["name"] for n in going),
    )


def _bring_up(
    record: RunRecord,
    kind: Kind,
    images: Images,
    port: int,
    progress: Progress,
    client: nfs_client.NfsClient,
    helper: Path | None,
) -> Environment:
    engine = kind.engine
    engine.docker("network", "create", "--label", record.docker_label, record.name)
    with progress.phase("NFS server"):
        export = start_server(
            engine,
            images.nfs_server,
            name=f"{record.name}-nfs",
            network=record.name,
            label=record.docker_label,
        )
    with progress.phase("cluster of three nodes"):
        cluster = kind.create(record.name, images.node, record.folder / "kubeconfig", port)
        if helper is not None and images.source != "kit":
            for node in cluster.nodes:
                nfs_client.install_helper(engine, node, helper)
    if missing := _not_in_nodes(images):
        with progress.phase("load the workloads' images into the nodes"):
            registry.load_into_nodes(engine, missing, kind.workers(record.name))
    return Environment(
        run_id=record.run_id,
        cluster=cluster,
        export=export,
        images=images,
        nfs_client=client,
        engine=engine,
    )


def _not_in_nodes(images: Images) -> list[str]:
    """Give the images that pods run and the node image has not got."""
    if images.source == "registry":
        return images.workloads()
    kits_own = images.provisioner.startswith("landfast/")  # another one's name begins with a host
    return [] if kits_own else [images.provisioner]


def _images(settings: Settings, engine: Engine, progress: Progress) -> Images:
    """Give the images that a cluster of our own is made of; they are in the engine then."""
    asked = registry.overrides(settings)
    from_kit = settings.images == "kit" or (
        settings.images == "auto" and bool(engine.env) and not settings.registry
    )
    if not from_kit:
        found = registry.sources(settings.registry, asked)
        _fetch(engine, found, progress)
        return registry.as_images(found)
    for part in ("node", "mysql"):
        if asked[part] is not None:
            raise BadInput(f"--{part}-image goes with --images registry: the kit has its own")
    images = build_kit(engine, progress)
    if asked["provisioner"] is None:
        return images
    found = registry.sources(None, asked, parts=["provisioner"])
    _fetch(engine, found, progress)
    return replace(images, provisioner=found["provisioner"].name)


def _fetch(engine: Engine, found: dict[str, registry.Source], progress: Progress) -> None:
    absent = registry.check(engine, found)
    if absent:
        with progress.phase(f"pull {len(absent)} images"):
            registry.pull(engine, absent)


@contextlib.contextmanager
def _existing_environment(
    settings: Settings, progress: Progress, run_id: str | None
) -> Iterator[Environment]:
    context = str(settings.context)
    kubeconfig = existing.kubeconfig_path(settings.kubeconfig)
    kube = existing.connect(
        kubeconfig,
        context,
        run_id or new_run_id(),
        default_classes=settings.i_own_this_cluster is not None,
    )
    sweep_existing(progress, context)
    plan = existing.make_plan(settings, kube, kubeconfig, context)
    progress.say(str(plan))
    record = new_record(existing=(kubeconfig, context), run_id=kube.run_id)
    try:
        with progress.phase("export inspector"):
            export = existing.start_inspector(kube, plan.overlay)
            env = Environment(
                run_id=kube.run_id,
                cluster=plan.cluster,
                export=export,
                images=plan.overlay.images,
                nfs_client=inspector_pod.nfs_client(kube, plan.overlay.namespace),
                engine=None,
                subtree=plan.overlay.subtree,
                suffix=plan.overlay.suffix,
                namespace=plan.overlay.namespace,
            )
            # from here on the run's folder may be on the export: `cleanup` reads this
            (record.folder / "environment.json").write_text(env.model_dump_json())
            notes = existing.make_folder(env.inspector, plan.overlay)
        yield env.model_copy(update={"notes": (*filter(None, [plan.note]), *notes)})
    finally:
        with progress.phase("remove the run's objects"):
            _remove_existing(record, kube)


def _kept(
    images: Images, client: str, progress: Progress, engine: Engine
) -> tuple[RunRecord, Environment] | None:
    """Give what an earlier run kept of the same images; one that does not answer is removed."""
    for record in reversed([r for r in records() if r.kept]):
        env = Environment.model_validate_json((record.folder / "environment.json").read_text())
        if (env.images, env.nfs_client) != (images, client):
            continue
        try:
            env.cluster.kube.server_version()
        except BadInput:
            with progress.phase(f"remove the kept cluster {record.name}: it does not answer"):
                remove_run(record, engine)
            continue
        progress.say(f"using the kept cluster {record.name}")
        return record, env
    return None


def _mysql_port(asked: int) -> int:
    """Give a free port on 127.0.0.1, the one asked for if it is not 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", asked))
        except OSError as error:
            raise BadInput(
                f"--mysql-port {asked}: 127.0.0.1:{asked} cannot be used ({error.strerror}); "
                "leave it out to get a free port"
            ) from error
        port: int = probe.getsockname()[1]
        return port


def _check_disk(engine: Engine) -> None:
    root = Path(engine.docker("info", "--format", "{{.DockerRootDir}}").stdout.strip())
    if root.exists() and (free := shutil.disk_usage(root).free) < _NEEDED_GIB * _GIB:
        raise BadInput(f"a run needs {_NEEDED_GIB} GiB free in {root}, there are {free / _GIB:.1f}")


def remove_run(record: RunRecord, engine: Engine) -> None:
    """Remove everything that a run made in the engine, and then its record.

    Raises:
        ProcessError: something cannot be removed; the record stays for the next try.
    """
    quiet = 0

    def remove_containers() -> int:
        nonlocal quiet
        nodes = engine.names("container", f"label=io.x-k8s.kind.cluster={record.name}")
        servers = engine.names("container", f"label={record.docker_label}")
        if found := nodes + servers:
            engine.docker("rm", "--force", "--volumes", *found, timeout=180)
        quiet = 0 if found else quiet + 1
        return quiet

    wait_until(
        f"the containers of run {record.run_id} to be gone",
        remove_containers,
        until=lambda quiet: quiet >= (1 if record.complete else _QUIET_POLLS),
        timeout=_REMOVE_SECONDS,
        interval=0.5,
    )
    for volume in engine.names("volume", f"label={record.docker_label}"):
        engine.docker("volume", "rm", "--force", volume)
    for network in engine.names("network", f"label={record.docker_label}"):
        engine.docker("network", "rm", network)
    record.forget()


def _remove_existing(record: RunRecord, kube: FencedKube) -> None:
    """Remove everything that a run made on an existing cluster, and then its record."""
    restore_default_classes(kube, default_classes_file(record.run_id), record.run_id)
    kept = record.folder / "environment.json"
    env = Environment.model_validate_json(kept.read_text()) if kept.exists() else None
    folder = (env.export, env.subtree) if env else None
    remove(kube, record.name, folder, env.images.busybox if env else "")
    record.forget()


def sweep_existing(progress: Progress, context: str | None = None) -> list[str]:
    """Remove what dead runs left on existing clusters, or on that of one context; give their ids.

    Raises:
        LandfastError: a cluster is out of reach, or something does not go; the record stays.
    """
    gone = []
    for record in records():
        if record.existing is None or record.alive or context not in (None, record.existing[1]):
            continue
        kubeconfig, its_context = record.existing
        try:
            with progress.phase(f"remove what run {record.run_id} left on {its_context}"):
                kube = existing.connect(
                    kubeconfig,
                    its_context,
                    record.run_id,
                    default_classes=record.owes_default_classes,
                )
                _remove_existing(record, kube)
        except LandfastError as error:
            raise LandfastError(
                f"what run {record.run_id} left on {its_context} stays there: {error}; "
                f"if that cluster is gone for good, remove {record.folder}"
            ) from error
        gone.append(record.run_id)
    return gone


def sweep(progress: Progress, engine: Engine, *, kept: bool = False) -> list[str]:
    """Remove what dead runs left in the engine, with `kept` also what was kept; give their ids.

    What stays gets back the default classes that a killed run took from it.
    """
    gone = []
    for record in records():
        if record.existing is not None or (record.alive and not record.kept):
            continue
        if record.kept and not kept:
            if record.owes_default_classes and not record.in_use:
                _restore_kept(record, progress)
            continue
        if record.kept and record.in_use:
            progress.say(f"the kept cluster {record.name} is in use by a run: it stays")
            continue
        with progress.phase(f"remove what run {record.run_id} left"):
            remove_run(record, engine)
        gone.append(record.run_id)
    return gone


def _restore_kept(record: RunRecord, progress: Progress) -> None:
    kept = (record.folder / "environment.json").read_text()
    kube = Environment.model_validate_json(kept).cluster.kube
    try:
        kube.server_version()
    except BadInput as error:  # a cluster of our own: if it is gone, so are its classes
        progress.say(f"default classes of the kept cluster {record.name} stay away: {error}")
        return
    with progress.phase(f"give {record.name} its default classes back"):
        restore_default_classes(kube, default_classes_file(record.run_id), record.run_id)
