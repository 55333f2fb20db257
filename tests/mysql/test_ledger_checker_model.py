"""The checker against a slow model that is obviously right: sets of (kind, writer, number)."""

from dataclasses import dataclass, replace
from random import Random

import hypothesis.strategies as st
from hypothesis import assume, given, settings
from ledger_samples import AFTER, EPOCH, judge, read

from landfast.mysql.history import (
    Completion,
    FinalReading,
    Operation,
    OperationKind,
    runs_of,
    transfer_of,
)
from landfast.results import LedgerCheck
from landfast.verdict import Verdict

WORSE_AND_WORSE = (Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL)


@dataclass(frozen=True)
class Case:
    """A ledger, what was read of it, and the marks."""

    operations: list[Operation]
    reading: FinalReading
    inject: float
    healed: float | None
    during_required: bool

    def check(self) -> LedgerCheck:
        return judge(
            self.operations,
            self.reading,
            inject=self.inject,
            healed=self.healed,
            during_required=self.during_required,
        )


COMPLETIONS = st.sampled_from(
    [Completion.OK, Completion.OK, Completion.OK, Completion.FAIL, Completion.INFO]
)
WRITERS = (
    OperationKind.INSERT,
    OperationKind.INSERT,
    OperationKind.TRANSFER,
    OperationKind.REGISTER,
    OperationKind.REGISTER,
    OperationKind.CONNECT,
)
READ = st.integers(0, len(WRITERS))
"""A writer as something is read of it; the last one does not write."""
NUMBERS = st.sets(st.integers(1, 8), min_size=1, max_size=5)
SOME = st.sampled_from([(), (), ("insert 1 of writer 0",)])


