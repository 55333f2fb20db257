"""The client of the API: guards see every request, errors are of three kinds."""

import dataclasses
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3
import yaml
from fakes import FakeKube
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import NotFoundError, ResourceNotFoundError
from websocket import WebSocketBadStatusException, WebSocketConnectionClosedException

from landfast.errors import LandfastError, Refused, Unreachable
from landfast.kube import Kube, KubeError, Request
from landfast.kube.client import _end
from landfast.kube.status import condition, event_time, is_ready

POD = {"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}}


class Stop(LandfastError):
    """A guard refused."""


def refuse(request: Request) -> None:
    if request.verb == "delete":
        raise Stop(str(request))


class TestGuards:
    def test_a_guard_refuses_while_its_body_runs(self) -> None:
        kube = FakeKube(POD)
        with kube.guarded_by(refuse), pytest.raises(Stop, match="^delete Pod p$"):
            kube.delete("Pod", "p", "n")
        assert kube.delete("Pod", "p", "n")

    def test_a_guard_is_gone_after_an_error(self) -> None:
        kube = FakeKube(POD)
        with pytest.raises(ZeroDivisionError), kube.guarded_by(refuse):
            _ = 1 / 0
        assert kube.delete("Pod", "p", "n")

    def test_a_guard_can_send_another_request_instead(self) -> None:
        kube = FakeKube(POD)
        with kube.guarded_by(lambda request: dataclasses.replace(request, dry_run=True)):
            assert kube.delete("Pod", "p", "n")
        assert kube.find("Pod", "p", "n")

    def test_what_a_guard_asks_for_does_not_come_back_to_it(self) -> None:
        kube = FakeKube(POD)

        def delete_first(request: Request) -> None:
            if request.verb == "delete":
                kube.delete(request.kind, request.name, request.namespace)

        with kube.guarded_by(delete_first):
            assert kube.delete("Pod", "p", "n") is False
        assert kube.verbs == [("delete", "Pod", "p")] * 2

    def test_but_other_guards_see_it(self) -> None:
        kube = FakeKube(POD)

        def delete_first(request: Request) -> None:
            if request.verb == "get":
                kube.delete("Pod", "p", "n")

        with kube.guarded_by(refuse), kube.guarded_by(delete_first), pytest.raises(Stop):
            kube.get("Pod", "p", "n")

    def test_a_guard_that_is_busy_in_one_thread_guards_the_others(self) -> None:
        kube, refused = FakeKube(POD), []

        def other() -> None:
            try:
                kube.delete("Pod", "p", "n")
            except Stop as error:
                refused.append(error)

        def guard(request: Request) -> None:
            if request.verb == "get":
                thread = threading.Thread(target=other)
                thread.start()
                thread.join()
            refuse(request)

        with kube.guarded_by(guard):
            kube.get("Pod", "p", "n")
        assert len(refused) == 1


def websocket_error(cause: Exception) -> ApiException:
    """Return the error that the client makes of one of a websocket."""
    error = ApiException(status=0, reason=str(cause))
    error.__context__ = cause  # it raises the one while it handles the other
    return error


def raised(error: Exception) -> LandfastError:
    kube = FakeKube()

    def send(_: Request) -> None:
        raise error

    with pytest.raises(LandfastError) as caught:
        kube._send(Request("evict", "Pod", "p"), send)
    return caught.value


class TestErrors:
    @pytest.mark.parametrize(
        "error",
        [
            urllib3.exceptions.ProtocolError("Connection broken"),
            ConnectionResetError("reset by peer"),
            WebSocketConnectionClosedException("gone"),
            websocket_error(ConnectionRefusedError("refused")),
        ],
    )
    def test_a_server_that_does_not_answer_is_unreachable(self, error: Exception) -> None:
        assert isinstance(raised(error), Unreachable)

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (ApiException(status=429, reason="Too Many Requests"), 429),
            (NotFoundError(ApiException(status=404, reason="Not Found")), 404),
            (
                websocket_error(
                    WebSocketBadStatusException("%s %s", 403, resp_body=b'{"message": "no"}')
                ),
                403,
            ),
        ],
    )
    def test_a_refusal_keeps_its_code(self, error: Exception, code: int) -> None:
        found = raised(error)
        assert isinstance(found, KubeError)
        assert found.code == code

    def test_a_kind_that_the_server_does_not_know_is_refused(self) -> None:
        assert isinstance(raised(ResourceNotFoundError("no matches")), Refused)

    def test_errors_of_the_program_itself_pass(self) -> None:
        assert isinstance(raised(Stop("exit code 1")), Stop)


class NoContent(BaseHTTPRequestHandler):
    """An API server with one pod that is not on a node yet (LocationStreamer answers with 204)."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_log_of_a_pod_without_a_node_is_empty(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), NoContent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    named = {"name": "here"}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{**named, "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{**named, "user": {}}],
        "contexts": [{**named, "context": {"cluster": "here", "user": "here"}}],
    }
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(kubeconfig))
    try:
        assert Kube(file, "here").logs("n", "p") == ""
    finally:
        server.shutdown()
        server.server_close()


def status(**fields: Any) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", **fields}]}}


def test_ready_is_the_condition_with_status_true() -> None:
    assert is_ready(status(status="True"))
    assert not is_ready(status(status="False"))
    assert not is_ready(status(status="Unknown"))
    assert not is_ready({})
    assert not is_ready({"status": {"conditions": None}})
    assert condition(status(status="False", reason="x"), "Ready") == {
        "type": "Ready",
        "status": "False",
        "reason": "x",
    }
    assert condition(status(status="True"), "Initialized") is None


def test_the_time_of_an_event_is_the_last_that_is_known() -> None:
    meta = {"metadata": {"creationTimestamp": "c"}}
    assert event_time({**meta, "lastTimestamp": "l", "eventTime": "e"}) == "l"
    assert event_time({**meta, "lastTimestamp": None, "eventTime": "e"}) == "e"
    assert event_time(meta) == "c"


def test_a_program_whose_connection_breaks_did_not_end() -> None:
    """The library then looks for a status where there is none."""

    class Broken:
        sock = SimpleNamespace(shutdown=lambda: None)

        def look(self, timeout: float = 0) -> str:
            return ""

        run_forever = read_stdout = read_stderr = is_open = close = look

        @property
        def returncode(self) -> int:
            raise TypeError("'NoneType' object is not subscriptable")

    with pytest.raises(LandfastError, match="sh in pod: the connection broke before it ended"):
        _end(Broken(), "sh in pod", 1)
