"""A cluster is read with GET and nothing else, and what cannot be read is said in one sentence."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from objects_to_audit import controller, pod, pv, pvc, storage_class

from landfast.audit import cluster
from landfast.audit.objects import PvcObject, PvObject, StorageClass
from landfast.cluster.rights import AUDIT, each, manifest
from landfast.errors import BadInput, Unreachable
from landfast.kube import KubeError, Object

PROJECT = Path(__file__).parents[2]
NAMES = {
    "/api/v1": {
        "Node": "nodes",
        "PersistentVolume": "persistentvolumes",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Pod": "pods",
        "ReplicationController": "replicationcontrollers",
    },
    "/apis/apps/v1": {
        "DaemonSet": "daemonsets",
        "Deployment": "deployments",
        "ReplicaSet": "replicasets",
        "StatefulSet": "statefulsets",
    },
    "/apis/batch/v1": {"CronJob": "cronjobs", "Job": "jobs"},
    "/apis/storage.k8s.io/v1": {"CSIDriver": "csidrivers", "StorageClass": "storageclasses"},
}


class Api:
    """An API server with a few objects; it remembers what it was asked."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Object]] = {
            "persistentvolumes": [pv("a")],
            "persistentvolumeclaims": [pvc("b")],
            "storageclasses": [storage_class("c")],
        }
        self.forbidden = "nothing"
        self.asked: list[str] = []

    def answer(self, path: str) -> tuple[int, Any]:
        path = path.partition("?")[0].rstrip("/")
        group, _, last = path.rpartition("/")
        if path == "/version":
            return 200, {"major": "1", "minor": "37", "gitVersion": "v1.37.2"} | dict.fromkeys(
                ["gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"], "x"
            )
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            return 200, {"kind": "APIGroupList", "groups": list(map(_group, GROUPS))}
        if path in NAMES:
            resources = [
                {"name": name, "kind": kind, "namespaced": False, "verbs": ["get", "list"]}
                for kind, name in NAMES[path].items()
            ]
            return 200, {"kind": "APIResourceList", "resources": resources}
        if last == self.forbidden:
            said = f'{last} is forbidden: User "viewer" cannot list resource "{last}"'
            return 403, {"kind": "Status", "reason": "Forbidden", "message": said, "code": 403}
        if group in NAMES:
            return 200, {"kind": "List", "metadata": {}, "items": self.objects.get(last, [])}
        return 404, {"kind": "Status", "code": 404}


GROUPS = ("apps", "batch", "storage.k8s.io")


def _group(name: str) -> Object:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def kubeconfig(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            api.asked.append(f"{self.command} {self.path.partition('?')[0]}")
            code, body = api.answer(self.path) if self.command == "GET" else (405, {})
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("TMPDIR", str(tmp_path))  # the client keeps what it discovered there
    monkeypatch.setattr("tempfile.tempdir", None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    path = tmp_path / "kubeconfig"
    path.write_text(config(f"http://127.0.0.1:{server.server_port}"))
    yield path
    server.shutdown()
    server.server_close()
    thread.join()


def config(server: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        }
    )


def test_a_cluster_is_asked_with_get_only(api: Api, kubeconfig: Path) -> None:
    found = cluster.read(cluster.connect(kubeconfig, "prod"), "prod")
    assert [(type(r), r.name) for r in found] == [
        (PvObject, "a"),
        (PvcObject, "b"),
        (StorageClass, "c"),
    ]
    assert {line.partition(" ")[0] for line in api.asked} == {"GET"}
    lists = [f"GET {group}/{n}" for group, names in NAMES.items() for n in names.values()]
    assert set(lists) <= set(api.asked)


def test_the_role_of_an_audit_grants_what_is_read_and_no_more() -> None:
    granted = {(group, resource) for group, resource, _ in each(AUDIT)}
    served = {
        (path.rpartition("/")[0].removeprefix("/apis").strip("/").removeprefix("api"), name)
        for path, names in NAMES.items()
        for name in names.values()
    }
    assert granted == served
    assert {verb for _, _, verb in each(AUDIT)} == {"list"}
    kinds = {kind for names in NAMES.values() for kind in names}
    assert {kind for _, kind in cluster.READ} == kinds
    role = manifest("landfast-audit").partition("\n")[2]
    assert role in (PROJECT / "docs/audit.md").read_text()


def test_what_a_controller_makes_counts_once() -> None:
    def owned(obj: Object, owner: str) -> Object:
        refs = [{"uid": owner, "kind": "x", "name": "x", "controller": True}]
        return {**obj, "metadata": {**obj["metadata"], "uid": obj["kind"], "ownerReferences": refs}}

    class Lists:
        def list(self, kind: str) -> list[Object]:
            found = {
                "Deployment": [owned(controller("Deployment", "a"), "nobody's")],
                "ReplicaSet": [owned(controller("ReplicaSet", "a"), "Deployment")],
                "Pod": [owned(pod("p", "a"), "ReplicaSet"), owned(pod("q", "a"), "an operator's")],
            }
            return found.get(kind, [])

    found = [(r.kind, r.name) for r in cluster.read(Lists(), "prod")]
    assert found == [("Deployment", "db"), ("Pod", "q")]


def test_nothing_but_list_is_asked_of_kube() -> None:
    class RefusesAllElse:
        def list(self, kind: str) -> list[Object]:
            return [pv("a")] if kind == "PersistentVolume" else []

        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"{name} was asked of production")

    assert [r.name for r in cluster.read(RefusesAllElse(), "prod")] == ["a"]


