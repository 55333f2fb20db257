"""What lies on the stack's part of the export, as the server lists it."""

import hashlib
from pathlib import PurePosixPath

from landfast.provisioning.observed import file_of, text_of
from landfast.stack import Stack


def put(stack: Stack, directory: str) -> None:
    """Create a directory with a file in it that is named after it, as another user would."""
    stack.export.make_folder(directory)
    stack.export.write(f"{directory}/{file_of(directory)}", text_of(directory))


def files(stack: Stack) -> list[str]:
    """Return every file as `directory/owner.txt`; ` (changed)` follows if its hash differs."""
    listed = stack.export.list()
    hashes = stack.export.hashes([p for p, entry in listed.items() if entry.type == "file"])
    found = []
    for path, digest in hashes.items():
        written = hashlib.sha256(text_of(PurePosixPath(path).stem).encode()).hexdigest()
        found.append(path if digest == written else f"{path} (changed)")
    return found


def folders(stack: Stack) -> list[str]:
    return [*stack.export.list(depth=1)]