@st.composite
def workloads(draw: st.DrawFn) -> list[Operation]:
    """A few writers, each with one operation after the other; the last one may have no end."""
    operations = []
    for writer, kind in enumerate(WRITERS):
        begun, pause = EPOCH + draw(st.integers(0, 64)) / 64, draw(st.integers(1, 128)) / 64
        for number, completion in enumerate(draw(st.lists(COMPLETIONS, min_size=2, max_size=7)), 1):
            ended = begun + pause / 2
            operations.append(Operation(writer, kind, number, begun, ended, completion))
            begun += pause
        if draw(st.booleans()):
            operations[-1] = replace(operations[-1], ended=None, completion=Completion.INFO)
    return operations


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Half of the time all that was acknowledged is there; else anything may be."""
    operations = draw(workloads())
    rows: dict[OperationKind, dict[int, set[int]]] = {kind: {} for kind in OperationKind}
    for o in operations:
        if o.completion is Completion.OK:
            rows[o.kind].setdefault(o.writer, set()).add(o.number)
    registers = {writer: max(numbers) for writer, numbers in rows[OperationKind.REGISTER].items()}
    reading = read(rows[OperationKind.INSERT], rows[OperationKind.TRANSFER], registers)
    if draw(st.booleans()):
        reading = draw(spoilt(rows, registers))
    inject = EPOCH + draw(st.integers(0, 500)) / 64
    return Case(
        operations=operations,
        reading=reading,
        inject=inject,
        healed=draw(st.none() | st.integers(0, 500).map(lambda ticks: inject + ticks / 64)),
        during_required=draw(st.booleans()),
    )


@st.composite
def spoilt(
    draw: st.DrawFn, rows: dict[OperationKind, dict[int, set[int]]], registers: dict[int, int]
) -> FinalReading:
    """A reading with rows taken away and added, registers and accounts changed."""
    for kind in (OperationKind.INSERT, OperationKind.TRANSFER):
        for writer, numbers in draw(st.dictionaries(READ, NUMBERS, max_size=4)).items():
            rows[kind][writer] = rows[kind].get(writer, set()) ^ numbers
    registers |= draw(st.dictionaries(READ, st.integers(0, 8), max_size=3))
    balances = dict(read(transfers=rows[OperationKind.TRANSFER]).balances)
    changes = st.dictionaries(st.integers(0, 16), st.integers(-3, 3), max_size=2)
    for account, change in draw(changes).items():
        balances[account] = balances.get(account, 0) + change
    return read(
        rows[OperationKind.INSERT],
        rows[OperationKind.TRANSFER],
        registers,
        balances=balances,
        duplicates=draw(SOME),
        damaged=draw(SOME),
    )


Write = tuple[str, int, int]


@dataclass(frozen=True)
class Slow:
    """What the model says."""

    stable: set[Write]
    lost: set[Write]
    recovered: set[Write]
    never_read: set[Write]
    unexpected: set[Write]
    torn: int


def slow_check(operations: list[Operation], reading: FinalReading) -> Slow:
    def ended(completion: Completion) -> set[Write]:
        return {
            (o.kind.value, o.writer, o.number)
            for o in operations
            if o.completion is completion and o.kind is not OperationKind.CONNECT
        }

    acknowledged, uncertain = ended(Completion.OK), ended(Completion.INFO)
    present: set[Write] = set()
    for kind, table in (("insert", reading.rows), ("transfer", reading.transfers)):
        for writer, runs in table.items():
            for first, last in runs:
                present |= {(kind, writer, number) for number in range(first, last + 1)}
    values = {("register", w, value) for w, value in reading.registers.items() if value != 0}
    unexpected = (present | values) - acknowledged - uncertain
    # An acknowledged update is there, too, if a later one has been read.
    present |= values | {
        ("register", writer, number)
        for kind, writer, number in acknowledged
        if kind == "register" and number <= reading.registers.get(writer, 0)
    }
    accounts = dict.fromkeys(range(16), 1_000_000)
    for writer, runs in reading.transfers.items():
        for first, last in runs:
            for number in range(first, last + 1):
                source, target, amount = transfer_of(writer, number)
                accounts[source] -= amount
                accounts[target] += amount
    wrong = [a for a in range(-1, 20) if accounts.get(a) != reading.balances.get(a)]
    return Slow(
        stable=acknowledged & present,
        lost=acknowledged - present,
        recovered=uncertain & present,
        never_read=uncertain - present,
        unexpected=unexpected,
        torn=len(wrong) + len(reading.damaged),
    )


@settings(max_examples=150)
@given(cases())
def test_checker_agrees_with_the_model(case: Case) -> None:
    counts, slow = case.check().counts, slow_check(case.operations, case.reading)
    assert counts.stable == len(slow.stable)
    assert counts.lost == len(slow.lost)
    assert counts.recovered == len(slow.recovered)
    assert counts.never_read == len(slow.never_read)
    assert counts.unexpected == len(slow.unexpected)
    assert counts.torn == slow.torn
    assert counts.duplicate == len(case.reading.duplicates)
    assert counts.acknowledged == len(slow.stable | slow.lost)
    assert counts.uncertain == len(slow.recovered | slow.never_read)
    assert counts.attempted == counts.acknowledged + counts.failed + counts.uncertain


@given(cases())
def test_lost_runs_are_what_is_lost(case: Case) -> None:
    acknowledged = {(o.kind.value, o.writer, o.number): o.ended for o in case.operations}
    lost: list[Write] = []
    for run in case.check().lost:
        lost += [(run.kind, run.writer, number) for number in range(run.first, run.last + 1)]
        first = acknowledged[run.kind, run.writer, run.first]
        last = acknowledged[run.kind, run.writer, run.last]
        assert (run.acknowledged_from + EPOCH, run.acknowledged_to + EPOCH) == (first, last)
        assert (run.kind, run.writer, run.first - 1) not in lost
    assert len(lost) == len(set(lost))
    assert set(lost) == slow_check(case.operations, case.reading).lost


@given(cases())
def test_intervals_are_those_of_the_acknowledgements(case: Case) -> None:
    slow = slow_check(case.operations, case.reading)
    expected = {"before": [0, 0], "during": [0, 0], "after": [0, 0]}
    for o in case.operations:
        if (
            o.completion is Completion.OK
            and o.kind is not OperationKind.CONNECT
            and o.ended is not None
        ):
            if o.ended < case.inject:
                name = "before"
            elif case.healed is not None and o.ended >= case.healed:
                name = "after"
            else:
                name = "during"
            expected[name][0] += 1
            expected[name][1] += (o.kind.value, o.writer, o.number) in slow.lost
    found = {i.interval: [i.acknowledged, i.lost] for i in case.check().by_interval}
    assert found == expected


@given(cases())
def test_verdict_follows_from_counts_and_intervals(case: Case) -> None:
    result = case.check()
    slow = slow_check(case.operations, case.reading)
    acknowledged: dict[str, int] = {i.interval: i.acknowledged for i in result.by_interval}
    needed = ["before", "after"] + ["during"] * case.during_required
    if slow.lost or slow.unexpected or slow.torn or case.reading.duplicates:
        expected = Verdict.FAIL
    else:
        expected = Verdict.PASS if all(acknowledged[i] for i in needed) else Verdict.UNKNOWN
    assert result.verdict is expected
    assert bool(result.reasons) is (expected is not Verdict.PASS)


@given(cases(), st.randoms(use_true_random=False))
def test_order_of_operations_does_not_matter(case: Case, random: Random) -> None:
    mixed = list(case.operations)
    random.shuffle(mixed)
    assert replace(case, operations=mixed).check() == case.check()


@given(cases())
def test_another_acknowledged_write_that_is_there_makes_nothing_worse(case: Case) -> None:
    rows = {**case.reading.rows, 99: [(1, 1)]}
    reading = case.reading.model_copy(update={"rows": rows})
    write = Operation(99, OperationKind.INSERT, 1, AFTER - 1, AFTER, Completion.OK)
    more = replace(case, operations=[*case.operations, write], reading=reading).check()
    less = case.check()
    assert WORSE_AND_WORSE.index(more.verdict) <= WORSE_AND_WORSE.index(less.verdict)
    counted = ("attempted", "acknowledged", "stable")
    one_more = {name: getattr(less.counts, name) + 1 for name in counted}
    assert more.counts == less.counts.model_copy(update=one_more)
    assert more.lost == less.lost


@given(cases(), st.data())
def test_acknowledged_row_that_is_taken_away_is_one_lost(case: Case, data: st.DataObject) -> None:
    stable = slow_check(case.operations, case.reading).stable
    inserts = sorted(write for write in stable if write[0] == "insert")
    assume(inserts)
    _, writer, number = data.draw(st.sampled_from(inserts))
    left = [
        n
        for first, last in case.reading.rows[writer]
        for n in range(first, last + 1)
        if n != number
    ]
    rows = {**case.reading.rows, writer: runs_of(left)}
    reading = case.reading.model_copy(update={"rows": rows})
    less, whole = replace(case, reading=reading).check(), case.check()
    assert less.verdict is Verdict.FAIL
    changed = {"lost": whole.counts.lost + 1, "stable": whole.counts.stable - 1}
    assert less.counts == whole.counts.model_copy(update=changed)
    assert any(
        (run.kind, run.writer) == ("insert", writer) and run.first <= number <= run.last
        for run in less.lost
    )


@given(workloads())
def test_without_a_reading_it_is_unknown(operations: list[Operation]) -> None:
    result = judge(operations, None)
    assert result.verdict is Verdict.UNKNOWN
    assert result.counts.lost == result.counts.unexpected == result.counts.torn == 0
