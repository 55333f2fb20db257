"""Turns raw objects into what the audit reads of them."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from landfast.audit import operators
from landfast.audit.objects import (
    CsiDriver,
    Model,
    Node,
    PvcObject,
    PvObject,
    Resource,
    StorageClass,
)
from landfast.audit.place import Path, Place
from landfast.audit.pods import PodTemplate
from landfast.audit.workloads import SHAPES, ControllerSpec, Shape, Workload
from landfast.errors import BadInput
from landfast.kube.client import Object

_OBJECTS: Mapping[tuple[str, str], type[Resource]] = {
    ("", "PersistentVolume"): PvObject,
    ("", "PersistentVolumeClaim"): PvcObject,
    ("storage.k8s.io", "StorageClass"): StorageClass,
    ("storage.k8s.io", "CSIDriver"): CsiDriver,
    ("", "Node"): Node,
}
_M = TypeVar("_M", bound=Model)


class _Wrong(Exception):
    """A field has a type that the API does not allow."""

    def __init__(self, at: Path, said: str) -> None:
        super().__init__(said)
        self.at = at


def is_read(api_version: str, kind: str) -> bool:
    """Whether the audit reads a kind, in whatever version of its group."""
    key = (_group(api_version), kind)
    return key in _OBJECTS or key in SHAPES or key in operators.table()


def is_of_another_group(api_version: str, kind: str) -> bool:
    """Whether an object is called like a volume, PVC or class and is of another group."""
    return kind in {name for _, name in _OBJECTS} and not is_read(api_version, kind)


def parse(obj: Object, place: Place) -> tuple[Resource, ...]:
    """Return what the audit reads of an object: nothing of a kind that it ignores.

    An object of an operator is as many workloads as it has sets of pods.

    Raises:
        BadInput: a field does not have the type that the API requires; the message says where.
    """
    key = (_group(str(obj.get("apiVersion"))), str(obj.get("kind")))
    obj = _clean(obj)
    try:
        if model := _OBJECTS.get(key):
            return (_validated(model, {**obj, "place": place}),)
        if shape := SHAPES.get(key):
            return (_workload(obj, place, shape),)
        if key in operators.table():
            return tuple(_member(obj, place, made) for made in operators.made(*key, obj))
    except _Wrong as error:
        meta = obj.get("metadata")
        name = meta.get("name") if isinstance(meta, dict) else None
        where = f"{place.file}:{place.line(error.at)}: " if place.file else ""
        what = f"{obj['kind']} {name}" if isinstance(name, str) and name else obj["kind"]
        raise BadInput(f"{where}{what}: {'.'.join(map(str, error.at))}: {error}") from error
    return ()


def _workload(obj: Object, place: Place, shape: Shape) -> Workload:
    head = _validated(Workload, {**_head(obj), "place": place})
    concurrency = _at(obj, ("spec",))
    return head.model_copy(
        update={
            "spec": _part(ControllerSpec, obj, shape.spec),
            "template": _part(PodTemplate, obj, shape.template),
            "template_at": shape.template,
            "concurrent": isinstance(concurrency, dict)
            and concurrency.get("concurrencyPolicy", "Allow") == "Allow",
        }
    )


def _member(obj: Object, place: Place, made: operators.Made) -> Workload:
    """Return a set of an operator's pods, as if a StatefulSet made them."""
    head = _validated(Workload, {**_head(obj), "place": place})
    members = made.members
    volume: list[Object] = [] if made.claim else [{"name": "data", "emptyDir": {}}]
    container = {
        "name": members.engine,
        "image": made.image,
        "volumeMounts": [{"name": "data", "mountPath": members.mount}],
    }
    template = {"spec": {"containers": [container], "volumes": volume}}
    claims = [{"metadata": {"name": "data"}, "spec": made.claim}] if made.claim else []
    retention = {"whenDeleted": "Delete"} if made.deleted else {}
    spec = {
        "replicas": made.count,
        "volumeClaimTemplates": claims,
        "persistentVolumeClaimRetentionPolicy": retention,
    }
    return head.model_copy(
        update={
            "spec": _validated(ControllerSpec, spec, made.claim_at),
            "template": _validated(PodTemplate, template, made.claim_at),
            "claims_at": made.claim_at,
            "part": made.part,
            "engine": members.engine,
            "claim_names": made.names,
            "first_ordinal": members.first,
            "without_backup": made.without_backup,
        }
    )


def _head(obj: Object) -> Object:
    return {key: obj[key] for key in ("kind", "metadata", "status") if key in obj}


def _part(model: type[_M], obj: Object, path: Path) -> _M:
    return _validated(model, _at(obj, path), path)


def _at(obj: Any, path: Path) -> Any:
    """Return what is at a path; an empty object where it ends early."""
    for step in path:
        if not isinstance(obj, dict):
            return obj
        obj = obj.get(step, {})
    return obj


def _validated(model: type[_M], given: Any, path: Path = ()) -> _M:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        said = first["msg"].removeprefix("Value error, ").partition(" or instance of")[0]
        raise _Wrong((*path, *first["loc"]), said) from error


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def _clean(value: Any) -> Any:
    """Drop null values, as the API does, and elements that are orders to kustomize."""
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_clean(i) for i in value if not (isinstance(i, dict) and "$patch" in i)]
    return value
