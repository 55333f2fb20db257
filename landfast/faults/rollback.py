"""The rollback journal: every fault is on disk, synced, before it is injected.

A runner that is killed inside a fault leaves the journal; `landfast heal` undoes what stands in it.
"""

import json
import os
from typing import BinaryIO

from landfast.errors import LandfastError
from landfast.faults.base import FAULTS, Fault, Site
from landfast.run import RunRecord


class Rollback:
    """The journal of one run's faults, in the folder of its record."""

    def __init__(self, record: RunRecord) -> None:
        self.path = record.folder / "faults.jsonl"

    def enter(self, fault: Fault) -> None:
        """Note a fault that is about to be injected; it is on disk when this returns."""
        self._append({"fault": fault.name, "aim": fault.aim})

    def leave(self, fault: Fault) -> None:
        """Note that a fault is proven to be healed."""
        self._append({"healed": fault.name, "aim": fault.aim})

    def _append(self, entry: dict[str, object]) -> None:
        new = not self.path.exists()
        with self.path.open("a+b") as file:
            if not new and _is_cut_short(file):
                file.write(b"\n")  # what a crash cut short must not take this entry with it
            file.write(json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def open_faults(self) -> list[tuple[str, dict[str, str]]]:
        """Give name and aim of the faults that were not healed, the last one first."""
        if not self.path.exists():
            return []
        found: list[tuple[str, dict[str, str]]] = []
        for line in self.path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut short by the crash: it was not injected then
            if "fault" in entry:
                found.append((entry["fault"], entry["aim"]))
            elif (healed := (entry["healed"], entry["aim"])) in found:
                # of faults that are equal the last one is healed first
                del found[len(found) - 1 - found[::-1].index(healed)]
        return found[::-1]

    def heal(self, site: Site) -> list[str]:
        """Heal every open fault; give for each what shows that it is.

        Raises:
            LandfastError: one does not heal; it stays in the journal for the next try.
        """
        proofs = []
        for name, aim in self.open_faults():
            if name not in FAULTS:
                raise LandfastError(f"the fault {name} in {self.path} is of another Landfast's")
            fault = FAULTS[name](site, aim)
            try:
                fault.heal()
                proofs.append(f"{name}: {fault.prove_healed()}")
            except (LandfastError, AssertionError) as error:
                raise LandfastError(f"the fault {name} is not healed: {error}") from error
            self.leave(fault)
        return proofs


def _is_cut_short(file: BinaryIO) -> bool:
    """Whether a file's last line does not end; the place to write is its end in any case."""
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
