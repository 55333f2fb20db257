"""From what was tried and what is there to what was lost. Pure.

Each operation is one byte in memory, and the time of its acknowledgement: 10^6 of them fit into
ten megabytes.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from landfast.mysql.history import (
    ACCOUNTS,
    INITIAL_BALANCE,
    Kind,
    Operation,
    Outcome,
    Runs,
    transfer_of,
)
from landfast.mysql.reading import FinalReading
from landfast.survival.model import IntervalLosses, LedgerCheck, LedgerCounts, LostRun
from landfast.verdict import Verdict

_NEVER, _OK, _FAIL, _INFO = range(4)
_CODE = {Outcome.OK: _OK, Outcome.FAIL: _FAIL, Outcome.INFO: _INFO}
_SHOWN_RUNS = 5


@dataclass
class _Tried:
    """What one writer tried; the number of an operation is its place."""

    outcome: bytearray = field(default_factory=lambda: bytearray(1))  # numbers begin with 1
    ended: array[float] = field(default_factory=lambda: array("d", [0.0]))

    def note(self, operation: Operation) -> None:
        missing = operation.number + 1 - len(self.outcome)
        if missing > 0:
            self.outcome.extend(bytes(missing))
            self.ended.extend([0.0] * missing)
        self.outcome[operation.number] = _CODE[operation.outcome]
        self.ended[operation.number] = operation.ended or 0.0

    def of(self, number: int) -> int:
        return self.outcome[number] if 0 < number < len(self.outcome) else _NEVER

    def numbers(self) -> range:
        return range(1, len(self.outcome))


@dataclass
class _Tally:
    """What has been found so far."""

    stable: int = 0
    recovered: int = 0
    never_read: int = 0
    unexpected: int = 0
    lost: list[tuple[Kind, int, int, float]] = field(default_factory=list)
    """kind, writer, number, when it was acknowledged"""


def check(
    operations: Iterable[Operation],
    reading: FinalReading | None,
    *,
    inject: float,
    healed: float | None,
    during_required: bool,
    epoch: float,
) -> LedgerCheck:
    """Give the verdict on the data: what became of every operation.

    Args:
        operations: what was tried, in any order.
        reading: what is there after recovery, or None if it was not read.
        inject: when the fault was injected, monotonic seconds like those of the operations.
        healed: when it was proven to be healed, or None.
        during_required: whether writes must be acknowledged while the fault is in effect.
        epoch: when the workload began; the times of what is lost are given from there.

    FAIL if something acknowledged is lost, or something is there that must not be. UNKNOWN if
    nothing was read, or no write was acknowledged when some must have been: then a PASS says
    nothing.
    """
    tried: dict[tuple[Kind, int], _Tried] = {}
    for operation in operations:
        if operation.kind is not Kind.CONNECT:
            tried.setdefault((operation.kind, operation.writer), _Tried()).note(operation)
    tally = _Tally()
    torn = 0
    if reading is not None:
        for (kind, writer), of_writer in sorted(tried.items()):
            if kind is Kind.REGISTER:
                _judge_register(writer, of_writer, reading.registers.get(writer, 0), tally)
            else:
                runs = _table(reading, kind).get(writer, [])
                _judge_rows(kind, writer, of_writer, runs, tally)
        tally.unexpected += _strangers(reading, tried)
        torn = len(reading.damaged) + _unbalanced(reading)
    outcomes = [code for found in tried.values() for code in _codes(found)]
    counts = LedgerCounts(
        attempted=sum(outcomes),
        acknowledged=sum(found.outcome.count(_OK) for found in tried.values()),
        failed=sum(found.outcome.count(_FAIL) for found in tried.values()),
        uncertain=sum(found.outcome.count(_INFO) for found in tried.values()),
        stable=tally.stable,
        lost=len(tally.lost),
        recovered=tally.recovered,
        never_read=tally.never_read,
        unexpected=tally.unexpected,
        duplicate=len(reading.duplicates) if reading else 0,
        torn=torn,
    )
    intervals = _by_interval(tried, tally, inject, healed)
    verdict, reasons = _verdict(counts, intervals, reading, tally, healed, during_required)
    return LedgerCheck(
        verdict=verdict,
        reasons=tuple(reasons),
        counts=counts,
        lost=tuple(_lost_runs(tally, epoch)),
        by_interval=intervals,
    )


def _codes(found: _Tried) -> Iterator[bool]:
    return (code != _NEVER for code in found.outcome)


def _table(reading: FinalReading, kind: Kind) -> dict[int, Runs]:
    return reading.rows if kind is Kind.INSERT else reading.transfers


def _judge_rows(kind: Kind, writer: int, tried: _Tried, runs: Runs, tally: _Tally) -> None:
    present = bytearray(len(tried.outcome))
    for first, last in runs:
        for number in range(first, last + 1):
            if tried.of(number) in (_NEVER, _FAIL):
                tally.unexpected += 1
            else:
                present[number] = 1
    for number in tried.numbers():
        match tried.outcome[number], present[number]:
            case (1, 1):
                tally.stable += 1
            case (1, 0):
                tally.lost.append((kind, writer, number, tried.ended[number]))
            case (3, 1):
                tally.recovered += 1
            case (3, 0):
                tally.never_read += 1


def _judge_register(writer: int, tried: _Tried, value: int, tally: _Tally) -> None:
    """A register has its last update only: those before it are there if it is no older."""
    if value and tried.of(value) in (_NEVER, _FAIL):
        tally.unexpected += 1
    for number in tried.numbers():
        match tried.outcome[number]:
            case 1 if number <= value:
                tally.stable += 1
            case 1:
                tally.lost.append((Kind.REGISTER, writer, number, tried.ended[number]))
            case 3 if number == value:
                tally.recovered += 1
            case 3:
                tally.never_read += 1


def _strangers(reading: FinalReading, tried: dict[tuple[Kind, int], _Tried]) -> int:
    """Give how many rows are there of writers that tried nothing of the kind."""
    rows = (
        last - first + 1
        for kind in (Kind.INSERT, Kind.TRANSFER)
        for writer, runs in _table(reading, kind).items()
        if (kind, writer) not in tried
        for first, last in runs
    )
    registers = (
        1
        for writer, value in reading.registers.items()
        if value and (Kind.REGISTER, writer) not in tried
    )
    return sum(rows) + sum(registers)


def _unbalanced(reading: FinalReading) -> int:
    """Give how many accounts have not what the transfers that are there make of them."""
    wanted = dict.fromkeys(range(ACCOUNTS), INITIAL_BALANCE)
    for writer, runs in reading.transfers.items():
        for first, last in runs:
            for number in range(first, last + 1):
                source, target, amount = transfer_of(writer, number)
                wanted[source] -= amount
                wanted[target] += amount
    return sum(wanted.get(n) != reading.balances.get(n) for n in {*wanted, *reading.balances})


def _by_interval(
    tried: dict[tuple[Kind, int], _Tried], tally: _Tally, inject: float, healed: float | None
) -> tuple[IntervalLosses, ...]:
    acknowledged = {"before": 0, "during": 0, "after": 0}
    lost = dict(acknowledged)

    def interval(time: float) -> str:
        if time < inject:
            return "before"
        return "during" if healed is None or time < healed else "after"

    for found in tried.values():
        for number in found.numbers():
            if found.outcome[number] == _OK:
                acknowledged[interval(found.ended[number])] += 1
    for _, _, _, time in tally.lost:
        lost[interval(time)] += 1
    return tuple(
        IntervalLosses(interval=name, acknowledged=acknowledged[name], lost=lost[name])
        for name in ("before", "during", "after")
    )


def _lost_runs(tally: _Tally, epoch: float) -> Iterator[LostRun]:
    run: list[tuple[Kind, int, int, float]] = []
    for item in [*tally.lost, None]:
        if run and (item is None or item[:3] != (*run[-1][:2], run[-1][2] + 1)):
            times = [time - epoch for _, _, _, time in run]
            yield LostRun(
                kind=run[0][0].value,
                writer=run[0][1],
                first=run[0][2],
                last=run[-1][2],
                acknowledged_from=min(times),
                acknowledged_to=max(times),
            )
            run = []
        if item is not None:
            run.append(item)


def _verdict(
    counts: LedgerCounts,
    intervals: tuple[IntervalLosses, ...],
    reading: FinalReading | None,
    tally: _Tally,
    healed: float | None,
    during_required: bool,
) -> tuple[Verdict, list[str]]:
    if reading is None:
        return Verdict.UNKNOWN, ["the ledger was not read after recovery"]
    wrong = []
    if counts.lost:
        wrong.append(f"{counts.lost} acknowledged writes are lost: {_said(tally)}")
    if counts.unexpected:
        wrong.append(f"{counts.unexpected} writes are there that nobody made")
    if counts.duplicate:
        wrong.append(f"{counts.duplicate} rows are there more than once: {reading.duplicates[0]}")
    if counts.torn:
        some = f": {reading.damaged[0]}" if reading.damaged else ": the accounts do not add up"
        wrong.append(f"{counts.torn} rows or accounts are torn{some}")
    if wrong:
        return Verdict.FAIL, wrong
    before, during, after = (found.acknowledged for found in intervals)
    unknown = []
    if not before:
        unknown.append("no write was acknowledged before the fault")
    if during_required and not during:
        unknown.append("no write was acknowledged while the fault was in effect")
    if healed is None or not after:
        unknown.append("no write was acknowledged after the fault was healed")
    return (Verdict.UNKNOWN if unknown else Verdict.PASS), unknown


def _said(tally: _Tally) -> str:
    runs = list(_lost_runs(tally, 0))
    shown = [f"writer {r.writer}, {r.kind}s {r.first} to {r.last}" for r in runs[:_SHOWN_RUNS]]
    more = [f"and {len(runs) - _SHOWN_RUNS} runs more"] if len(runs) > _SHOWN_RUNS else []
    return "; ".join(shown + more)
