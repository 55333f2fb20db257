"""What is recorded of a request is what a role must grant for it."""

from pathlib import Path

import pytest

from landfast.kube import calls
from landfast.kube.request import Request


@pytest.mark.parametrize(
    ("verb", "kind", "api", "expected"),
    [
        ("get", "Pod", "v1", ("", "pods", "get")),
        ("list", "StorageClass", "storage.k8s.io/v1", ("storage.k8s.io", "storageclasses", "list")),
        ("patch", "StatefulSet", "apps/v1", ("apps", "statefulsets", "patch")),
        ("logs", "Pod", "v1", ("", "pods/log", "get")),
        ("execute", "Pod", "v1", ("", "pods/exec", "get")),
        ("forward", "Pod", "v1", ("", "pods/portforward", "get")),
        ("evict", "Pod", "v1", ("", "pods/eviction", "create")),
    ],
)
def test_a_request_is_a_group_a_resource_and_a_verb(
    verb: str, kind: str, api: str, expected: calls.Call
) -> None:
    assert calls.call_of(Request(verb, kind), api) == expected


def test_calls_are_recorded_only_if_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "calls"
    calls.record(Request("get", "Pod"), "v1")
    monkeypatch.setenv(calls.FILE, str(file))
    for _ in range(2):
        calls.record(Request("get", "Pod"), "v1")
    calls.record(Request("list", "Deployment"), "apps/v1")
    assert calls.recorded(file) == {("", "pods", "get"), ("apps", "deployments", "list")}
