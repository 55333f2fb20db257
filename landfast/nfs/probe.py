"""Whether an NFS server serves a node: it answers, can be mounted, and keeps what is written.

That a server runs and listens proves nothing: Ganesha can report ready and serve no export.
"""

import secrets
from dataclasses import dataclass

from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.nfs.export import Export

_ANSWER_SECONDS = "1"
_MOUNT_SECONDS = 40
_MOUNT_FAILED = 32  # mount(8)
# ONC RPC (RFC 5531): a call of procedure 0 of program 100003, version 4, without credentials. It is
# sent by bash because a node may have no other network client.
_NULL = r"""
exec 3<>"/dev/tcp/$1/2049" || exit
printf '\x80\0\0\x28lfst\0\0\0\0\0\0\0\2\0\1\x86\xa3\0\0\0\4' >&3
printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >&3
[ "$(head -c 28 <&3 | wc -c)" = 28 ]
"""
# A mount of its own: neither caches nor the state of MySQL's mount play a part.
_WRITE = """
set -e
dir=$(mktemp -d /run/landfast-XXXXXX)
trap 'umount "$dir" 2>/dev/null; rmdir "$dir"' EXIT
mount -t nfs -o nfsvers=4,hard,retry=0 "$1" "$dir"
dd of="$dir/$2" bs=1M conv=fsync status=none || { code=$?; rm -f "$dir/$2"; exit "$code"; }
"""
# flock(1) asks for a lock on the whole file, and opens it for writing where NFS wants that.
_LOCK_HELD = 75
_LOCK = f"""
set -e
dir=$(mktemp -d /run/landfast-XXXXXX)
trap 'umount "$dir" 2>/dev/null; rmdir "$dir"' EXIT
mount -t nfs -o nfsvers=4,hard,retry=0 "$1" "$dir"
[ -e "$dir/$2" ]
flock --exclusive --nonblock --conflict-exit-code {_LOCK_HELD} "$dir/$2" true
"""


@dataclass(frozen=True)
class Written:
    """The result of a write through NFS.

    `name` is the new file at the export's root, `mounted` says whether the export could be mounted,
    `made` whether the file was written and synced. `said` is the first line of the error.
    """

    name: str
    mounted: bool
    made: bool
    said: str


def answers(engine: Engine, node: str, address: str) -> bool:
    """Whether an NFS server answers a node's null call within a second."""
    argv = ["timeout", _ANSWER_SECONDS, "bash", "-c", _NULL, "bash", address]
    return engine.execute(node, *argv, check=False).returncode == 0


def write(engine: Engine, node: str, export: Export, text: str) -> Written:
    """Mount the export on a node, write a new file at its root with fsync, unmount.

    Each file has a new name: Ganesha caches names for a while, and would write to a file of the
    same name that was removed on the server.

    Raises:
        LandfastError: the server does not answer; a mount would wait for it.
    """
    if not answers(engine, node, export.server):
        raise LandfastError(f"{export.server} does not answer NFS calls from {node}")
    name = f"landfast-probe-{secrets.token_hex(8)}"
    found = engine.execute(
        node,
        *["sh", "-c", _WRITE, "sh", f"{export.server}:{export.path}", name],
        env={"LC_ALL": "C"},
        text=text,
        check=False,
        timeout=_MOUNT_SECONDS,
    )
    said = found.stderr.strip().partition("\n")[0]
    return Written(name, found.returncode != _MOUNT_FAILED, found.returncode == 0, said)


def can_lock(engine: Engine, node: str, export: Export, file: str) -> bool:
    """Whether a node, through a mount of its own, gets the lock on a file for a moment.

    Raises:
        LandfastError: the export cannot be mounted, or the file cannot be locked.
    """
    argv = ["sh", "-c", _LOCK, "sh", f"{export.server}:{export.path}", file]
    found = engine.execute(node, *argv, env={"LC_ALL": "C"}, check=False, timeout=_MOUNT_SECONDS)
    if found.returncode not in (0, _LOCK_HELD):
        said = found.stderr.strip().partition("\n")[0]
        raise LandfastError(f"{node} cannot ask for the lock on {file}: {said}")
    return found.returncode == 0
