"""How nodes mount NFS: the kernel's client, or the kit's FUSE helper where the kernel has none."""

import json
from pathlib import Path
from typing import Literal

from landfast.docker import Engine
from landfast.errors import BadInput, LandfastError
from landfast.results import NfsClientStats

NfsClient = Literal["kernel", "fuse"]


def kernel_has_nfs() -> bool:
    """Whether this host's kernel, which kind's nodes share, has an NFSv4 client or can load one."""
    loaded = Path("/proc/filesystems").read_text().split()
    release = Path("/proc/sys/kernel/osrelease").read_text().strip()
    return "nfs4" in loaded or any(Path("/lib/modules", release).rglob("nfsv4.ko*"))


def choose(asked: Literal["auto", "kernel", "fuse"], *, kernel: bool) -> NfsClient:
    """Return the client to use; `kernel` says whether the kernel has one.

    Raises:
        BadInput: the kernel's client was asked for and the kernel has none.
    """
    if asked == "kernel" and not kernel:
        raise BadInput(
            "--nfs-client kernel: this kernel has no NFS client; load the module nfsv4, "
            "or use --nfs-client fuse"
        )
    if asked == "auto":
        return "kernel" if kernel else "fuse"
    return asked


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
