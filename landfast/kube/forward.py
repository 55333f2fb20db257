"""Port-forwards over a websocket to the API server.

The client library's own (`kubernetes.stream.portforward`) is not used. While MySQL was starting on
an existing cluster it left unraisable warnings behind, which end a test in UNKNOWN; and its thread
dies of an error that is not a close, so that its user waits for a connection that is gone.
"""

import contextlib
import select
import socket
import ssl
import threading
from typing import Any

from kubernetes.stream.ws_client import create_websocket, get_websocket_url
from websocket import ABNF, WebSocket, WebSocketException

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_CHUNK = 1 << 16


def connect(configuration: Any, namespace: str, pod: str, port: int) -> socket.socket:
    """Return a socket that is connected to a port of a pod.

    Raises:
        OSError, WebSocketException: the API server does not answer, or refuses.
    """
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    url = get_websocket_url(configuration.host + path, [("ports", port)])
    headers = {
        setting["key"]: setting["value"]
        for setting in configuration.auth_settings().values()
        if setting["in"] == "header" and setting["value"]
    }
    headers["sec-websocket-protocol"] = _PROTOCOL
    tunnel: WebSocket = create_websocket(configuration, url, headers)
    near, far = socket.socketpair()
    threading.Thread(target=_pump, args=(far, tunnel), name=f"forward {pod}", daemon=True).start()
    return near


def _pump(local: socket.socket, tunnel: WebSocket) -> None:
    """Carry bytes both ways until either side ends, then end the other.

    Each message's first byte is its channel. A channel's first message is the port's number; an
    error message means that the pod does not take the connection.
    """
    remote: Any = tunnel.sock
    greeted: set[int] = set()
    with contextlib.suppress(OSError, WebSocketException), local, contextlib.closing(remote):
        while True:
            pending = remote.pending() if isinstance(remote, ssl.SSLSocket) else 0
            ready, _, _ = select.select([local, remote], [], [], 0 if pending else None)
            if local in ready:
                data = local.recv(_CHUNK)
                if not data:
                    return
                tunnel.send(bytes([_DATA]) + data, ABNF.OPCODE_BINARY)
            if pending or remote in ready:
                opcode, message = tunnel.recv_data()
                if opcode == ABNF.OPCODE_CLOSE:
                    return
                channel = message[0]
                if channel not in greeted:
                    greeted.add(channel)
                elif channel == _ERROR:
                    return
                else:
                    local.sendall(message[1:])
