"""How nodes mount NFS: the kernel's client, or the kit's FUSE helper where the kernel has none."""

from pathlib import Path
from typing import Literal

from landfast.docker import Engine
from landfast.errors import BadInput

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
