"""The rollback journal: every fault is on disk, synced, before it is injected.

A run that is killed inside a fault leaves its journal behind; `landfast heal` reads it.
"""

import json
import os
from typing import BinaryIO

from landfast.faults.base import Fault
from landfast.files import sync_folder
from landfast.run import RunRecord


class Rollback:
    """The journal of one run's faults, in the folder of its record."""

    def __init__(self, record: RunRecord) -> None:
        self.path = record.folder / "faults.jsonl"

    def enter(self, fault: Fault) -> None:
        """Note a fault that is about to be injected; it is on disk when this returns."""
        self._append({"fault": fault.name, "aim": fault.aim})

    def leave(self, fault: Fault) -> None:
        """Note that a fault was proven to be healed."""
        self._append({"healed": fault.name, "aim": fault.aim})

    def _append(self, entry: dict[str, object]) -> None:
        new = not self.path.exists()
        with self.path.open("a+b") as file:
            if not new and _is_cut_short(file):
                file.write(b"\n")  # a line that a crash cut short must not swallow this one
            file.write(json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(self.path.parent)

    def open_faults(self) -> list[tuple[str, dict[str, str]]]:
        """Return name and aim of the faults that were not healed, the last one first."""
        if not self.path.exists():
            return []
        found: list[tuple[str, dict[str, str]]] = []
        for line in self.path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut short by the crash, so the fault was not injected
            if "fault" in entry:
                found.append((entry["fault"], entry["aim"]))
            elif (healed := (entry["healed"], entry["aim"])) in found:
                # of equal faults, the last one is healed first
                del found[len(found) - 1 - found[::-1].index(healed)]
        return found[::-1]


def _is_cut_short(file: BinaryIO) -> bool:
    """Whether a file's last line has no newline; leaves the position at the end of the file."""
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
