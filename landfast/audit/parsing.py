"""Turns raw objects into what the audit reads of them."""

from typing import Any

from pydantic import ValidationError

from landfast.audit.objects import PvcObject, PvObject, Resource, StorageClass
from landfast.audit.place import Place
from landfast.audit.workloads import Pod, PodController
from landfast.errors import BadInput
from landfast.kube.client import Object

KINDS: dict[tuple[str, str], type[Resource]] = {
    ("v1", "PersistentVolume"): PvObject,
    ("v1", "PersistentVolumeClaim"): PvcObject,
    ("v1", "Pod"): Pod,
    ("storage.k8s.io/v1", "StorageClass"): StorageClass,
    ("apps/v1", "Deployment"): PodController,
    ("apps/v1", "StatefulSet"): PodController,
    ("apps/v1", "DaemonSet"): PodController,
}
"""What the audit reads, by apiVersion and kind; it ignores everything else."""


def parse(obj: Object, place: Place) -> Resource | None:
    """Return what the audit reads of an object; None for a kind that it ignores.

    Raises:
        BadInput: a field does not have the type that the API requires; the message says where.
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
    """Drop null values, as the API does."""
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value
