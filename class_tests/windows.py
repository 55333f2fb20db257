"""A node that says that it runs Windows, and counts as Ready."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from landfast import timeouts
from landfast.environment import Environment
from landfast.errors import LandfastError
from landfast.kube.client import Kube, Object
from landfast.kube.placement import OS
from landfast.waiting import wait_until

_RENEWAL_SECONDS = 5
_LEASES = "kube-node-lease"


@contextlib.contextmanager
def windows(env: Environment, node: str) -> Iterator[None]:
    """Give a node the label of Windows while the body runs.

    Its kubelet is stopped: it would put the label right (1.37, pkg/kubelet/kubelet_node_status.go,
    updateNode). A thread renews the node's lease in its place.
    """
    assert env.engine is not None
    kube = env.cluster.kube
    wait_until(
        f"the lease of {node}",  # its kubelet makes it, and some time after the node
        lambda: kube.find("Lease", node, _LEASES),
        until=lambda lease: lease is not None,
        timeout=timeouts.NODE_READY,
    )
    env.engine.execute(node, "systemctl", "stop", "kubelet")
    kube.patch("Node", node, {"metadata": {"labels": {OS: "windows"}}})
    wait_until(
        f"what runs on Linux only to leave {node}",
        lambda: _drop_pods_of_linux(kube, node),
        until=lambda left: not left,
        timeout=timeouts.GONE,
    )
    wait_until(
        f"the old label of {node} to follow the new one",
        lambda: kube.get("Node", node)["metadata"]["labels"].get(f"beta.{OS}"),
        until=lambda label: label == "windows",
        timeout=timeouts.CONTROLLER_OBSERVES,
    )
    ended = threading.Event()
    heart = threading.Thread(target=_renew, args=(kube, node, ended), daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()


def _drop_pods_of_linux(kube: Kube, node: str) -> list[Object]:
    pods = kube.list("Pod", fields=f"spec.nodeName={node}")
    found = [pod for pod in pods if OS in (pod["spec"].get("nodeSelector") or {})]
    for pod in found:
        meta = pod["metadata"]
        kube.delete("Pod", meta["name"], meta["namespace"], grace_seconds=0)
    return found


def _renew(kube: Kube, node: str, ended: threading.Event) -> None:
    while not ended.wait(_RENEWAL_SECONDS):
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        with contextlib.suppress(LandfastError):  # a test restarts the API server
            kube.patch("Lease", node, {"spec": {"renewTime": now}}, _LEASES)
