"""A port-forward through an API server: bytes go both ways, and an end on one side is an end."""

import base64
import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeKube, refusal

from landfast.kube import Kube, KubeError
from landfast.mysql.forward import PodForward

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_BINARY, _CLOSE = 2, 8


def frame(payload: bytes, opcode: int = _BINARY) -> bytes:
    return struct.pack("!BB", 0x80 | opcode, len(payload)) + payload


def read_frame(peer: socket.socket) -> bytes:
    """Read one short masked frame; empty at the end."""
    head = peer.recv(2, socket.MSG_WAITALL)
    if len(head) < 2 or head[0] & 0xF == _CLOSE:
        return b""
    mask = peer.recv(4, socket.MSG_WAITALL)
    payload = peer.recv(head[1] & 0x7F, socket.MSG_WAITALL)
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


def serve(listener: socket.socket, requests: list[str]) -> None:
    """Answer one connection as the API server does, and echo what comes until it says `bye`."""
    peer, _ = listener.accept()
    with peer:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += peer.recv(1)
        lines = head.decode().split("\r\n")
        requests.append(lines[0])
        if "missing" in lines[0]:
            peer.sendall(b'HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\n{"message":"gone"}')
            return
        fields = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
        key = fields["sec-websocket-key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + _MAGIC).digest())  # noqa: S324 - RFC 6455
        peer.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n"
            b"Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"
        )
        for channel in (0, 1):  # each begins with the port's number
            peer.sendall(frame(bytes([channel]) + struct.pack("<H", 3306)))
        while data := read_frame(peer):
            if data[1:] == b"bye":
                peer.sendall(frame(b"\x01connection refused"))  # the channel of errors
                read_frame(peer)
                return
            peer.sendall(frame(data))


@pytest.fixture
def requests() -> list[str]:
    """What the server was asked for."""
    return []


@pytest.fixture
def kube(tmp_path: Path, requests: list[str]) -> Iterator[Kube]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener, requests), daemon=True)
        server.start()
        config = tmp_path / "config"
        config.write_text(
            "apiVersion: v1\nkind: Config\n"
            f"clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{listener.getsockname()[1]}'}}}}]\n"
            "users: [{name: u, user: {token: t}}]\n"
            "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
        )
        yield Kube(config, "x")
        server.join(10)


def test_bytes_go_both_ways(kube: Kube, requests: list[str]) -> None:
    with kube.forward("shop", "mysql-0", 3306) as connection:
        connection.settimeout(10)
        connection.sendall(b"hello")
        assert connection.recv(100) == b"hello"
        with connection.makefile("rb") as reader:  # as a MySQL client reads
            connection.sendall(b"again")
            assert reader.read(5) == b"again"
    assert requests[0].startswith("GET /api/v1/namespaces/shop/pods/mysql-0/portforward?ports=3306")


def test_a_pod_that_refuses_ends_the_connection(kube: Kube) -> None:
    with kube.forward("shop", "mysql-0", 3306) as connection:
        connection.settimeout(10)
        connection.sendall(b"bye")
        assert connection.recv(100) == b""


def test_a_pod_that_is_missing_is_a_refusal(kube: Kube) -> None:
    with pytest.raises(KubeError) as caught:
        kube.forward("shop", "missing", 3306)
    assert caught.value.code == 404


def pod(name: str, phase: str = "Running", **meta: str) -> dict[str, object]:
    labels = {"app": "mysql"}
    where = {"name": name, "namespace": "shop", "labels": labels, **meta}
    return {"kind": "Pod", "metadata": where, "status": {"phase": phase}}


class TestPodForward:
    def test_it_dials_the_pod_that_runs(self) -> None:
        kube = FakeKube(
            pod("a", "Pending"), pod("b", deletionTimestamp="2026-01-01T00:00:00Z"), pod("c")
        )
        PodForward(kube, "shop", "app=mysql", 3306)()
        assert kube.changes() == [("forward", "Pod", "c")]

    def test_without_one_the_connection_is_refused(self) -> None:
        with pytest.raises(ConnectionRefusedError, match="no pod with app=mysql runs in shop"):
            PodForward(FakeKube(), "shop", "app=mysql", 3306)()

    def test_a_refusal_is_no_connection(self) -> None:
        kube = FakeKube(pod("c"))

        def refuse(*_: str) -> None:
            raise refusal(500, "container not running")

        kube.before["forward"] = refuse
        with pytest.raises(ConnectionError, match="container not running"):
            PodForward(kube, "shop", "app=mysql", 3306)()
