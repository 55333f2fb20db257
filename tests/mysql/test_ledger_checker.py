"""The checker by hand: one case for each class of operations, and each verdict."""

import pytest
from ledger_samples import (
    AFTER,
    BEFORE,
    DURING,
    EPOCH,
    HEALED,
    INJECT,
    insert,
    judge,
    read,
    transfer,
    update,
)

from landfast.errors import BadInput
from landfast.mysql.history import INITIAL_BALANCE, Completion, Operation, OperationKind
from landfast.results import IntervalLosses, LostRun
from landfast.verdict import Verdict

WRITTEN = [insert(1, BEFORE), insert(2, DURING), insert(3, AFTER)]
"""An acknowledged row in each interval: with all of them there, a PASS."""
THERE = {0: [1, 2, 3]}


def test_everything_acknowledged_is_there() -> None:
    result = judge(WRITTEN, read(THERE))
    assert (result.verdict, result.reasons, result.lost) == (Verdict.PASS, (), ())
    assert (result.counts.attempted, result.counts.stable) == (3, 3)


def test_operations_may_come_from_a_generator() -> None:
    assert judge(iter(WRITTEN), read(THERE)) == judge(WRITTEN, read(THERE))


def test_acknowledged_row_that_is_not_there_is_lost() -> None:
    result = judge(WRITTEN, read({0: [1, 3]}))
    assert result.verdict is Verdict.FAIL
    assert result.reasons == ("1 acknowledged write is lost: writer 0, insert 2",)
    assert (result.counts.lost, result.counts.stable) == (1, 2)
    during = DURING - EPOCH
    assert result.lost == (
        LostRun(
            kind="insert",
            writer=0,
            first=2,
            last=2,
            acknowledged_from=during,
            acknowledged_to=during,
        ),
    )
    assert result.by_interval == (
        IntervalLosses(interval="before", acknowledged=1, lost=0),
        IntervalLosses(interval="during", acknowledged=1, lost=1),
        IntervalLosses(interval="after", acknowledged=1, lost=0),
    )


def test_lost_rows_next_to_each_other_are_one_run() -> None:
    more = [insert(number, AFTER + number / 100) for number in range(4, 10)]
    result = judge(WRITTEN + more, read({0: [1, 2, 3, 6]}))
    assert [(run.first, run.last) for run in result.lost] == [(4, 5), (7, 9)]
    assert result.lost[1].acknowledged_from == pytest.approx(AFTER + 0.07 - EPOCH)
    assert result.lost[1].acknowledged_to == pytest.approx(AFTER + 0.09 - EPOCH)
    assert result.reasons == (
        "5 acknowledged writes are lost: writer 0, inserts 4 to 5; writer 0, inserts 7 to 9",
    )


def test_only_a_few_runs_are_told() -> None:
    rows = [insert(number, AFTER) for number in range(4, 30)]
    result = judge(WRITTEN + rows, read({0: [1, 2, 3, *range(4, 30, 2)]}))
    assert len(result.lost) == 13
    assert result.reasons[0].endswith("writer 0, insert 13; and 8 more")


def test_wholly_empty_reading_is_everything_lost() -> None:
    result = judge(WRITTEN, read(balances={}))
    assert result.verdict is Verdict.FAIL
    assert (result.counts.lost, result.counts.torn) == (3, 16)


def test_uncertain_row_is_recovered_or_never_read() -> None:
    uncertain = [insert(4, AFTER, Completion.INFO), insert(5, AFTER, Completion.INFO)]
    result = judge(WRITTEN + uncertain, read({0: [1, 2, 3, 5]}))
    assert result.verdict is Verdict.PASS
    assert (result.counts.recovered, result.counts.never_read) == (1, 1)


def test_operation_without_an_end_is_uncertain() -> None:
    operations = [*WRITTEN, Operation(0, OperationKind.INSERT, 4, AFTER, None, Completion.INFO)]
    assert judge(operations, read(THERE)).counts.never_read == 1
    assert judge(operations, read({0: [1, 2, 3, 4]})).counts.recovered == 1


