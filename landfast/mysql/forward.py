"""Connections to a pod's port through the API server, where its NodePort is out of reach."""

import contextlib
import select
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Any

from kubernetes.stream.ws_client import create_websocket, get_websocket_url
from websocket import ABNF, WebSocket, WebSocketException

from landfast.kube import Kube, Object

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_CHUNK = 1 << 16


@dataclass(frozen=True)
class PodForward:
    """Dials a port of the pod that a label selects; each connection finds the pod anew."""

    kube: Kube
    namespace: str
    labels: str
    port: int

    def __str__(self) -> str:
        return f"port {self.port} of the pod with {self.labels} in {self.namespace}"

    def __call__(self) -> socket.socket:
        """Give a connected socket.

        Raises:
            ConnectionError: no such pod runs, or the API server cannot reach it.
        """
        pods = self.kube.list("Pod", self.namespace, labels=self.labels)
        running = [pod["metadata"]["name"] for pod in pods if _serves(pod)]
        if not running:
            raise ConnectionRefusedError(f"no pod with {self.labels} runs in {self.namespace}")
        near, far = socket.socketpair()
        try:
            tunnel = self._open(running[0])
        except (OSError, WebSocketException) as error:
            near.close()
            far.close()
            raise ConnectionError(f"no port-forward to pod {running[0]}: {error}") from error
        threading.Thread(
            target=_pump, args=(far, tunnel), name=f"forward to {running[0]}", daemon=True
        ).start()
        return near

    def _open(self, pod: str) -> WebSocket:
        configuration = self.kube.api.configuration
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/portforward"
        url = get_websocket_url(configuration.host + path, [("ports", self.port)])
        headers = {
            setting["key"]: setting["value"]
            for setting in configuration.auth_settings().values()
            if setting["in"] == "header" and setting["value"]
        }
        headers["sec-websocket-protocol"] = _PROTOCOL
        tunnel: WebSocket = create_websocket(configuration, url, headers)
        return tunnel


def _serves(pod: Object) -> bool:
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def _pump(local: socket.socket, tunnel: WebSocket) -> None:
    """Carry bytes both ways until either side ends, then end the other.

    Each message's first byte is its channel. A channel's first message is the port's number, an
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
