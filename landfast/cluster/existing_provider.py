"""The `existing` provider: a run in namespaces of its own on a cluster that it does not own."""

import contextlib
from collections.abc import Iterator

from landfast.cluster import existing, existing_plan, preflight
from landfast.cluster.existing_removal import CLUSTER_KINDS, remove
from landfast.cluster.fence import FencedKube
from landfast.cluster.provider import Environment, save_environment, saved_environment
from landfast.errors import LandfastError
from landfast.kube.default_classes import restore_default_classes
from landfast.kube.kubeconfig import kubeconfig_path
from landfast.kube.placement import Placement
from landfast.manifests import namespace
from landfast.nfs import inspector_pod
from landfast.progress import Progress
from landfast.run import RUN_LABEL, RunRecord, new_record, records
from landfast.settings import Settings


class ExistingProvider:
    """Uses the cluster of `--context`, and removes everything of the run from it."""

    @contextlib.contextmanager
    def bring_up(
        self, settings: Settings, progress: Progress, run_id: str
    ) -> Iterator[Environment]:
        """See `Provider.bring_up`."""
        context = str(settings.context)
        kubeconfig = kubeconfig_path(settings.kubeconfig, context)
        owned = existing.check_owner(kubeconfig, context, settings.i_own_this_cluster)
        kube = existing.connect(
            kubeconfig,
            context,
            run_id,
            seen=settings.nfs_server is not None,
            breaks_nodes=settings.breaks_nodes,
            writers=settings.writers is not None,
            guest_in=settings.namespace,
            default_classes=owned,
            placement=existing_plan.placement_of(settings),
        )
        _sweep(progress, context)
        plan = existing_plan.make_plan(settings, kube, kubeconfig, context)
        progress.say(str(plan))
        record = new_record(run_id, existing=(kubeconfig, context))
        try:
            yield _start(plan, kube, record, progress)
        finally:
            with _removing(record, context, progress):
                remove_run(record, kube)

    def sweep(self, progress: Progress, *, kept: bool = False) -> list[str]:  # noqa: ARG002
        """See `Provider.sweep`; an existing cluster is never kept."""
        return _sweep(progress)


def _start(
    plan: existing_plan.Plan, kube: FencedKube, record: RunRecord, progress: Progress
) -> Environment:
    overlay, export, client = plan.overlay, plan.overlay.export, "unknown"
    env = Environment(
        run_id=kube.run_id,
        cluster=plan.cluster,
        export=export,
        images=overlay.images,
        nfs_client=client,
        engine=None,
        subtree=overlay.subtree,
        suffix=overlay.suffix,
        namespace=overlay.namespace,
    )
    if not export.seen:
        save_environment(record, env)  # a removal must know where the run was a guest
    with progress.phase("images on the nodes"):
        kube.create(namespace(overlay.namespace, {RUN_LABEL: kube.run_id}))
        preflight.pull(kube, overlay.namespace, plan.cluster.nodes, _used(plan))
    if not export.seen:
        return env
    with progress.phase("export inspector"):
        export = inspector_pod.start(
            kube, export, overlay.namespace, overlay.images.busybox, kube.run_id
        )
        client = inspector_pod.nfs_client(kube, overlay.namespace)
    env = env.model_copy(update={"export": export, "nfs_client": client})
    save_environment(record, env)  # from now on the run's folder may be on the export
    notes = existing.make_folder(env.inspector, overlay)
    return env.model_copy(update={"notes": (*filter(None, [plan.note]), *notes)})


def _used(plan: existing_plan.Plan) -> list[str]:
    """Return the images that pods of the run itself have."""
    images = plan.overlay.images
    own = [images.busybox, images.mysql, *filter(None, [images.landfast])]
    return [*own, images.provisioner] if plan.overlay.export.seen else own


def remove_run(record: RunRecord, kube: FencedKube) -> None:
    """Remove everything that a run made on an existing cluster, and then its record.

    Raises:
        LandfastError: something does not go; the record stays for the next try.
    """
    restore_default_classes(kube, record.run_id)
    env = saved_environment(record)
    folder = (env.export, env.subtree) if env and env.export.seen else None
    kinds = CLUSTER_KINDS if env is None or env.export.seen else ()
    jobs = bool(env and env.images.landfast)
    remove(kube, record.name, folder, env.images.busybox if env else "", kinds, jobs=jobs)
    record.forget()


def _sweep(progress: Progress, only: str | None = None) -> list[str]:
    """Remove what dead runs left on existing clusters, or on that of one context."""
    gone = []
    for record in records():
        if record.existing is None or record.alive or only not in (None, record.existing[1]):
            continue
        kubeconfig, context = record.existing
        env = saved_environment(record)
        with _removing(record, context, progress):
            kube = existing.connect(
                kubeconfig,
                context,
                record.run_id,
                seen=env is None or env.export.seen,
                guest_in=env.cluster.guest_in if env else None,
                default_classes=record.owes_default_classes,
                placement=env.cluster.placement if env else Placement(),
            )
            remove_run(record, kube)
        gone.append(record.run_id)
    return gone


@contextlib.contextmanager
def _removing(record: RunRecord, context: str, progress: Progress) -> Iterator[None]:
    what = f"what run {record.run_id} left on {context}"
    try:
        with progress.phase(f"remove {what}"):
            yield
    except LandfastError as error:
        raise LandfastError(
            f"cannot remove {what}: {error}; if that cluster is gone for good, "
            f"remove {record.folder}"
        ) from error