def test_row_that_was_refused_must_not_be_there() -> None:
    result = judge([*WRITTEN, insert(4, AFTER, Completion.FAIL)], read({0: [1, 2, 3, 4]}))
    assert result.verdict is Verdict.FAIL
    assert result.reasons == ("1 write is there that nobody made: writer 0, insert 4",)
    assert (result.counts.failed, result.counts.unexpected) == (1, 1)


def test_rows_that_nobody_tried_must_not_be_there() -> None:
    strange = read({0: [1, 2, 3, 77, 78], 4: [1]}, {5: [2]}, {7: 9, 8: 0})
    result = judge(WRITTEN, strange)
    assert result.counts.unexpected == 5
    assert result.reasons == (
        "5 writes are there that nobody made: writer 0, inserts 77 to 78; writer 4, insert 1; "
        "writer 7, register 9; writer 5, transfer 2",
    )


def test_refused_row_that_is_not_there_is_in_no_class() -> None:
    result = judge([*WRITTEN, insert(4, AFTER, Completion.FAIL)], read(THERE))
    assert result.verdict is Verdict.PASS
    assert (result.counts.attempted, result.counts.failed, result.counts.stable) == (4, 1, 3)


UPDATES = [
    update(1, BEFORE),
    update(2, DURING, Completion.INFO),
    update(3, DURING),
    update(4, DURING, Completion.FAIL),
    update(5, AFTER),
    update(6, AFTER + 1, Completion.INFO),
]


@pytest.mark.parametrize(
    ("value", "stable", "lost", "recovered", "never_read", "unexpected"),
    [
        pytest.param(6, 3, 0, 1, 1, 0, id="the last uncertain one was done"),
        pytest.param(5, 3, 0, 0, 2, 0, id="it was not"),
        pytest.param(4, 2, 1, 0, 2, 1, id="one that was refused"),
        pytest.param(3, 2, 1, 0, 2, 0, id="the last acknowledged one is gone"),
        pytest.param(2, 1, 2, 1, 1, 0, id="back to an uncertain one"),
        pytest.param(0, 0, 3, 0, 2, 0, id="never set"),
        pytest.param(99, 3, 0, 0, 2, 1, id="never tried"),
        pytest.param(-1, 0, 3, 0, 2, 1, id="below all"),
    ],
)
def test_register_is_judged_by_the_value_read(
    value: int, stable: int, lost: int, recovered: int, never_read: int, unexpected: int
) -> None:
    counts = judge(UPDATES, read(registers={7: value})).counts
    assert (counts.stable, counts.lost) == (stable, lost)
    assert (counts.recovered, counts.never_read) == (recovered, never_read)
    assert counts.unexpected == unexpected


def test_register_that_is_not_there_counts_as_0() -> None:
    assert judge(UPDATES, read()) == judge(UPDATES, read(registers={7: 0}))


def test_lost_updates_are_named() -> None:
    result = judge(UPDATES, read(registers={7: 1}))
    assert [(run.kind, run.writer, run.first, run.last) for run in result.lost] == [
        ("register", 7, 3, 3),
        ("register", 7, 5, 5),
    ]


def test_connections_are_no_writes() -> None:
    connects = [
        Operation(0, OperationKind.CONNECT, 1, BEFORE, BEFORE, Completion.OK),
        Operation(0, OperationKind.CONNECT, 2, AFTER, AFTER, Completion.FAIL),
    ]
    assert judge(WRITTEN + connects, read(THERE)) == judge(WRITTEN, read(THERE))


def test_transfers_explain_the_balances() -> None:
    moved = [transfer(1, BEFORE), transfer(2, DURING, Completion.INFO), transfer(3, AFTER)]
    assert judge(moved, read(transfers={5: [1, 2, 3]}), during_required=False).verdict == "PASS"
    assert judge(moved, read(transfers={5: [1, 3]}), during_required=False).verdict == "PASS"


def test_half_a_transfer_is_torn() -> None:
    balances = {**read().balances, 3: INITIAL_BALANCE - 10}
    result = judge(WRITTEN, read(THERE, balances=balances))
    assert result.verdict is Verdict.FAIL
    assert result.counts.torn == 1
    assert result.reasons == (
        "1 row or account is torn: account 3 has 999990 instead of 1000000",
        "all accounts have 15999990 instead of 16000000",
    )


