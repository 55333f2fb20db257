"""The cluster's default StorageClasses: which they are, and how a run does without them.

Claims that name no class get the newest default class, from the API server when they are created
or from the controller later, so what becomes of them depends on classes that are somebody's. A run
takes their mark away for a while and gives it back as it was, even if it is killed in between: what
they had is on disk before the first change.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from landfast.errors import LandfastError
from landfast.kube.client import Kube, KubeError, Object
from landfast.run import RUN_LABEL

MARK = "storageclass.kubernetes.io/is-default-class"
MARKS = (MARK, "storageclass.beta.kubernetes.io/is-default-class")
"""Either makes a class a default one if it is "true" (pkg/volume/util/storageclass.go)."""

Annotations = dict[str, str]


def default_classes(kube: Kube) -> list[Object]:
    """Give the cluster's default classes; the first is the one that claims get.

    The newest counts, of those of one second the first by name (GetDefaultClass, ibid.).
    """
    found = [obj for obj in kube.list("StorageClass") if "true" in _marks(obj).values()]
    found.sort(key=lambda obj: str(obj["metadata"]["name"]))
    found.sort(key=lambda obj: str(obj["metadata"]["creationTimestamp"]), reverse=True)
    return found


def _marks(obj: Object) -> Annotations:
    annotations = obj["metadata"].get("annotations") or {}
    return {name: annotations[name] for name in MARKS if name in annotations}


@contextlib.contextmanager
def no_default_classes(kube: Kube, file: Path, run_id: str) -> Iterator[None]:
    """Take the mark from every default class for as long as the body runs.

    Args:
        kube: the cluster; behind the fence it must permit this (`FencedKube.default_classes`).
        file: keeps what the classes had until they have it again (`run.default_classes_file`).
        run_id: classes of this run that are defaults by now were left by a test that was killed:
            they are deleted.

    Raises:
        LandfastError: a class cannot be changed, or cannot be given back what it had: then the
            file stays, and `landfast cleanup` tries again.
    """
    restore_default_classes(kube, file, run_id)
    had = {obj["metadata"]["name"]: _marks(obj) for obj in default_classes(kube)}
    _write(file, had)
    try:
        for name, marks in had.items():
            kube.patch("StorageClass", name, _change(dict.fromkeys(marks)))
        yield
    finally:
        restore_default_classes(kube, file, run_id)


def restore_default_classes(kube: Kube, file: Path, run_id: str) -> list[str]:
    """Give default classes back what a run took from them, if it did; give their names.

    Default classes that the run itself made are deleted first. A class that is gone stays gone.

    Raises:
        LandfastError: one cannot be changed, or the record cannot be read.
    """
    if not file.exists():
        return []
    for obj in default_classes(kube):
        if (obj["metadata"].get("labels") or {}).get(RUN_LABEL) == run_id:
            kube.delete("StorageClass", obj["metadata"]["name"])
    had = _read(file)
    for name, marks in had.items():
        try:
            kube.patch("StorageClass", name, _change(marks))
        except KubeError as error:
            if error.code != 404:
                raise
    file.unlink()
    return sorted(had)


def _change(marks: Mapping[str, str | None]) -> Object:
    return {"metadata": {"annotations": dict(marks)}}


def _read(file: Path) -> dict[str, Annotations]:
    try:
        had: dict[str, Annotations] = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        said = f"{file} says which classes were the cluster's defaults, and cannot be read"
        raise LandfastError(f"{said}: {error}") from error
    return had


def _write(file: Path, had: Mapping[str, Annotations]) -> None:
    """Write the record: it is on the disk, whole, when this returns."""
    part = file.with_suffix(".part")
    with part.open("w") as opened:
        json.dump(had, opened, indent=1)
        opened.flush()
        os.fsync(opened.fileno())
    part.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
