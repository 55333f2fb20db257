"""Compares what was tried with what is there, and finds what was lost. Pure.

An operation takes nine bytes of memory: one for how it ended, eight for when.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, get_args

from landfast.errors import BadInput
from landfast.mysql.history import (
    ACCOUNTS,
    INITIAL_BALANCE,
    Completion,
    FinalReading,
    Operation,
    OperationKind,
    Runs,
    runs_of,
    transfer_of,
)
from landfast.results import Interval, IntervalLosses, LedgerCheck, LedgerCounts, LostRun, Table
from landfast.verdict import Verdict

_NEVER, _OK, _FAIL, _INFO = range(4)
_CODE = {Completion.OK: _OK, Completion.FAIL: _FAIL, Completion.INFO: _INFO}
_SHOWN = 5

_TABLES: Final[dict[OperationKind, Table]] = {OperationKind(t): t for t in get_args(Table)}
_INTERVALS: Final[tuple[Interval, ...]] = get_args(Interval)


class _Tried:
    """What one writer tried in one table. An operation's place is its number, from 1."""

    def __init__(self) -> None:
        self.codes = bytearray(1)
        self.ended = array("d", [0.0])

    def note(self, operation: Operation) -> None:
        number = operation.number
        if number < 1 or self.code(number) != _NEVER:
            # the second would hide the first
            raise BadInput(
                f"the history numbers {operation.kind} {number} of writer {operation.writer} twice "
                "or below 1; it may mix several workloads"
            )
        missing = number + 1 - len(self.codes)
        if missing > 0:
            self.codes.extend(bytes(missing))
            self.ended.extend([0.0] * missing)
        self.codes[number] = _CODE[operation.completion]
        if operation.ended is not None:
            self.ended[number] = operation.ended

    def code(self, number: int) -> int:
        return self.codes[number] if 0 < number < len(self.codes) else _NEVER

    def may_be_there(self, number: int) -> bool:
        return self.code(number) in (_OK, _INFO)

    def acknowledged_at(self) -> Iterator[float]:
        return (time for code, time in zip(self.codes, self.ended, strict=True) if code == _OK)


def _run(table: Table, writer: int, first: int, last: int) -> str:
    numbers = f" {first}" if first == last else f"s {first} to {last}"
    return f"writer {writer}, {table}{numbers}"


@dataclass
class _Fates:
    """What became of the operations that were compared so far."""

    stable: int = 0
    recovered: int = 0
    never_read: int = 0
    unexpected: int = 0
    unexpected_runs: list[str] = field(default_factory=list)
    lost: list[LostRun] = field(default_factory=list)
    lost_at: "array[float]" = field(default_factory=lambda: array("d"))
    """When each lost operation was acknowledged."""


_Ledger = dict[tuple[Table, int], _Tried]


