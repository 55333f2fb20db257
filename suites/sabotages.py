"""Ways to make claims untrue that several suites use."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from fixtures.sabotage import Target
from landfast.docker import Engine
from landfast.kube.client import Object
from landfast.kube.request import Request
from landfast.stack import Change
from landfast.subject import place
from landfast.verdict import MissingCapability
from suites.objects import HOSTNAME, patched

Apply = Callable[[Target], AbstractContextManager[None]]
Act = Callable[[Target, str], None]
"""What a sabotage does to the object of a name."""

_OF_ANY_NODE = {
    "required": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": HOSTNAME, "operator": "Exists"}]}]
    }
}


def written(kinds: str, patch: Object) -> Apply:
    """Merge a patch into every object of a kind, or of several, before it is created."""
    return changed(patched(kinds, patch), later=True)


def of_class(**parameters: str) -> Apply:
    """Write StorageClasses with other parameters."""
    return written("StorageClass", {"parameters": parameters})


def of_policy(policy: str) -> Apply:
    """Write PVs with another reclaim policy."""
    return written("PersistentVolume", {"spec": {"persistentVolumeReclaimPolicy": policy}})


def of_pvc(spec: Object) -> Apply:
    """Write PVCs with other fields in their spec; None removes a field."""
    return written("PersistentVolumeClaim", {"spec": spec})


def of_another_class(target: Target) -> AbstractContextManager[None]:
    """Write PVCs with the class of the test's stack in place of the test's."""
    return of_pvc({"storageClassName": target.stack.storage_class})(target)


def bind_to_nodes(target: Target, volume: str) -> None:
    """Give a volume a node affinity."""
    target.stack.kube.patch("PersistentVolume", volume, {"spec": {"nodeAffinity": _OF_ANY_NODE}})


def put_directory_back(target: Target, pvc: str) -> None:
    """Create the directory of a PVC's volume again."""
    stack = target.stack
    found = stack.kube.get("PersistentVolumeClaim", pvc, stack.namespace)
    where = place(stack.kube.get("PersistentVolume", found["spec"]["volumeName"]))
    path = where[1] if where else ""
    stack.export.make_folder(path.removeprefix(f"{stack.overlay.root}/"))


def uses(**source: object) -> Apply:
    """Write pods with another volume in place of theirs."""
    return written("Pod", {"spec": {"volumes": [{"name": "nfs-pvc", **source}]}})


def changed(change: Change, *, later: bool = False) -> Apply:
    """Change what the test's first stack creates, with `later` also what further stacks do."""

    @contextlib.contextmanager
    def apply(target: Target) -> Iterator[None]:
        changes = target.stack.changes
        changes.append(change)
        target.later.extend([change] if later else [])
        try:
            yield
        finally:
            changes.remove(change)

    return apply


def first(act: Callable[[Target], object]) -> Apply:
    """Do something before the test."""

    @contextlib.contextmanager
    def apply(target: Target) -> Iterator[None]:
        act(target)
        yield

    return apply


def on_server(*argv: str) -> Apply:
    """Run a program on the server, in the export, before the test."""
    return first(lambda target: execute_on_server(target, *argv))


def execute_on_server(target: Target, *argv: str) -> None:
    """Run a program on the server, in the export.

    Raises:
        MissingCapability: Landfast does not own the server.
    """
    engine, container = own_server(target)
    engine.execute(container, *argv, workdir=target.stack.env.export.path)


def own_server(target: Target) -> tuple[Engine, str]:
    """Return the engine and the container of the NFS server.

    Raises:
        MissingCapability: Landfast does not own the server.
    """
    env = target.stack.env
    if env.engine is None or env.export.container is None:
        raise MissingCapability("nfs.owned", "Landfast sabotages only a server that it owns")
    return env.engine, env.export.container


def before(verb: str, kind: str, act: Act) -> Apply:
    """Do something to each object of a kind just before it is asked for by a verb."""

    def guard(target: Target, request: Request) -> None:
        act(target, request.name)

    return _guarded(verb, kind, guard)


def before_deletion_of(kind: str, *argv: str) -> Apply:
    """Run a program on the server just before an object of a kind is deleted."""
    return before("delete", kind, lambda target, _name: execute_on_server(target, *argv))


def without_effect(verb: str, kind: str) -> Apply:
    """Let the API server only check requests of a kind, and change nothing."""
    return _guarded(verb, kind, lambda _target, request: replace(request, dry_run=True))


def cascading(kind: str) -> Apply:
    """Delete with each object of a kind what it owns, whatever was asked for."""

    def guard(_target: Target, request: Request) -> Request:
        return replace(request, body={**(request.body or {}), "propagationPolicy": "Background"})

    return _guarded("delete", kind, guard)


def _guarded(verb: str, kind: str, act: Callable[[Target, Request], Request | None]) -> Apply:
    @contextlib.contextmanager
    def apply(target: Target) -> Iterator[None]:
        def guard(request: Request) -> Request | None:
            return act(target, request) if (request.verb, request.kind) == (verb, kind) else None

        with target.stack.kube.guarded_by(guard):
            yield

    return apply
