"""One way to make each claim of this suite untrue."""

from contextlib import AbstractContextManager
from typing import Any

from fixtures.sabotage import Sabotage, Target
from landfast.faults.network import NfsPortDropped
from landfast.kube.client import Object
from suites.conformance.locks.objects import FILE, HOLDER, SECOND, UNDER_LOCK
from suites.objects import with_spec
from suites.sabotages import before, changed, written


def _own_file(obj: Object) -> Object:
    if obj["kind"] == "Pod" and obj["metadata"]["name"] == SECOND:
        return with_spec(obj, volumes=[{"name": "nfs-pvc", "emptyDir": {}}])
    return obj


def _past_the_lock(obj: Object) -> Object:
    if obj["kind"] == "Pod" and obj["metadata"]["name"] == HOLDER:
        (container,) = obj["spec"]["containers"]
        container["args"] = [arg.replace(UNDER_LOCK, f">>{FILE}") for arg in container["args"]]
    return obj


def local_locks(target: Target) -> AbstractContextManager[Any]:
    """Keep locks away from the server.

    The kernel's NFSv4 client ignores nolock: there, the second pod gets a file of its own.
    """
    nolock = written("PersistentVolume", {"spec": {"mountOptions": ["nolock"]}})
    return (nolock if target.stack.env.nfs_client == "fuse" else changed(_own_file))(target)


def mend_the_way(target: Target, pod_name: str) -> None:
    """Let every node reach the server again before the second pod asks for the lock."""
    env = target.stack.env
    if pod_name != SECOND or env.engine is None:
        return
    table = f"table inet {NfsPortDropped.table()}"
    for node in env.cluster.nodes:
        env.engine.execute(node, "nft", f"add {table}; delete {table}")


_LOCAL = Sabotage("the volume is mounted with nolock", local_locks)
_P = "locks"

SABOTAGES: dict[str, Sabotage] = {
    f"{_P}.held-on-another-node-is-refused": _LOCAL,
    f"{_P}.held-by-another-pod-is-refused": Sabotage(
        "the second pod has a file of its own", changed(_own_file)
    ),
    f"{_P}.server-restart-is-survived": _LOCAL,
    f"{_P}.lost-node-is-taken-over-from": Sabotage(
        "the node reaches the server again", before("execute", "Pod", mend_the_way)
    ),
    f"{_P}.loss-is-noticed": Sabotage(
        "the holder writes through another descriptor, without the lock", changed(_past_the_lock)
    ),
}
