"""The cluster's default StorageClasses: which they are, and how a run disables them for a while.

PVCs that name no class get the newest default class, from the API server when they are created or
from the controller later, so a test of such PVCs depends on classes that others own. A run removes
their marks for a while and restores them exactly, even if it is killed in between: it writes the
marks to the disk before the first change.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from landfast.errors import LandfastError
from landfast.files import write_atomically
from landfast.kube.client import Kube, KubeError, Object
from landfast.run import RUN_LABEL, default_classes_file

MARK = "storageclass.kubernetes.io/is-default-class"
MARKS = (MARK, "storageclass.beta.kubernetes.io/is-default-class")
"""Either makes a class a default one if it is "true" (pkg/volume/util/storageclass.go)."""

Annotations = dict[str, str]
_C = TypeVar("_C")


def is_default(annotations: Mapping[str, str]) -> bool:
    """Whether a class with these annotations is a default class."""
    return any(annotations.get(mark) == "true" for mark in MARKS)


def newest_first(classes: Iterable[_C], key: Callable[[_C], tuple[str, str]]) -> list[_C]:
    """Sort default classes so that the one that PVCs get is first (GetDefaultClass, ibid.).

    `key` returns when a class was created and its name. The newest counts; of those of one second
    the first by name.
    """
    by_name = sorted(classes, key=lambda found: key(found)[1])
    return sorted(by_name, key=lambda found: key(found)[0], reverse=True)


def default_classes(kube: Kube) -> list[Object]:
    """Return the cluster's default classes; the first is the one that PVCs get."""
    found = [obj for obj in kube.list("StorageClass") if is_default(_marks(obj))]
    meta = "metadata"
    return newest_first(found, lambda c: (str(c[meta]["creationTimestamp"]), str(c[meta]["name"])))


def _marks(obj: Object) -> Annotations:
    annotations = obj["metadata"].get("annotations") or {}
    return {name: annotations[name] for name in MARKS if name in annotations}


@contextlib.contextmanager
def no_default_classes(kube: Kube, run_id: str) -> Iterator[None]:
    """Remove the mark from every default class while the body runs.

    Args:
        kube: the cluster; a fence must allow it (`default_classes` of `FencedKube`).
        run_id: the run. Default classes with its label were left by a killed test: delete them.

    Raises:
        LandfastError: a class cannot be changed or restored; the file with the marks stays, and
            `landfast cleanup` tries again.
    """
    restore_default_classes(kube, run_id)
    had = {obj["metadata"]["name"]: _marks(obj) for obj in default_classes(kube)}
    write_atomically(default_classes_file(run_id), json.dumps(had, indent=1))
    try:
        for name, marks in had.items():
            kube.patch("StorageClass", name, _change(dict.fromkeys(marks)))
        yield
    finally:
        restore_default_classes(kube, run_id)


def restore_default_classes(kube: Kube, run_id: str) -> None:
    """Restore the marks that a run removed from default classes.

    Default classes that the run itself made are deleted first. A class that is gone stays gone.

    Raises:
        LandfastError: one cannot be changed, or the file cannot be read.
    """
    file = default_classes_file(run_id)
    if not file.exists():
        return
    for obj in default_classes(kube):
        if (obj["metadata"].get("labels") or {}).get(RUN_LABEL) == run_id:
            kube.delete("StorageClass", obj["metadata"]["name"])
    try:
        had: dict[str, Annotations] = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise LandfastError(
            f"{file}, which lists the cluster's default StorageClasses, cannot be read: {error}"
        ) from error
    for name, marks in had.items():
        try:
            kube.patch("StorageClass", name, _change(marks))
        except KubeError as error:
            if error.code != 404:
                raise
    file.unlink()


def _change(marks: Mapping[str, str | None]) -> Object:
    return {"metadata": {"annotations": dict(marks)}}