def test_a_right_that_is_missing_is_named(api: Api, kubeconfig: Path) -> None:
    api.forbidden = "pods"
    kube = cluster.connect(kubeconfig, "prod")
    with pytest.raises(BadInput) as caught:
        cluster.read(kube, "prod")
    said = str(caught.value)
    assert 'cannot list Pod objects: pods is forbidden: User "viewer" cannot list' in said
    assert "docs/audit.md" in said


def test_discovery_that_is_refused_is_said(api: Api, kubeconfig: Path) -> None:
    kube = cluster.connect(kubeconfig, "prod")
    api.answer = lambda _: (403, {})  # type: ignore[method-assign, assignment]
    with pytest.raises(BadInput, match="cannot list PersistentVolume objects: Forbidden"):
        cluster.read(kube, "prod")


def test_a_server_that_goes_away_is_said() -> None:
    class Gone:
        def list(self, kind: str) -> list[Object]:
            raise Unreachable("it hung up")

    with pytest.raises(BadInput, match="stopped answering: it hung up"):
        cluster.read(Gone(), "prod")


def test_a_context_that_is_not_there_is_named(kubeconfig: Path) -> None:
    with pytest.raises(BadInput, match=r"--context x is not in .*, which has: prod"):
        cluster.connect(kubeconfig, "x")


@pytest.mark.parametrize("text", ["", "a", "a: [", "[]", "contexts: 3", "contexts: [{}]"])
def test_a_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "k").write_text(text)
    with pytest.raises(BadInput, match="is not a readable kubeconfig"):
        cluster.connect(tmp_path / "k", "x")


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    (tmp_path / "k").write_text(config("http://127.0.0.1:9"))
    with pytest.raises(BadInput, match=r"the API server http://127.0.0.1:9 cannot be reached"):
        cluster.connect(tmp_path / "k", "prod")


def test_what_kube_refuses_is_said() -> None:
    class Refused:
        def list(self, kind: str) -> list[Object]:
            raise KubeError("get", type("E", (), {"body": "", "status": 401, "reason": "No"})())

    with pytest.raises(BadInput, match="cannot list PersistentVolume objects: No"):
        cluster.read(Refused(), "prod")


def test_the_role_of_the_page_allows_what_is_read_and_nothing_else() -> None:
    page = (Path(__file__).parents[2] / "docs/audit.md").read_text()
    role = yaml.safe_load(page.partition(".k8s.io/v1\nkind: ClusterRole\n")[2].partition("```")[0])
    allowed = {
        (group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list"}
    assert allowed == {
        (version.rpartition("/")[0], NAMES[f"/api{'s' if '/' in version else ''}/{version}"][kind])
        for version, kind in cluster.READ
    }
