"""Whether locks on NFS reach the server, or only keep apart processes of one node or mount."""

from landfast.docker import Engine

_LOCAL_OPTIONS = {"nolock", "local_lock=all", "local_lock=posix"}


def local_locks(engine: Engine, node: str, server: str) -> str | None:
    """Return why locks on a node's mounts of a server do not reach it; None if they do.

    None also if the node does not mount the server.
    """
    for line in engine.execute(node, "cat", "/proc/mounts").stdout.splitlines():
        source, _, kind, options, *_ = line.split()
        if not source.startswith(f"{server}:"):
            continue
        if kind.startswith("fuse"):
            return f"mounts are of type {kind}: the kit's mount helper keeps locks within one mount"
        if local := _LOCAL_OPTIONS & set(options.split(",")):
            return f"mounts have the option {', '.join(sorted(local))}"
    return None