def test_balances_that_add_up_but_fit_no_transfer_are_torn() -> None:
    balances = {**read().balances, 3: INITIAL_BALANCE - 10, 4: INITIAL_BALANCE + 10}
    result = judge(WRITTEN, read(THERE, balances=balances))
    assert result.counts.torn == 2
    assert len(result.reasons) == 1


def test_account_too_few_or_too_many_is_torn() -> None:
    few, many = read().balances, {**read().balances, 16: 0}
    del few[0]
    assert judge(WRITTEN, read(THERE, balances=few)).counts.torn == 1
    torn = judge(WRITTEN, read(THERE, balances=many))
    assert torn.reasons == ("1 row or account is torn: account 16 has 0 instead of none",)


def test_damaged_row_is_torn() -> None:
    result = judge(WRITTEN, read(THERE, damaged=("insert 2 of writer 0",)))
    assert result.verdict is Verdict.FAIL
    assert result.reasons == ("1 row or account is torn: insert 2 of writer 0",)


def test_duplicate_row_is_a_failure() -> None:
    twice = ("insert 2 of writer 0", "insert 3 of writer 0")
    result = judge(WRITTEN, read(THERE, duplicates=twice))
    assert result.verdict is Verdict.FAIL
    assert result.counts.duplicate == 2
    assert result.reasons == (
        "2 rows are there more than once: insert 2 of writer 0; insert 3 of writer 0",
    )


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (1, "no write was acknowledged before the fault"),
        (2, "no write was acknowledged while the fault was in effect"),
        (3, "no write was acknowledged after the fault was healed"),
    ],
)
def test_without_a_write_in_an_interval_nothing_is_known(missing: int, reason: str) -> None:
    operations = [operation for operation in WRITTEN if operation.number != missing]
    result = judge(operations, read({0: {1, 2, 3} - {missing}}))
    assert (result.verdict, result.reasons) == (Verdict.UNKNOWN, (reason,))


def test_writes_during_the_fault_are_asked_for_only_where_they_must_be() -> None:
    result = judge([WRITTEN[0], WRITTEN[2]], read({0: [1, 3]}), during_required=False)
    assert result.verdict is Verdict.PASS


def test_uncertain_writes_are_no_acknowledged_ones() -> None:
    operations = [insert(1, BEFORE, Completion.INFO), *WRITTEN[1:]]
    assert judge(operations, read(THERE)).verdict is Verdict.UNKNOWN


def test_fault_that_was_not_healed_leaves_no_after() -> None:
    result = judge(WRITTEN, read(THERE), healed=None)
    assert result.verdict is Verdict.UNKNOWN
    assert result.reasons == (
        "the fault was not proven to be healed: no write counts as made after it",
    )
    assert [found.acknowledged for found in result.by_interval] == [1, 2, 0]


def test_intervals_begin_with_injection_and_healing() -> None:
    at_the_marks = [insert(1, BEFORE), insert(2, INJECT), insert(3, HEALED)]
    result = judge(at_the_marks, read(THERE))
    assert [found.acknowledged for found in result.by_interval] == [1, 1, 1]


def test_loss_outweighs_doubt() -> None:
    assert judge(WRITTEN[:1], read(), healed=None).verdict is Verdict.FAIL


def test_ledger_that_was_not_read_is_unknown() -> None:
    result = judge(WRITTEN, None)
    assert result.verdict is Verdict.UNKNOWN
    assert result.reasons == ("the ledger was not read after recovery",)
    assert (result.counts.acknowledged, result.counts.stable, result.counts.lost) == (3, 0, 0)


def test_empty_history_is_unknown() -> None:
    result = judge([], read())
    assert result.verdict is Verdict.UNKNOWN
    assert len(result.reasons) == 3


@pytest.mark.parametrize("number", [0, -1, 2])
def test_number_that_cannot_be_is_refused(number: int) -> None:
    with pytest.raises(BadInput, match=f"insert {number} of writer 0"):
        judge([*WRITTEN, insert(number, AFTER)], read(THERE))
