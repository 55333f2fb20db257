"""What is on a throw-away export, as the server has it."""

import hashlib
from pathlib import PurePosixPath

from landfast.stack import Stack

_CHANGED = " (changed)"


def put(stack: Stack, directory: str, owner: str) -> None:
    """Make a directory with a file of somebody's, as `Volume.write` does for a volume."""
    stack.env.inspector.make_folder(stack.folder(directory))
    stack.env.inspector.write(
        stack.folder(str(PurePosixPath(directory, f"{owner}.txt"))), f"written for {owner}"
    )


def files(stack: Stack) -> list[str]:
    """Give every file on a stack's export as the server has it: `directory/owner.txt`.

    A file whose hash is not that of what was written for its owner is `directory/owner.txt
    (changed)`.
    """
    top = stack.folder("")
    listed = stack.env.inspector.list(top)
    hashes = stack.env.inspector.hashes([p for p, entry in listed.items() if entry.type == "file"])
    return [
        str(PurePosixPath(path).relative_to(top)) + ("" if digest == _written(path) else _CHANGED)
        for path, digest in hashes.items()
    ]


def _written(path: str) -> str:
    return hashlib.sha256(f"written for {PurePosixPath(path).stem}".encode()).hexdigest()


def folders(stack: Stack) -> list[str]:
    """Give the names of the directories in the root of a stack's export."""
    listed = stack.env.inspector.list(stack.folder(""), depth=1)
    return [PurePosixPath(path).name for path in listed]
