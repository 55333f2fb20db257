"""Histories that are judged again, each a folder in `histories/`: what a scenario leaves behind.

`history.tsv.gz`, `reading.json` (not there: nothing was read) and `marks.json` are as the run of a
scenario left them; `check.json` is what the checker must say of them.
`python tests/mysql/recorded_histories.py NAME` writes the last one: look at it before it is
committed. With the name `synthetic`, it makes up the others first.
"""

import sys
from pathlib import Path

from ledger_samples import read, write_history
from pydantic import BaseModel, ConfigDict

from landfast.mysql.availability import measure
from landfast.mysql.checker import check
from landfast.mysql.history import Completion, FinalReading, Operation, OperationKind, read_history
from landfast.results import Availability, LedgerCheck

FOLDER = Path(__file__).parent / "histories"
SYNTHETIC = "synthetic"


class Marks(BaseModel):
    """When what happened, in monotonic seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: float
    inject: float
    healed: float | None
    ended: float
    during_required: bool
    clock_error: float = 0.0


def folders() -> list[Path]:
    return sorted(path.parent for path in FOLDER.glob("*/marks.json"))


def judge_again(folder: Path) -> LedgerCheck:
    marks, reading = _marks(folder), folder / "reading.json"
    return check(
        read_history(folder / "history.tsv.gz"),
        FinalReading.model_validate_json(reading.read_bytes()) if reading.exists() else None,
        inject=marks.inject,
        healed=marks.healed,
        during_required=marks.during_required,
        epoch=marks.epoch,
        clock_error=marks.clock_error,
    )


def measure_again(folder: Path) -> Availability:
    marks = _marks(folder)
    return measure(
        read_history(folder / "history.tsv.gz"),
        epoch=marks.epoch,
        inject=marks.inject,
        healed=marks.healed,
        ended=marks.ended,
    )


def expected(folder: Path) -> LedgerCheck:
    return LedgerCheck.model_validate_json((folder / "check.json").read_bytes())


def _marks(folder: Path) -> Marks:
    return Marks.model_validate_json((folder / "marks.json").read_bytes())


def make_up(folder: Path) -> None:
    """Write a history of four writers whose server goes away at 4 s and comes back at 7 s.

    Each has one write under way then, of which nobody knows, and five connections are refused. Of
    writer 1, the last two acknowledged before are lost.
    """
    marks = Marks(epoch=5000, inject=5004, healed=5006, ended=5010, during_required=False)
    kinds = [
        OperationKind.INSERT,
        OperationKind.INSERT,
        OperationKind.TRANSFER,
        OperationKind.REGISTER,
    ]
    operations = [operation for n, kind in enumerate(kinds) for operation in _writes(n, kind)]
    folder.mkdir(parents=True, exist_ok=True)
    write_history(folder / "history.tsv.gz", operations)
    lost, uncertain = {78, 79}, 80
    there = range(1, 141)
    reading = read(
        {0: there, 1: set(there) - lost - {uncertain}, 2: []},
        {2: there},
        dict.fromkeys(range(3), 0) | {3: 140},
    )
    (folder / "reading.json").write_text(reading.model_dump_json())
    (folder / "marks.json").write_text(marks.model_dump_json(indent=1))


def _writes(writer: int, kind: OperationKind) -> list[Operation]:
    """Give 20 writes a second; the 80th is answered by nobody."""
    began = 5000 + writer / 100
    operations = [Operation(writer, OperationKind.CONNECT, 1, began, began + 0.002, Completion.OK)]
    for number in range(1, 141):
        begun = began + number / 20 + (3 if number > 80 else 0)
        completion, error = Completion.OK, ""
        if number == 80:
            completion, error = Completion.INFO, "OperationalError(2013, 'Lost connection')"
        operations.append(Operation(writer, kind, number, begun, begun + 0.015, completion, error))
    for number in range(2, 8):
        begun = began + 3.1 + number / 2
        completion, error = Completion.FAIL, "ConnectionRefusedError(111)"
        if number == 7:
            completion, error = Completion.OK, ""
        operations.append(
            Operation(
                writer, OperationKind.CONNECT, number, begun, begun + 0.002, completion, error
            )
        )
    return operations


if __name__ == "__main__":
    chosen = FOLDER / sys.argv[1]
    if chosen.name == SYNTHETIC:
        make_up(chosen)
    (chosen / "check.json").write_text(judge_again(chosen).model_dump_json(indent=1) + "\n")
