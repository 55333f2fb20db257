"""What lies on the stack's part of the export, as the server lists it."""

import hashlib
from pathlib import PurePosixPath

from landfast.provisioning.observed import file_of, text_of
from landfast.stack import Stack


def put(stack: Stack, directory: str) -> None:
    """Create a directory with a file in it that is named after it, as another user would."""
    stack.env.inspector.make_folder(stack.folder(directory))
    file = PurePosixPath(directory, file_of(directory))
    stack.env.inspector.write(stack.folder(str(file)), text_of(directory))


def files(stack: Stack) -> list[str]:
    """Return every file as `directory/owner.txt`; ` (changed)` follows if its hash differs."""
    top = stack.folder("")
    listed = stack.env.inspector.list(top)
    hashes = stack.env.inspector.hashes([p for p, entry in listed.items() if entry.type == "file"])
    found = []
    for path, digest in hashes.items():
        written = hashlib.sha256(text_of(PurePosixPath(path).stem).encode()).hexdigest()
        changed = "" if digest == written else " (changed)"
        found.append(f"{PurePosixPath(path).relative_to(top)}{changed}")
    return found


def folders(stack: Stack) -> list[str]:
    """Return the names of the directories in the root."""
    listed = stack.env.inspector.list(stack.folder(""), depth=1)
    return [PurePosixPath(path).name for path in listed]
