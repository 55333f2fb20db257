"""Whether locks on NFS reach the server, or only separate processes of one node or mount."""

from landfast.docker import Engine

_LOCAL_OPTIONS = {"nolock", "local_lock=all", "local_lock=posix"}


def local_locks(engine: Engine, node: str, server: str) -> str | None:
    """Return why locks on a node's mounts of a server do not reach it, or None if they do."""
    mounts = engine.execute(node, "cat", "/proc/mounts").stdout
    return judge_mounts(mounts, server)


def judge_mounts(mounts: str, server: str) -> str | None:
    """Judge the text of /proc/mounts in the same way; None also if the server is not mounted."""
    for line in mounts.splitlines():
        source, _, kind, options, *_ = line.split()
        if not source.startswith(f"{server}:"):
            continue
        if kind.startswith("fuse"):
            return f"mounts are of type {kind}: the kit's mount helper keeps locks within one mount"
        if local := _LOCAL_OPTIONS & set(options.split(",")):
            return f"mounts have the option {', '.join(sorted(local))}"
    return None
