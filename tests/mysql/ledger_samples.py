"""Operations, readings and history files for tests of the ledger."""

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from landfast.mysql.checker import check
from landfast.mysql.history import (
    ACCOUNTS,
    INITIAL_BALANCE,
    Completion,
    FinalReading,
    Operation,
    OperationKind,
    runs_of,
    transfer_of,
)
from landfast.results import LedgerCheck

EPOCH, INJECT, HEALED, ENDED = 100.0, 110.0, 120.0, 130.0
BEFORE, DURING, AFTER = 105.0, 115.0, 125.0
_WALL = 1_764_000_000.0


def insert(
    number: int, at: float, completion: Completion = Completion.OK, writer: int = 0
) -> Operation:
    """Give a row's insert that ended at `at`."""
    return Operation(writer, OperationKind.INSERT, number, at - 0.01, at, completion)


def transfer(
    number: int, at: float, completion: Completion = Completion.OK, writer: int = 5
) -> Operation:
    return Operation(writer, OperationKind.TRANSFER, number, at - 0.01, at, completion)


def update(
    number: int, at: float, completion: Completion = Completion.OK, writer: int = 7
) -> Operation:
    """Give an update of a register that ended at `at`."""
    return Operation(writer, OperationKind.REGISTER, number, at - 0.01, at, completion)


def read(
    rows: Mapping[int, Iterable[int]] | None = None,
    transfers: Mapping[int, Iterable[int]] | None = None,
    registers: Mapping[int, int] | None = None,
    **others: Any,
) -> FinalReading:
    """Give a reading whose balances fit its transfers, unless `others` has some."""
    moved = {writer: sorted(numbers) for writer, numbers in (transfers or {}).items()}
    balances = dict.fromkeys(range(ACCOUNTS), INITIAL_BALANCE)
    for writer, numbers in moved.items():
        for number in numbers:
            source, target, amount = transfer_of(writer, number)
            balances[source] -= amount
            balances[target] += amount
    return FinalReading(
        rows={writer: runs_of(sorted(numbers)) for writer, numbers in (rows or {}).items()},
        transfers={writer: runs_of(numbers) for writer, numbers in moved.items()},
        registers=dict(registers or {}),
        **{"balances": balances, **others},
    )


def judge(
    operations: Iterable[Operation],
    reading: FinalReading | None,
    *,
    inject: float = INJECT,
    healed: float | None = HEALED,
    during_required: bool = True,
) -> LedgerCheck:
    """Check a ledger with the usual marks."""
    return check(
        operations,
        reading,
        inject=inject,
        healed=healed,
        during_required=during_required,
        epoch=EPOCH,
    )


def write_history(path: Path, operations: Iterable[Operation]) -> None:
    """Write operations as the writers do: in order of time. `.gz`: packed, the same each time."""
    lines: list[tuple[float, str]] = []
    for operation in operations:
        lines.append((operation.invoked, _line("invoke", operation, operation.invoked, "")))
        if operation.ended is not None:
            text = _line(operation.completion, operation, operation.ended, operation.error)
            lines.append((operation.ended, text))
    text = "".join(line for _, line in sorted(lines, key=lambda timed: timed[0]))
    packed = path.suffix == ".gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if packed else text.encode())


def _line(what: str, operation: Operation, time: float, error: str) -> str:
    of = f"{operation.writer}\t{operation.kind}\t{operation.number}"
    return f"{what}\t{of}\t{time:.6f}\t{_WALL + time:.6f}\t{error}\n"
