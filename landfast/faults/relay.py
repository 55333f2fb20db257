"""The way to MySQL that does not lead over MySQL's node, whose kubelet a fault may stop."""

import socket
from dataclasses import dataclass

from landfast.kube.client import Object
from landfast.mysql.forward import PodForward
from landfast.stack import Stack

_POD = "relay"
_PORT = 3306
_SERVICE = "mysql-external-service"  # it has an address of its own, whatever pod is behind it


@dataclass(frozen=True)
class Relay:
    """A pod that passes connections on to MySQL's service; it dials through the API server."""

    stack: Stack

    def __call__(self) -> socket.socket:
        """Return a socket that is connected to the relay.

        Raises:
            ConnectionError: it does not run, or the API server cannot reach it.
        """
        return PodForward(self.stack.kube, self.stack.namespace, f"app={_POD}", _PORT)()

    def __str__(self) -> str:
        return f"port {_PORT} of pod {_POD} in {self.stack.namespace}"

    def node(self) -> str | None:
        """Return the node that the relay is on; None if there is no relay."""
        pod = self.stack.kube.find("Pod", _POD, self.stack.namespace)
        return pod["spec"].get("nodeName") if pod else None

    def settle(self, *, away_from: str = "") -> None:
        """Have the relay on another node than `away_from`, if another takes it.

        Raises:
            PodCannotStart: the cluster does not start it.
            WaitTimeout: it does not start, or the one before does not go.
        """
        if self.node() not in (None, away_from):
            return
        self.stack.delete("Pod", _POD, grace_seconds=0)
        self.stack.make(_pod(self.stack.env.images.busybox, away_from))
        self.stack.wait_for_pod(_POD, "Running")


def _pod(image: str, away_from: str) -> Object:
    elsewhere = {"key": "metadata.name", "operator": "NotIn", "values": [away_from]}
    preferred = [{"weight": 100, "preference": {"matchFields": [elsewhere]}}] if away_from else []
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _POD, "labels": {"app": _POD}},
        "spec": {
            "affinity": {
                "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}
            },
            "securityContext": {"runAsUser": 999, "runAsGroup": 999},
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "relay",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["nc", "-ll", "-p", str(_PORT), "-e", "nc", _SERVICE, str(_PORT)],
                }
            ],
        },
    }
