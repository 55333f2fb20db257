"""How nodes mount NFS: the kernel's client, or the kit's FUSE helper where the kernel has none."""

import json
from pathlib import Path
from typing import Literal

from landfast.docker import Engine
from landfast.engine_host import EngineHost
from landfast.errors import BadInput, LandfastError
from landfast.results import NfsClientStats

NfsClient = Literal["kernel", "fuse"]


def choose(asked: Literal["auto", "kernel", "fuse"], host: EngineHost) -> NfsClient:
    """Return the client that nodes in the engine use.

    Raises:
        BadInput: the engine's kernel does not have what this client needs.
    """
    client: NfsClient = ("kernel" if host.kernel_nfs else "fuse") if asked == "auto" else asked
    if client == "kernel" and not host.kernel_nfs:
        raise BadInput(
            "--nfs-client kernel: the kernel of the Docker engine has no NFS client; load the "
            "module nfsv4 there, or use --nfs-client fuse"
        )
    if client == "fuse" and not host.fuse:
        raise BadInput(
            "the host of the Docker engine has no /dev/fuse, which the NFS mount helper needs: "
            "run `modprobe fuse` there, or `modprobe nfsv4` if its kernel has that module"
        )
    return client


def install_helper(engine: Engine, node: str, helper: Path) -> None:
    """Install the FUSE mount helper where mount(8) on a node looks for NFS helpers."""
    for name in ("mount.nfs", "mount.nfs4"):
        engine.execute(node, "rm", "-f", f"/usr/sbin/{name}")
        engine.copy_into(helper, node, f"/usr/sbin/{name}")


def read_stats(engine: Engine, node: str, server: str) -> NfsClientStats | None:
    """Return what the FUSE helper of a node counted; None if it does not mount the server.

    All mounts of a server on a node share one client.

    Raises:
        LandfastError: the node cannot be asked, or the helper does not answer.
    """
    mounts = (
        line.split() for line in engine.execute(node, "cat", "/proc/mounts").stdout.splitlines()
    )
    for source, target, kind, *_ in mounts:
        if source.startswith(f"{server}:") and kind.startswith("fuse"):
            said = engine.execute(node, "mount.nfs", "--stats", target).stdout
            try:
                found = json.loads(said)
                counted = NfsClientStats.model_fields.keys() - {"node"}
                return NfsClientStats(node=node, **{name: found[name] for name in counted})
            except (KeyError, TypeError, ValueError) as error:
                raise LandfastError(f"mount.nfs --stats on {node} said {said!r}") from error
    return None
