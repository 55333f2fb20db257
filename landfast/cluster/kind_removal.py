"""Removes what runs made in the Docker engine; restores the default classes of kept clusters."""

import contextlib
from collections.abc import Iterable, Sequence

from landfast import timeouts
from landfast.cluster.kind import CLUSTER_LABEL
from landfast.cluster.provider import saved_environment
from landfast.docker import Engine
from landfast.errors import BadInput, LandfastError
from landfast.kube import Kube
from landfast.kube.default_classes import restore_default_classes
from landfast.process import ProcessError
from landfast.progress import Progress
from landfast.run import RunRecord, records
from landfast.waiting import wait_until

_QUIET_POLLS = 6  # the engine takes a second or two to create what a killed `kind` asked for


def remove_run(record: RunRecord, engine: Engine) -> None:
    """Remove everything that a run made in the engine, and then its record.

    Nodes go before the NFS servers: a kernel that mounts one cannot end a node without it.

    Raises:
        LandfastError: something cannot be removed; the record stays for the next try.
    """

    def remove_containers() -> list[str]:
        nodes = engine.containers(f"{CLUSTER_LABEL}={record.name}")
        servers = [c for c in engine.containers(record.docker_label) if c not in nodes]
        if nodes:
            _wake(engine, servers)
        _remove(engine, nodes)
        _remove(engine, servers)
        return nodes + servers

    try:
        engine.info()
    except LandfastError as error:
        raise LandfastError(
            f"{error}. Once it does, `landfast cleanup` removes what run {record.run_id} left"
        ) from error
    wait_until(
        f"the containers of run {record.run_id} to be gone",
        remove_containers,
        until=lambda found: not found,
        successes=1 if record.complete else _QUIET_POLLS,
        timeout=timeouts.CLUSTER_REMOVE,
        interval=0.5,
    )
    for volume in engine.volumes(record.docker_label):
        engine.remove_volume(volume)
    for network in engine.networks(record.docker_label):
        engine.remove_network(network)
    record.forget()


def _wake(engine: Engine, servers: Iterable[str]) -> None:
    """Let servers answer that a killed run left frozen or ended: nodes wait for them to unmount."""
    for server in servers:
        with contextlib.suppress(LandfastError):  # then the nodes go without it, or are named
            if engine.state(server).is_paused:
                engine.unpause(server)
            engine.start(server)


def _remove(engine: Engine, containers: Sequence[str]) -> None:
    """Remove containers side by side.

    Raises:
        LandfastError: some do not go; the others are gone.
    """
    if not containers:
        return
    try:
        engine.remove_containers(*containers)
    except ProcessError as error:
        stuck = sorted(set(containers) & set(engine.containers()))
        if stuck:
            raise LandfastError(
                f"the engine cannot remove {', '.join(stuck)}; a process there may be waiting in "
                "the kernel for an NFS server that is gone. `landfast cleanup` tries again; if it "
                f"fails again, restart the Docker engine or its host. ({error})"
            ) from error


def left(*, kept: bool) -> list[RunRecord]:
    """Return the records that a sweep must handle: of dead runs and of kept clusters."""
    return [
        record
        for record in records()
        if record.existing is None
        and (kept or record.owes_default_classes if record.kept else not record.alive)
    ]


def is_here(record: RunRecord, engine: Engine) -> bool:
    """Whether it is this engine that holds what a run made."""
    return not record.engine or record.engine == engine.identity()


def sweep(progress: Progress, engine: Engine, *, kept: bool = False) -> list[str]:
    """Remove what dead runs left in the engine, with `kept` also kept clusters; return their ids.

    What they left in another engine stays, and is named: only that one can remove it.

    On a cluster that stays, restore the default classes that a killed run disabled.

    Raises:
        LandfastError: something of a run cannot be removed; what the others left is gone.
    """
    gone, failures = [], []
    for record in left(kept=kept):
        if not is_here(record, engine):
            progress.say(
                f"what run {record.run_id} left is in another Docker engine than the one that "
                "answers: start that one, or point DOCKER_HOST at it, and run `landfast cleanup`"
            )
        elif record.kept and record.in_use:
            if kept:
                progress.say(f"the kept cluster {record.name} is in use by a run: it stays")
        elif record.kept and not kept:
            _restore(record, progress)
        else:
            try:
                with progress.phase(f"remove what run {record.run_id} left"):
                    remove_run(record, engine)
                gone.append(record.run_id)
            except LandfastError as error:
                failures.append(f"run {record.run_id}: {error}")
    if failures:
        raise LandfastError("; ".join(failures))
    return gone


def _restore(record: RunRecord, progress: Progress) -> None:
    env = saved_environment(record)
    if env is None:
        return
    try:
        env.cluster.kube.server_version()
    except BadInput as error:  # the run made this cluster: if it is gone, so are its classes
        progress.say(f"cannot restore the default StorageClasses of {record.name}: {error}")
        return
    with progress.phase(f"restore the default StorageClasses of {record.name}"):
        restore_default_classes(env.cluster.kube, record.run_id)


def wait_for_namespaces(kube: Kube) -> None:
    """Wait until no namespace is being deleted: the removal of a stack does not wait for its own.

    Raises:
        WaitTimeout: one is still there.
    """
    wait_until(
        "the namespaces of removed stacks to be gone",
        lambda: [n for n in kube.list("Namespace") if n["metadata"].get("deletionTimestamp")],
        until=lambda going: not going,
        timeout=timeouts.CLUSTER_REMOVE,
        describe=lambda going: ", ".join(n["metadata"]["name"] for n in going),
    )
