"""Writes reports whole or not at all."""

import os
from pathlib import Path

from landfast.errors import BadInput


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new one, never a part.

    Raises:
        BadInput: the disk is full, or the folder is not writable.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"cannot write the report {path}: {error.strerror}") from error


def append(path: Path, text: str) -> None:
    """Append text to a file.

    Raises:
        BadInput: the file is not writable.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise BadInput(f"cannot append the summary to {path}: {error.strerror}") from error
