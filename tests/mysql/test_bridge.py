"""A port that leads to a dialled socket."""

import socket
import threading
from collections.abc import Iterator

import pytest

from landfast.mysql.bridge import bridged


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def dial(server: socket.socket) -> socket.socket:
    return socket.create_connection(server.getsockname())


def test_both_ends_hear_each_other(server: socket.socket) -> None:
    with bridged(lambda: dial(server)) as port:
        near = socket.create_connection(("127.0.0.1", port))
        far, _ = server.accept()
        with near, far:
            near.sendall(b"question")
            assert far.recv(100) == b"question"
            far.sendall(b"x" * 300_000)
            got = b""
            while len(got) < 300_000:
                got += near.recv(1 << 16)
            far.close()
            assert near.recv(1) == b""


def test_connections_are_joined_each_with_its_own(server: socket.socket) -> None:
    with bridged(lambda: dial(server)) as port:
        for word in (b"one", b"two"):
            near = socket.create_connection(("127.0.0.1", port))
            far, _ = server.accept()
            with near, far:
                near.sendall(word)
                assert far.recv(10) == word


def test_one_that_cannot_be_dialled_is_closed() -> None:
    def refuse() -> socket.socket:
        raise ConnectionRefusedError

    with (
        bridged(refuse) as port,
        socket.create_connection(("127.0.0.1", port), timeout=5) as near,
    ):
        assert near.recv(1) == b""


def test_nothing_listens_afterwards(server: socket.socket) -> None:
    with bridged(lambda: dial(server)) as port:
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert not [t for t in threading.enumerate() if t.name == "bridge"]
