"""The fakes behave as what they stand for, where tests rely on it."""

import pytest
from fakes import FakeEngine, FakeKube, result

from landfast.docker import Engine
from landfast.kube.client import KubeError
from landfast.process import ProcessError

POD = {
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "a", "labels": {"app": "x"}},
    "spec": {"nodeName": "n1"},
}


def test_engine_records_and_answers() -> None:
    engine = FakeEngine()
    assert isinstance(engine, Engine)
    engine.answer("execute", "node", "cat", with_=[result("1"), result("2")])
    assert [engine.execute("node", "cat", "x").stdout for _ in range(3)] == ["1", "2", "2"]
    assert engine.execute("node", "ls").stdout == ""
    engine.start("node")
    assert engine.state("node").is_running
    assert engine.asked("start") == [("node",)]
    engine.answer("execute", with_=result(stderr="no", code=1))
    assert engine.execute("node", "ls", check=False).returncode == 1
    with pytest.raises(ProcessError):
        engine.execute("node", "ls")


def test_api_holds_objects() -> None:
    kube = FakeKube(POD)
    assert kube.find("Pod", "none", "a") is None
    assert [len(kube.list("Pod", "a", labels=text)) for text in ("app=x", "app", "b")] == [1, 1, 0]
    assert len(kube.list("Pod", fields="spec.nodeName=n2")) == 0
    kube.patch("Pod", "p", {"spec": {"nodeName": None, "x": 1}}, "a")
    assert kube.get("Pod", "p", "a")["spec"] == {"x": 1}
    with pytest.raises(KubeError) as refused:
        kube.create(POD)
    assert refused.value.code == 409
    assert kube.delete("Pod", "p", "a")
    assert not kube.delete("Pod", "p", "a")
    assert (
        kube.changes()
        == [("patch", "Pod", "p"), ("create", "Pod", "p")] + [("delete", "Pod", "p")] * 2
    )
