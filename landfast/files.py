"""Files that survive a crash of the host undamaged, and the space for them."""

import os
import shutil
from pathlib import Path

GIB = 1 << 30


def write_atomically(path: Path, text: str) -> None:
    """Write a text file: a reader sees the old content or all of the new.

    Raises:
        OSError: it cannot be written; the old content is unchanged.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def free_gib(folder: Path) -> float:
    """Return how many GiB are free on the disk of a folder."""
    return shutil.disk_usage(folder).free / GIB
