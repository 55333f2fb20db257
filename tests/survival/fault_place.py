"""A place for faults: a site whose engine, API, export and MySQL are fakes."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import RUNNING, FakeEngine, FakeKube, result

from landfast.faults.base import Fault, NotProven, Site
from landfast.mysql.client import MysqlError
from landfast.nfs.disk_server import DiskServer

Object = dict[str, Any]
NODE, OTHER, CONTROL = "l-worker", "l-worker2", "l-control-plane"
EXITED = replace(RUNNING, status="exited", exit_code=137, finished_at="2026-01-01T00:00:09Z")
CONTAINER = "c" * 64


def pod(**status: Any) -> Object:
    return {
        "kind": "Pod",
        "metadata": {"name": "mysql-0", "namespace": "default", "uid": "u1", "labels": {}},
        "spec": {"nodeName": NODE},
        "status": {"phase": "Running", "containerStatuses": [status]} if status else {},
    }


def node(name: str = NODE) -> Object:
    ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": "2100-01-01T00:00:00Z"}
    return {
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {},
        "status": {"conditions": [ready]},
    }


def stat(pid: int, name: str, state: str = "S", flags: int = 0x400000) -> str:
    """Return a process's /proc/PID/stat, as far as it is read."""
    return f"{pid} ({name}) {state} 1 {pid} {pid} 0 -1 {flags} 0\n"


def unproven(fault: Fault) -> str:
    """Return why a fault's effect is not proven."""
    with pytest.raises(NotProven) as caught:
        fault.prove_effect()
    return str(caught.value)


class FakeInspector:
    """Texts of files by path."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.read_as: str | None = None

    def read(self, path: str) -> str:
        return self.files.get(path, "") if self.read_as is None else self.read_as

    def write(self, path: str, text: str) -> None:
        self.files[path] = text

    def exists(self, path: str) -> bool:
        return path in self.files

    def make_folder(self, path: str) -> None:
        self.files[path] = ""

    def move(self, source: str, target: str) -> None:
        self.files[target] = self.files.pop(source, "")

    def remove(self, path: str) -> None:
        self.files.pop(path, None)


class FakeMysql:
    """Answers as `uuid`, or not at all."""

    def __init__(self) -> None:
        self.uuid: str | None = "old"

    def query(self, _sql: str, *, seconds: float) -> list[tuple[int]]:
        self.identity()
        return [(1,)]

    def identity(self) -> Any:
        if self.uuid is None:
            raise MysqlError(ConnectionRefusedError("refused"))
        return SimpleNamespace(server_uuid=self.uuid)


class Place:
    """A site whose engine and API are fakes."""

    def __init__(self, *objects: Object) -> None:
        self.engine = FakeEngine()
        lease = {
            "kind": "Lease",
            "metadata": {"name": NODE, "namespace": "kube-node-lease"},
            "spec": {"renewTime": "2100-01-01T00:00:00Z"},
        }
        self.kube = FakeKube(pod(containerID=f"containerd://{CONTAINER}"), node(), lease, *objects)
        self.mysql = FakeMysql()
        self.manifest: list[Object] = []
        self.inspector = inspector = FakeInspector()
        stack = SimpleNamespace(
            namespace="default",
            system_namespace="kube-system",
            mysql=self.mysql,
            delete=lambda kind, name, **options: self.kube.delete(kind, name, "default", **options),
            wait_gone=lambda *_, **__: None,
            wait_for_pod=lambda *_, **__: None,
            wait_for_provisioner=lambda **__: None,
            wait_for_next_pod=lambda *_, **__: None,
            provisioner_pods=lambda: self.kube.list(
                "Pod", "kube-system", labels="app=nfs-client-provisioner"
            ),
            make=self.make,
            export=inspector,
            wait_for_mysql=self.mysql.identity,
            objects=lambda _manifest: self.manifest,
        )
        cluster = SimpleNamespace(kube=self.kube, nodes=(CONTROL, NODE, OTHER))
        images = SimpleNamespace(busybox="busybox:1")
        self.server = DiskServer(self.engine, "server", "10.0.0.2")
        self.engine.answer("address", with_=self.server.address)
        self.engine.answer("execute", "server", "cat", with_=result("0: 00:0801 0:0 0A listening"))
        self.server.__dict__["inspector"] = self.inspector
        env = SimpleNamespace(cluster=cluster, images=images)
        self.site = Site(cast(Any, env), cast(Any, stack), self.server)

    def make(self, obj: Object) -> Object:
        meta = {"namespace": "default", **obj["metadata"]}
        return self.kube.create({"status": {}, **obj, "metadata": meta})
