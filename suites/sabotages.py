"""Ways to make claims untrue that several suites use."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from fixtures.sabotage import Target
from landfast.kube.client import Object
from landfast.verdict import MissingCapability

Apply = Callable[[Target], AbstractContextManager[None]]


def _merge(obj: Object, patch: Object) -> Object:
    """Give `obj` changed by a JSON merge patch."""
    merged = dict(obj)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge(merged.get(key) or {}, value)
        else:
            merged[key] = value
    return merged


def written(kinds: str, patch: Object) -> Apply:
    """Every object of a kind (or of several) is written otherwise than in the manifests."""

    def change(obj: Object) -> Object:
        return _merge(obj, patch) if obj["kind"] in kinds.split() else obj

    @contextlib.contextmanager
    def apply(target: Target) -> Iterator[None]:
        changes = target.stack.changes
        changes.append(change)
        target.later.append(change)
        try:
            yield
        finally:
            changes.remove(change)

    return apply


def on_server(*argv: str) -> Apply:
    """An administrator runs a program on the server, in the export, before the test."""

    @contextlib.contextmanager
    def apply(target: Target) -> Iterator[None]:
        execute_on_server(target, *argv)
        yield

    return apply


def execute_on_server(target: Target, *argv: str) -> None:
    """Run a program on the server, in the export.

    Raises:
        MissingCapability: the server is somebody's.
    """
    env = target.stack.env
    if env.engine is None or env.export.container is None:
        raise MissingCapability("nfs.owned", "only a server of our own can be sabotaged")
    env.engine.docker("exec", "--workdir", env.export.path, env.export.container, *argv)


def before_deletion_of(kind: str, *argv: str) -> Apply:
    """A program runs on the server just before an object of a kind is deleted."""

    @contextlib.contextmanager
    def apply(target: Target) -> Iterator[None]:
        kube = target.stack.kube
        delete = kube.delete

        def delete_after_sabotage(deleted: str, *args: Any, **options: Any) -> bool:
            if deleted == kind:
                execute_on_server(target, *argv)
            return delete(deleted, *args, **options)

        with mock.patch.object(kube, "delete", delete_after_sabotage):
            yield

    return apply
