"""A port on 127.0.0.1 that leads to whatever a dialler reaches: MySQL behind an API server."""

import contextlib
import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator

from landfast.mysql.client import Dial

_CHUNK = 1 << 16


@contextlib.contextmanager
def bridged(dial: Dial) -> Iterator[int]:
    """Listen on a free port while the body runs, and yield the port.

    Each connection to it is joined with a socket that `dial` returns. One that cannot be dialled is
    closed at once, as by a server that does not listen.
    """

    class Joined(socketserver.BaseRequestHandler):
        request: socket.socket

        def handle(self) -> None:
            with contextlib.suppress(OSError), dial() as far:
                _join(self.request, far)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False  # a connection lasts as long as its ends want

    with Server(("127.0.0.1", 0), Joined) as server:
        thread = threading.Thread(target=server.serve_forever, name="bridge", daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def _join(near: socket.socket, far: socket.socket) -> None:
    """Copy both ways until either end is closed."""
    with selectors.DefaultSelector() as selector:
        for end, opposite in ((near, far), (far, near)):
            selector.register(end, selectors.EVENT_READ, (end, opposite))
        while True:
            for key, _ in selector.select():
                end, opposite = key.data
                if not (data := end.recv(_CHUNK)):
                    return
                opposite.sendall(data)
