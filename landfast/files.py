"""Files that are on the disk, whole, when the call returns: also after a crash of the host."""

import os
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write a text file: a reader sees the old content or all of the new one.

    Raises:
        OSError: it cannot be written; the old content is still there.
    """
    part = path.with_name(f"{path.name}.part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
