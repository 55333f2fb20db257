"""What the API server says of an object that it refuses."""

import json
from types import SimpleNamespace
from typing import Any

from landfast.kube import KubeError


def refusal(code: int, **details: Any) -> KubeError:
    body = json.dumps({"reason": "Invalid", "message": "no", "details": details})
    return KubeError("create", SimpleNamespace(status=code, reason="", body=body))


def test_every_field_that_it_names_is_known() -> None:
    causes = [{"field": "spec.accessModes"}, {"field": "spec.capacity"}]
    assert refusal(422, causes=causes).fields == ("spec.accessModes", "spec.capacity")


def test_a_name_that_is_taken_names_none() -> None:
    assert refusal(409, name="a", kind="persistentvolumes").fields == ()
    assert KubeError("create", SimpleNamespace(status=0, reason="", body=None)).fields == ()
