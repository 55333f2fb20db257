"""The history's file format, and runs of numbers."""

import gzip
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given
from ledger_samples import AFTER, BEFORE, DURING, insert, transfer, write_history

from landfast.errors import BadInput
from landfast.mysql.history import (
    ACCOUNTS,
    Completion,
    Operation,
    OperationKind,
    read_history,
    runs_of,
    transfer_of,
)

INVOKE = "invoke\t0\tinsert\t1\t1.0\t2.0\t\n"
OK = "ok\t0\tinsert\t1\t1.5\t2.5\t\n"
OPERATION = Operation(0, OperationKind.INSERT, 1, 1.0, 1.5, Completion.OK)


def history(folder: Path, text: str) -> list[Operation]:
    path = folder / "history.tsv"
    path.write_text(text)
    return list(read_history(path))


@pytest.mark.parametrize("name", ["history.tsv", "history.tsv.gz"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    written = [
        insert(1, BEFORE),
        replace(transfer(1, DURING, Completion.INFO), error="Lost connection (2013)"),
        insert(2, AFTER, Completion.FAIL),
    ]
    write_history(tmp_path / name, written)
    assert list(read_history(tmp_path / name)) == written


@st.composite
def operations_of_writers(draw: st.DrawFn) -> list[Operation]:
    """A few writers, each with one operation at a time, of which the last may have no end."""
    operations = []
    for writer in range(3):
        now = 0
        for number in range(1, 1 + draw(st.integers(0, 5))):
            begun = now + draw(st.integers(0, 500))
            now = begun + draw(st.integers(1, 500))
            kind, completion = (
                draw(st.sampled_from(OperationKind)),
                draw(st.sampled_from(Completion)),
            )
            error = draw(st.sampled_from(["", "it broke"]))
            times = begun / 1000, now / 1000
            operations.append(Operation(writer, kind, number, *times, completion, error))
        if operations and operations[-1].writer == writer and draw(st.booleans()):
            operations[-1] = replace(
                operations[-1], ended=None, completion=Completion.INFO, error="no end was seen"
            )
    return operations


@given(operations_of_writers())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, written: list[Operation]) -> None:
    path = tmp_path_factory.mktemp("round") / "history.tsv"
    write_history(path, written)
    found = list(read_history(path))
    assert sorted(found, key=lambda o: (o.writer, o.number)) == written
    ends = [o.ended for o in found if o.ended is not None]
    assert ends == sorted(ends)
    assert all(o.ended is None for o in found[len(ends) :])


def test_operation_without_an_end_comes_last_and_is_uncertain(tmp_path: Path) -> None:
    other = "invoke\t1\tregister\t7\t1.2\t2.2\t\n"
    found = history(tmp_path, other + INVOKE + OK)
    no_end = Operation(1, OperationKind.REGISTER, 7, 1.2, None, Completion.INFO, "no end was seen")
    assert found == [OPERATION, no_end]


def test_empty_history_has_no_operations(tmp_path: Path) -> None:
    assert history(tmp_path, "") == []


@pytest.mark.parametrize("length", range(1, len(OK)))
def test_last_line_that_is_cut_is_left_out(tmp_path: Path, length: int) -> None:
    (found,) = history(tmp_path, INVOKE + OK[:length])
    assert (found.completion, found.ended) == (Completion.INFO, None)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("\n", id="empty"),
        pytest.param("ok\t0\tinsert\t1\t1.5\t2.5\n", id="field-missing"),
        pytest.param("ok\t0\tinsert\t1\t1.5\t2.5\t\tmore\n", id="field-too-many"),
        pytest.param("okay\t0\tinsert\t1\t1.5\t2.5\t\n", id="completion"),
        pytest.param("ok\tx\tinsert\t1\t1.5\t2.5\t\n", id="writer"),
        pytest.param("ok\t0\tdelete\t1\t1.5\t2.5\t\n", id="kind"),
        pytest.param("ok\t0\tinsert\t1.5\t1.5\t2.5\t\n", id="number"),
        pytest.param("ok\t0\tinsert\t1\tnow\t2.5\t\n", id="time"),
        pytest.param("invoke\t0\tinsert\t2\t1.5\t2.5\t\n", id="two-at-a-time"),
        pytest.param("ok\t1\tinsert\t1\t1.5\t2.5\t\n", id="end-of-another-writer"),
        pytest.param("ok\t0\tinsert\t2\t1.5\t2.5\t\n", id="end-of-another-number"),
        pytest.param("ok\t0\ttransfer\t1\t1.5\t2.5\t\n", id="end-of-another-kind"),
    ],
)
def test_line_that_cannot_be_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInput, match=r"history\.tsv, line 2"):
        history(tmp_path, INVOKE + line)


def test_history_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"the history .*missing\.tsv cannot be read"):
        list(read_history(tmp_path / "missing.tsv"))


def test_packed_history_that_is_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.tsv.gz"
    path.write_bytes(gzip.compress((INVOKE + OK).encode())[:-8])
    with pytest.raises(BadInput, match="cannot be read"):
        list(read_history(path))


def test_file_that_is_not_packed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.tsv.gz"
    path.write_text(INVOKE + OK)
    with pytest.raises(BadInput, match="cannot be read"):
        list(read_history(path))


@given(st.integers(0, 100), st.integers(1, 10**6))
def test_transfer_moves_money_between_two_accounts(writer: int, number: int) -> None:
    source, target, amount = transfer_of(writer, number)
    assert source != target
    assert {source, target} <= set(range(ACCOUNTS))
    assert 1 <= amount <= 97


@given(st.lists(st.integers(1, 60)))
def test_runs_hold_each_number_once_and_are_apart(numbers: list[int]) -> None:
    runs = runs_of(sorted(numbers))
    held = [number for first, last in runs for number in range(first, last + 1)]
    assert held == sorted(set(numbers))
    assert all(start > end + 1 for (_, end), (start, _) in pairwise(runs))
