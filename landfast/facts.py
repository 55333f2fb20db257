"""The environment of a run as facts: versions, images by digest, NFS, the host."""

import contextlib
import platform
from collections.abc import Iterator

from landfast import engine_host
from landfast.environment import Environment
from landfast.errors import LandfastError
from landfast.nfs.client import read_stats
from landfast.nfs.server import GRACE_SECONDS, LEASE_SECONDS
from landfast.subject import Subject

Fact = tuple[str, str, str]
"""section, name, value"""
_NFS_CLIENTS = {
    "kernel": "the kernel's",
    "fuse": "the kit's (FUSE)",
    "machine": "that of the machines' kernel (User-Mode Linux)",
}


def describe(env: Environment) -> Iterator[Fact]:
    """Yield the facts of an environment."""
    cluster = env.cluster
    yield "cluster", "provider", cluster.provider
    yield "cluster", "name", cluster.name
    yield "cluster", "Kubernetes", cluster.kube.server_version()
    for node in cluster.kube.list("Node"):
        info = node["status"]["nodeInfo"]
        yield (
            "cluster",
            f"node {node['metadata']['name']}",
            f"kubelet {info['kubeletVersion']}, {info['containerRuntimeVersion']}, "
            f"{info['osImage']}, kernel {info['kernelVersion']}",
        )
    for capability, reason in cluster.missing.items():
        yield "cluster", f"missing: {capability}", reason
    yield "images", "from", env.images.source
    for part, image in env.images.all().items():
        digest = env.engine.image_digest(image) if env.engine else None
        yield "images", part, f"{image} {digest or ''}".strip()
    yield "nfs", "client", _NFS_CLIENTS.get(env.nfs_client, env.nfs_client)
    if not env.export.seen:
        yield "nfs", "seen", "through pods with volumes of the class, not from the server"
        yield from _host(env)
        return
    yield "nfs", "server", env.export.server
    yield "nfs", "export", env.export.path
    yield "nfs", "inspected", env.inspector.where
    if env.engine and env.export.container:
        ask = ["uname", "-sr"] if env.kernel_server else ["ganesha.nfsd", "-v"]
        version = env.engine.execute(env.export.container, *ask, check=False)
        lines = (version.stdout or version.stderr).strip().splitlines()
        yield "nfs", "server version", lines[0] if lines else "unknown"
        yield "nfs", "lease, grace period", f"{LEASE_SECONDS} s, {GRACE_SECONDS} s"
    yield from _host(env)


def describe_class(subject: Subject) -> Iterator[Fact]:
    """Yield what the class that is judged says of itself."""
    section = "storage class"
    yield section, "name", subject.storage_class
    yield section, "provisioner", subject.provisioner
    yield section, "contract", f"{subject.contract} ({subject.because})"
    yield section, "reclaim policy", subject.reclaim_policy
    waits = "WaitForFirstConsumer" if subject.waits else "Immediate"
    yield section, "binding mode", waits
    yield section, "expansion", "allowed" if subject.expands else "not allowed"
    yield section, "mount options", ", ".join(subject.mount_options) or "none"
    for name, value in sorted(subject.parameters.items()):
        yield section, name, value


def describe_nfs_clients(env: Environment) -> Iterator[Fact]:
    """Yield what the kit's NFS clients counted so far, for each node that mounts the export."""
    if env.engine is None or env.nfs_client != "fuse":
        return
    for node in env.cluster.nodes:
        with contextlib.suppress(LandfastError):  # no verdict rests on it
            if found := read_stats(env.engine, node, env.export.server):
                yield "nfs", f"client of {node}", str(found)


def _host(env: Environment) -> Iterator[Fact]:
    """Yield where the run ran: the engine's host, which is not always that of Python."""
    here = f"{platform.system()} {platform.release()} {platform.machine()}"
    if env.engine:
        host = engine_host.facts(env.engine)
        yield "host", "system", host.system
        yield "host", "processors", str(host.processors)
        yield "host", "memory", f"{host.memory:.1f} GiB"
        yield "host", "cgroups", host.cgroups
        yield "host", "Docker engine", env.engine.version
    yield "host", "Python", f"{platform.python_version()} on {here}"
