"""Writers against a MySQL whose connections die: they go on, and their history stays true."""

import contextlib
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymysql
import pytest
from fake_mysql import FakeConnection, FakeMysql
from pymysql.constants import CR

from landfast.mysql import writers
from landfast.mysql.checker import check
from landfast.mysql.client import MysqlServer
from landfast.mysql.history import Completion, OperationKind, read_history
from landfast.mysql.ledger import Ledger
from landfast.mysql.writers import Task, _History, _Watch, _Writer
from landfast.verdict import Verdict
from landfast.waiting import wait_until

LOST = pymysql.err.OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server")


class DyingConnection(FakeConnection):
    """A connection that dies at its fifth statement: before or after the server has done it."""

    def __init__(self, database: sqlite3.Connection, *, done: bool) -> None:
        super().__init__(database)
        self.left, self.done = 4, done

    def execute(self, statement: str, arguments: Sequence[Any] | None = None) -> None:
        self.left -= 1
        if self.left >= 0 or self.done:
            super().execute(statement, arguments)
        if self.left < 0:
            self._database.rollback()  # as a server does for a client that is gone
            raise LOST


class Line:
    """A TCP connection to nobody; it is its own socket."""

    waiting_since: float | None = None

    def __init__(self, _port: int) -> None:
        self.socket = self

    def close(self) -> None:
        pass


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("kind", [k for k in OperationKind if k != OperationKind.CONNECT])
def test_a_writer_connects_again_and_nothing_acknowledged_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: OperationKind, done: bool
) -> None:
    monkeypatch.setattr(writers, "_RECONNECT_SECONDS", 0.01)
    monkeypatch.setattr(writers, "_Connection", Line)
    server = FakeMysql()
    monkeypatch.setattr(
        writers, "_connection", lambda *_: DyingConnection(server.database, done=done)
    )
    with contextlib.closing(server.database):
        ledger = Ledger(server, tmp_path)
        ledger.prepare()
        task = Task(port=1, password="x", history=ledger.history, writers={kind: 1})
        watch = _Watch(task, threading.Event())
        writer = _Writer(task, 0, kind, _History(ledger.history), watch)
        writer.start()
        wait_until("writes after two deaths", ledger.acknowledged, until=enough, timeout=20)
        writer.stop.set()
        writer.join(20)
        reading = ledger.read()
    assert watch.connections == set()
    operations = list(read_history(ledger.history))
    connects = [o for o in operations if o.kind == OperationKind.CONNECT]
    writes = [o for o in operations if o.kind == kind]
    assert len(connects) >= 3
    assert [o.number for o in writes] == list(range(1, len(writes) + 1)), "each has its number"
    assert {o.completion for o in writes} == {Completion.OK, Completion.INFO}
    fault = connects[1].invoked
    found = check(operations, reading, inject=fault, healed=fault, during_required=False, epoch=0)
    assert (found.verdict, found.reasons) == (Verdict.PASS, ())


def enough(acknowledged: int) -> bool:
    return acknowledged >= 10


def test_the_watch_can_end_a_connection_because_tls_does_not_take_its_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, Any] = {}

    class Opened:
        def __init__(self, **options: Any) -> None:
            asked.update(options)

        def connect(self, sock: object) -> None:
            asked["socket"] = sock

    monkeypatch.setattr(pymysql, "connect", Opened)
    MysqlServer(3306, "secret", dial=lambda: "dialled").open(1)  # type: ignore[arg-type, return-value]
    assert (asked["ssl_disabled"], asked["socket"]) == (True, "dialled")
