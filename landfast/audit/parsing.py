"""From a raw object to what the audit reads of it."""

from typing import Any

from pydantic import ValidationError

from landfast.audit.objects import Pv, Pvc, Resource, StorageClass
from landfast.audit.place import Place
from landfast.audit.workloads import Controller, Pod
from landfast.errors import BadInput
from landfast.kube.client import Object

KINDS: dict[tuple[str, str], type[Resource]] = {
    ("v1", "PersistentVolume"): Pv,
    ("v1", "PersistentVolumeClaim"): Pvc,
    ("v1", "Pod"): Pod,
    ("storage.k8s.io/v1", "StorageClass"): StorageClass,
    ("apps/v1", "Deployment"): Controller,
    ("apps/v1", "StatefulSet"): Controller,
    ("apps/v1", "DaemonSet"): Controller,
}
"""What the audit reads, by apiVersion and kind; the rest it leaves alone."""


def parse(obj: Object, place: Place) -> Resource | None:
    """Give what the audit reads of an object, None if it is of a kind that it does not read.

    Raises:
        BadInput: a field has not the type that the API wants; the sentence says where.
    """
    model = KINDS.get((str(obj.get("apiVersion")), str(obj.get("kind"))))
    if model is None:
        return None
    try:
        return model.model_validate({**_without_null(obj), "place": place})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        meta = obj.get("metadata")
        name = meta.get("name") or "" if isinstance(meta, dict) else ""
        where = f"{place.file}:{place.line(first['loc'])}: " if place.file else ""
        said = first["msg"].removeprefix("Value error, ")
        what = f"{obj['kind']} {name}".rstrip()
        raise BadInput(f"{where}{what}: {field}: {said}") from error


def _without_null(value: Any) -> Any:
    """Leave out what is null, as the API does."""
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value
