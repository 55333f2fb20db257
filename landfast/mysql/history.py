"""The ledger's file format: every operation on MySQL, with its invocation and its completion.

One line each, separated by tabs: what (`invoke`, `ok`, `fail`, `info`), writer, kind, number,
monotonic time, wall-clock time (seconds), error. A writer has one operation at a time, so its next
line after an `invoke` says how that ended. Without a next line, nobody knows.

    ok    the server acknowledged it
    fail  it was certainly not done
    info  nobody knows: the connection broke, or the server's answer is ambiguous
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from landfast.errors import BadInput


class OperationKind(StrEnum):
    """What an operation does."""

    INSERT = "insert"
    """A row of its own: (writer, number)."""
    TRANSFER = "transfer"
    """Moves money between two accounts and records that, in one transaction."""
    REGISTER = "register"
    """Sets the writer's one register to the operation's number."""
    CONNECT = "connect"
    """A connection: not a write, but clients see its failures."""


class Completion(StrEnum):
    """How an operation ended."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. Times are monotonic seconds; `ended` is None if nothing is known of its end.

    Numbers of one writer and kind go up by one from 1, in the order of invocation.
    """

    writer: int
    kind: OperationKind
    number: int
    invoked: float
    ended: float | None
    completion: Completion
    error: str = ""


ACCOUNTS = 16
INITIAL_BALANCE = 1_000_000


def transfer_of(writer: int, number: int) -> tuple[int, int, int]:
    """Return what a transfer moves: from account, to account, amount."""
    source = (writer * 7 + number) % ACCOUNTS
    target = (source + 1 + number % (ACCOUNTS - 1)) % ACCOUNTS
    return source, target, 1 + number % 97


def read_history(path: Path) -> Iterator[Operation]:
    """Yield the operations of a history file (also gzipped), each when its end is read.

    Operations without an end come last. A last line cut short by a crash is ignored. Holds one
    operation per writer in memory.

    Raises:
        BadInput: the file cannot be read, or a line is not of the format.
    """
    open_operations: dict[int, tuple[OperationKind, int, float]] = {}
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith("\n"):
                    break
                operation = _take(line, open_operations, f"{path}, line {number}")
                if operation is not None:
                    yield operation
    except (OSError, EOFError, UnicodeError, zlib.error) as error:
        raise BadInput(f"the history {path} cannot be read: {error}") from error
    for writer, (kind, number, invoked) in sorted(open_operations.items()):
        yield Operation(writer, kind, number, invoked, None, Completion.INFO, "no end was seen")


def _take(
    line: str, open_operations: dict[int, tuple[OperationKind, int, float]], where: str
) -> Operation | None:
    try:
        what, writer_text, kind_text, number_text, time_text, _wall, error = line[:-1].split("\t")
        writer, kind, number = int(writer_text), OperationKind(kind_text), int(number_text)
        time = float(time_text)
        completion = None if what == "invoke" else Completion(what)
    except ValueError as refused:
        raise BadInput(f"{where} is not a line of a history: {refused}") from refused
    begun = open_operations.pop(writer, None)
    if completion is None and begun is None:
        open_operations[writer] = kind, number, time
        return None
    if completion is None:
        raise BadInput(f"{where}: writer {writer} has an operation without an end")
    if begun is None or begun[:2] != (kind, number):
        raise BadInput(f"{where} ends an operation that did not begin")
    return Operation(writer, kind, number, begun[2], time, completion, error)


Runs = list[tuple[int, int]]
"""Numbers that are there, as sorted, inclusive runs: [(1, 500), (502, 502)]."""


class FinalReading(BaseModel):
    """Everything that is in the ledger's tables, read after recovery. Keys are writers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: dict[int, Runs]
    transfers: dict[int, Runs]
    registers: dict[int, int]
    balances: dict[int, int] = Field(description="by account")
    duplicates: tuple[str, ...] = Field((), description="rows that are there more than once")
    damaged: tuple[str, ...] = Field((), description="rows whose content is not what was written")


def runs_of(numbers: Iterable[int]) -> Runs:
    """Return ascending numbers as runs; a number that comes twice is in them once."""
    runs: Runs = []
    for number in numbers:
        if runs and number <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], number))
        else:
            runs.append((number, number))
    return runs