def check(
    operations: Iterable[Operation],
    reading: FinalReading | None,
    *,
    inject: float,
    healed: float | None,
    during_required: bool,
    epoch: float,
    clock_error: float = 0.0,
) -> LedgerCheck:
    """Return the verdict on the data, and what became of every operation.

    FAIL if something acknowledged is lost, or something is there that must not be. UNKNOWN if
    nothing was read, or if no write was acknowledged when some must have been: a PASS would say
    nothing.

    Args:
        operations: what was tried, in any order; connections are ignored.
        reading: what is there after recovery, or None if it was not read.
        inject: when the fault was injected, in monotonic seconds like those of the operations.
        healed: when it was proven to be healed, or None.
        during_required: whether writes must be acknowledged while the fault is in effect.
        epoch: when the workload began; the times of what is lost count from there.
        clock_error: by how many seconds the times of the operations may be off. What may have been
            acknowledged during the fault counts as such, so before and after are certain.

    Raises:
        BadInput: two operations have the same number.
    """
    ledger: _Ledger = {}
    for operation in operations:
        if operation.kind is not OperationKind.CONNECT:
            key = _TABLES[operation.kind], operation.writer
            if key not in ledger:
                ledger[key] = _Tried()
            ledger[key].note(operation)
    found = _Fates() if reading is None else _compare(ledger, reading, epoch)
    torn = [] if reading is None else [*reading.damaged, *_unbalanced(reading)]
    acknowledged, failed, uncertain = (
        sum(tried.codes.count(code) for tried in ledger.values()) for code in (_OK, _FAIL, _INFO)
    )
    counts = LedgerCounts(
        attempted=acknowledged + failed + uncertain,
        acknowledged=acknowledged,
        failed=failed,
        uncertain=uncertain,
        stable=found.stable,
        lost=len(found.lost_at),
        recovered=found.recovered,
        never_read=found.never_read,
        unexpected=found.unexpected,
        duplicate=len(reading.duplicates) if reading else 0,
        torn=len(torn),
    )
    end = inf if healed is None else healed
    by_interval = _by_interval(ledger, found, inject - clock_error, end + clock_error)
    went_on = not during_required or _has_between(ledger, inject + clock_error, end - clock_error)
    if reading is None:
        verdict, reasons = Verdict.UNKNOWN, ["the ledger was not read after recovery"]
    elif reasons := _failures(counts, found, reading, torn):
        verdict = Verdict.FAIL
    else:
        reasons = _doubts(by_interval, healed, went_on)
        verdict = Verdict.UNKNOWN if reasons else Verdict.PASS
    return LedgerCheck(
        verdict=verdict,
        reasons=tuple(reasons),
        counts=counts,
        lost=tuple(found.lost),
        by_interval=by_interval,
    )


def _compare(ledger: _Ledger, reading: FinalReading, epoch: float) -> _Fates:
    found = _Fates()
    rows: dict[tuple[Table, int], Runs] = {}
    rows |= {("insert", writer): runs for writer, runs in reading.rows.items()}
    rows |= {("transfer", writer): runs for writer, runs in reading.transfers.items()}
    registers: set[tuple[Table, int]] = {("register", writer) for writer in reading.registers}
    for table, writer in sorted({*ledger, *rows, *registers}):
        tried = ledger.get((table, writer), _Tried())
        if table == "register":
            there, strangers = _register(tried, reading.registers.get(writer, 0))
        else:
            there, strangers = _rows(tried, rows.get((table, writer), []))
        found.unexpected += sum(last - first + 1 for first, last in strangers)
        found.unexpected_runs += [_run(table, writer, *numbers) for numbers in strangers]
        _classify(table, writer, tried, there, found, epoch)
    return found


def _rows(tried: _Tried, runs: Runs) -> tuple[bytearray, Runs]:
    """Return for each number whether its row is there, and the rows that must not be."""
    there = bytearray(len(tried.codes))
    strangers: list[int] = []
    for first, last in runs:
        for number in range(first, last + 1):
            if tried.may_be_there(number):
                there[number] = 1
            else:
                strangers.append(number)
    return there, runs_of(strangers)


def _register(tried: _Tried, value: int) -> tuple[bytearray, Runs]:
    """Return for each update whether it is there, and the value if it must not be.

    A register shows only its last update. Acknowledged updates are there if the value is not older;
    an uncertain one may have been overwritten.
    """
    there = bytearray(code == _OK and number <= value for number, code in enumerate(tried.codes))
    if tried.may_be_there(value):
        there[value] = 1
    elif value:
        return there, [(value, value)]
    return there, []


def _classify(
    table: Table, writer: int, tried: _Tried, there: bytearray, found: _Fates, epoch: float
) -> None:
    lost = array("q")
    for number, (code, is_there) in enumerate(zip(tried.codes, there, strict=True)):
        if code == _OK and is_there:
            found.stable += 1
        elif code == _OK:
            lost.append(number)
        elif code == _INFO and is_there:
            found.recovered += 1
        elif code == _INFO:
            found.never_read += 1
    found.lost_at.extend(tried.ended[number] for number in lost)
    found.lost += [
        LostRun(
            kind=table,
            writer=writer,
            first=first,
            last=last,
            acknowledged_from=tried.ended[first] - epoch,
            acknowledged_to=tried.ended[last] - epoch,
        )
        for first, last in runs_of(lost)
    ]


