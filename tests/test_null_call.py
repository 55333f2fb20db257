"""An NFS NULL call, from here and from a pod, to servers that answer, are silent, or are gone."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from landfast.errors import LandfastError
from landfast.nfs import null_call

REPLY = bytes.fromhex("80000018 6c667374 00000001" + " 00000000" * 4)

NC = """
import os, socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    connection.sendall(os.read(0, 64))
    while read := connection.recv(64):
        os.write(1, read)
"""
"""What a pod's nc does."""


@pytest.fixture(params=[b"", REPLY], ids=["silent", "answers"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[int, bool]]:
    """A server's port, and whether it answers a call that is one."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    if connection.recv(64)[:8] == b"\x80\0\0\x28lfst":
                        connection.sendall(request.param)
                        connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], bool(request.param)
        listener.shutdown(socket.SHUT_RDWR)


def shell(argv: Sequence[str]) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def test_a_server_that_answers_is_told_from_one_that_is_silent(server: tuple[int, bool]) -> None:
    port, answers = server
    assert null_call.answers("127.0.0.1", port) is answers


def test_the_same_from_a_pod(
    server: tuple[int, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nc"
    program.write_text(f"#!{sys.executable}\n{NC}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    port, answers = server
    assert null_call.answers_pod(shell, "127.0.0.1", port) is answers


def test_a_server_that_is_gone_does_not_answer() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    assert not null_call.answers("127.0.0.1", port)


def test_a_pod_that_is_gone_hears_no_answer() -> None:
    def fail(_: Sequence[str]) -> str:
        raise LandfastError("no such pod")

    assert not null_call.answers_pod(fail, "10.0.0.1")
