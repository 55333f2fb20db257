"""The ledger: its tables, what is read back from them, and how long writes are waited for."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fake_mysql import FakeConnection, FakeMysql

from landfast.mysql.history import ACCOUNTS, INITIAL_BALANCE, OperationKind
from landfast.mysql.ledger import WRITERS, Ledger
from landfast.mysql.writers import _DO, DATABASE, payload
from landfast.waiting import WaitTimeout


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    server = FakeMysql()
    with contextlib.closing(server.database):
        made = Ledger(server, tmp_path)
        made.prepare()
        yield made


def do(ledger: Ledger, kind: OperationKind, writer: int, *numbers: int) -> None:
    """Write as the ledger's writers do."""
    with ledger.server.connect() as connection:
        for number in numbers:
            _DO[kind](connection, writer, number)


def execute(ledger: Ledger, *statements: str) -> None:
    with ledger.server.connect() as connection:
        for statement in statements:
            cast(FakeConnection, connection).execute(statement)


def test_a_new_ledger_has_every_account_and_register_and_no_write(ledger: Ledger) -> None:
    found = ledger.read()
    assert found.balances == dict.fromkeys(range(ACCOUNTS), INITIAL_BALANCE)
    assert found.registers == dict.fromkeys(range(sum(WRITERS.values())), 0)
    assert (found.rows, found.transfers) == ({}, {})


def test_a_ledger_that_is_prepared_again_forgets_the_last_scenario(ledger: Ledger) -> None:
    before = ledger.read()
    do(ledger, OperationKind.INSERT, 0, 1)
    do(ledger, OperationKind.TRANSFER, 5, 1)
    ledger.prepare()
    assert ledger.read() == before


def test_what_the_writers_wrote_is_read_back(ledger: Ledger) -> None:
    do(ledger, OperationKind.INSERT, 0, 1, 2, 4)
    do(ledger, OperationKind.INSERT, 3, 7)
    do(ledger, OperationKind.TRANSFER, 5, 1, 2)
    do(ledger, OperationKind.TRANSFER, 6, 1, 3)
    do(ledger, OperationKind.REGISTER, 7, 1, 2)
    found = ledger.read()
    assert found.rows == {0: [(1, 2), (4, 4)], 3: [(7, 7)]}
    assert found.transfers == {5: [(1, 2)], 6: [(1, 1), (3, 3)]}
    assert found.registers[7] == 2
    assert sum(found.balances.values()) == ACCOUNTS * INITIAL_BALANCE
    assert set(found.balances.values()) != {INITIAL_BALANCE}, "money moved"
    assert (found.duplicates, found.damaged) == ((), ())


def test_rows_that_came_twice_and_rows_with_another_s_content_are_named(ledger: Ledger) -> None:
    execute(  # as a damaged index would show them
        ledger,
        *[f"DROP TABLE {DATABASE}.{table}" for table in ("entry", "transfer")],
        f"CREATE TABLE {DATABASE}.entry (writer INT, number INT, payload CHAR(128))",
        f"CREATE TABLE {DATABASE}.transfer (writer INT, number INT)",
    )
    do(ledger, OperationKind.INSERT, 0, 1, 1, 2)
    do(ledger, OperationKind.TRANSFER, 5, 4, 4)
    execute(
        ledger,
        f"UPDATE {DATABASE}.entry SET payload = '{payload(0, 1)}' WHERE number = 2",  # noqa: S608
    )
    found = ledger.read()
    assert found.duplicates == ("insert 1 of writer 0", "transfer 4 of writer 5")
    assert found.damaged == ("insert 2 of writer 0",)
    assert found.rows == {0: [(1, 2)]}


OK = "ok\t0\tinsert\t{}\t1.0\t1.0\t\n"


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (OK.format(1), True),
        (OK.format(1).removesuffix("\n"), False),  # still being written
        ("ok\t0\tconnect\t1\t1.0\t1.0\t\n", False),
        ("invoke\t0\tinsert\t1\t1.0\t1.0\t\n", False),
        ("info\t0\tinsert\t1\t1.0\t1.0\tLost connection\n", False),
        ("fail\t0\tinsert\t1\t1.0\t1.0\tok\t\n", False),
    ],
    ids=["ok", "half a line", "a connection", "in progress", "nobody knows", "refused"],
)
def test_only_acknowledged_writes_count(ledger: Ledger, line: str, counts: bool) -> None:
    assert ledger.acknowledged() == 0, "no writer has begun its history"
    ledger.history.write_text(line)
    assert ledger.acknowledged() == counts


def test_a_line_counts_once_and_only_when_it_is_whole(ledger: Ledger) -> None:
    begun, rest = OK.format(2)[:6], OK.format(2)[6:]
    ledger.history.write_text(OK.format(1) + begun)
    assert [ledger.acknowledged(), ledger.acknowledged()] == [1, 1]
    with ledger.history.open("a") as file:
        file.write(rest)
    assert ledger.acknowledged() == 2


class TestWaiting:
    def test_writes_from_before_the_wait_do_not_count(self, ledger: Ledger) -> None:
        ledger.history.write_text(OK.format(1) * 5)
        with pytest.raises(WaitTimeout, match="3 acknowledged writes; last state: 0"):
            ledger.wait_for_writes(3, timeout=0.01)

    def test_new_writes_end_it(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        looks: list[int] = []
        count = Ledger.acknowledged

        def write_and_count(self: Ledger) -> int:
            looks.append(count(self))
            with self.history.open("a") as file:
                file.write(OK.format(len(looks)) * 2)
            return looks[-1]

        monkeypatch.setattr(Ledger, "acknowledged", write_and_count)
        ledger.wait_for_writes(3, timeout=20)
        assert looks == [0, 2, 4]

    @pytest.mark.parametrize(("count", "enough"), [(30, 3), (31, 4), (1, 1)])
    def test_a_tenth_will_do_where_writes_are_slow(
        self, count: int, enough: int, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("landfast.mysql.ledger._SLOW_SECONDS", 0)
        counts = iter(range(9))
        monkeypatch.setattr(Ledger, "acknowledged", lambda _: next(counts))
        ledger.wait_for_writes(count, timeout=20)
        assert next(counts) == enough + 1

    def test_a_server_without_the_database_is_not_waited_for(self, ledger: Ledger) -> None:
        execute(ledger, f"DROP DATABASE IF EXISTS {DATABASE}")
        with pytest.raises(WaitTimeout, match="gave up .*: the ledger's database is gone"):
            ledger.wait_for_writes(1, timeout=60)

    def test_a_server_that_is_away_may_come_back(self, ledger: Ledger) -> None:
        server: Any = ledger.server
        server.away.append(ConnectionRefusedError("refused"))
        with pytest.raises(WaitTimeout, match=r"^waited .* for 1 acknowledged writes"):
            ledger.wait_for_writes(1, timeout=0.2)