def _unbalanced(reading: FinalReading) -> list[str]:
    """Return which balances do not agree with the transfers that are there.

    Transfers only move money: if the sum of all balances is wrong, so is one of them.
    """
    wanted = dict.fromkeys(range(ACCOUNTS), INITIAL_BALANCE)
    for writer, runs in reading.transfers.items():
        for first, last in runs:
            for number in range(first, last + 1):
                source, target, amount = transfer_of(writer, number)
                wanted[source] -= amount
                wanted[target] += amount
    balances = reading.balances
    return [
        f"account {n} has {balances.get(n, 'no row')} instead of {wanted.get(n, 'none')}"
        for n in sorted({*wanted, *balances})
        if wanted.get(n) != balances.get(n)
    ]


def _acknowledged_at(ledger: _Ledger) -> Iterator[float]:
    return (time for tried in ledger.values() for time in tried.acknowledged_at())


def _has_between(ledger: _Ledger, start: float, end: float) -> bool:
    return any(start <= time < end for time in _acknowledged_at(ledger))


def _by_interval(
    ledger: _Ledger, found: _Fates, start: float, end: float
) -> tuple[IntervalLosses, ...]:
    """Return what was acknowledged and lost before, during and after the fault."""
    bounds = [start, end]
    acknowledged = Counter(bisect_right(bounds, time) for time in _acknowledged_at(ledger))
    lost = Counter(bisect_right(bounds, time) for time in found.lost_at)
    return tuple(
        IntervalLosses(interval=name, acknowledged=acknowledged[place], lost=lost[place])
        for place, name in enumerate(_INTERVALS)
    )


def _failures(
    counts: LedgerCounts, found: _Fates, reading: FinalReading, torn: list[str]
) -> list[str]:
    """Return what is wrong with the data."""
    reasons = []
    if counts.lost:
        runs = [_run(run.kind, run.writer, run.first, run.last) for run in found.lost]
        what = _counted(counts.lost, "acknowledged write is", "acknowledged writes are")
        reasons.append(f"{what} lost: {_shown(runs)}")
    if counts.unexpected:
        what = _counted(counts.unexpected, "write is", "writes are")
        reasons.append(f"{what} there that nobody made: {_shown(found.unexpected_runs)}")
    if counts.duplicate:
        what = _counted(counts.duplicate, "row is", "rows are")
        reasons.append(f"{what} there more than once: {_shown(reading.duplicates)}")
    if counts.torn:
        what = _counted(counts.torn, "row or account is", "rows or accounts are")
        reasons.append(f"{what} torn: {_shown(torn)}")
    total = sum(reading.balances.values())
    if total != ACCOUNTS * INITIAL_BALANCE:
        reasons.append(f"all accounts have {total} instead of {ACCOUNTS * INITIAL_BALANCE}")
    return reasons


def _doubts(
    by_interval: tuple[IntervalLosses, ...], healed: float | None, went_on: bool
) -> list[str]:
    """Return why a ledger without failures proves nothing."""
    before, _, after = (found.acknowledged for found in by_interval)
    reasons = []
    if not before:
        reasons.append("no write was acknowledged before the fault")
    if not went_on:
        reasons.append("no write was acknowledged while the fault was in effect")
    if healed is None:
        reasons.append("the fault was not proven to be healed: no write counts as made after it")
    elif not after:
        reasons.append("no write was acknowledged after the fault was healed")
    return reasons


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _shown(items: Sequence[object]) -> str:
    more = [f"and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return "; ".join([*map(str, items[:_SHOWN]), *more])
