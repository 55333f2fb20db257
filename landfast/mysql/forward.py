"""Connections to a pod's port through the API server, where its NodePort is out of reach."""

import socket
from dataclasses import dataclass

from landfast.errors import Unreachable
from landfast.kube import Kube, KubeError, Object


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
        """Return a connected socket.

        Raises:
            ConnectionError: no such pod runs, or the API server cannot reach it.
        """
        try:
            pods = self.kube.list("Pod", self.namespace, labels=self.labels)
            running = [pod["metadata"]["name"] for pod in pods if _serves(pod)]
            if not running:
                raise ConnectionRefusedError(f"no pod with {self.labels} runs in {self.namespace}")
            return self.kube.forward(self.namespace, running[0], self.port)
        except (KubeError, Unreachable) as error:
            raise ConnectionError(f"no connection to {self}: {error}") from error


def _serves(pod: Object) -> bool:
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
