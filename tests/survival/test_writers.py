"""The ledger's writers: what they write, how an error is classified, and to whom they hold on."""

import contextlib
import re
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pymysql
import pytest
from pymysql.constants import CR, ER

from landfast import process, timeouts
from landfast.mysql import writers
from landfast.mysql.client import MysqlServer
from landfast.mysql.history import Completion, Operation, OperationKind, read_history
from landfast.mysql.ledger import Ledger
from landfast.mysql.writers import Task, _Connection, _History, _is_stale, _Watch, _Writer, payload
from landfast.waiting import wait_until

TASK = Task(port=3306, password="x", history=Path("history.tsv"), writers={OperationKind.INSERT: 1})


def test_every_row_has_content_of_its_own() -> None:
    contents = [payload(writer, number) for writer in range(12) for number in range(1, 120)]
    assert len(set(contents)) == len(contents)
    assert {len(content) for content in contents} == {128}
    assert all(re.fullmatch("[0-9a-f]+", content) for content in contents)
    assert payload(3, 7) == payload(3, 7)


def test_a_writers_number_is_its_place() -> None:
    counts = {OperationKind.INSERT: 2, OperationKind.TRANSFER: 0, OperationKind.REGISTER: 1}
    task = TASK.model_copy(update={"writers": counts})
    assert task.roles() == [OperationKind.INSERT, OperationKind.INSERT, OperationKind.REGISTER]
    assert Task.model_validate_json(task.model_dump_json()) == task


def tcp(*, opened: float = 0.0, server_started: float | None) -> _Connection:
    return cast(_Connection, SimpleNamespace(opened=opened, server_started=server_started))


@pytest.mark.parametrize(
    ("server_started", "newest", "stale"),
    [
        (100.0, 100.0, False),
        (100.0, 103.0, False),  # Uptime is in whole seconds
        (100.0, 103.5, True),
        (103.5, 100.0, False),
    ],
)
def test_a_line_to_a_server_that_was_succeeded_is_stale(
    server_started: float, newest: float, stale: bool
) -> None:
    assert _is_stale(tcp(server_started=server_started), newest) is stale


@pytest.mark.parametrize(("waited", "stale"), [(0.0, False), (3.9, False), (4.1, True)])
def test_a_greeting_is_waited_for_a_while(
    monkeypatch: pytest.MonkeyPatch, waited: float, stale: bool
) -> None:
    monkeypatch.setattr(writers, "time", SimpleNamespace(monotonic=lambda: 50.0 + waited))
    assert _is_stale(tcp(opened=50.0, server_started=None), 0.0) is stale


class Connection:
    """A connection whose `broken` call raises, counted from 0 over all that it is asked for."""

    def __init__(self, error: BaseException | None = None, broken: int = 0) -> None:
        self.error, self.broken = error, broken
        self.asked: list[str] = []

    def _call(self, what: str) -> None:
        self.asked.append(what)
        if self.error is not None and len(self.asked) > self.broken:
            raise self.error

    def cursor(self) -> "Connection":
        return self

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str, _arguments: tuple[object, ...]) -> None:
        self._call(statement.split()[0])

    def begin(self) -> None:
        self._call("BEGIN")

    def commit(self) -> None:
        self._call("COMMIT")

    def close(self) -> None:
        self._call("CLOSE")


class Desk:
    """One writer with a history of its own."""

    def __init__(self, folder: Path, kind: OperationKind = OperationKind.INSERT) -> None:
        self.path = folder / "history.tsv"
        self.watch = _Watch(TASK, cast(Any, None))
        self.writer = _Writer(TASK, 4, kind, _History(self.path), self.watch)

    def write(self, connection: Connection) -> bool:
        return self.writer._write(
            cast(Any, connection), cast(Any, SimpleNamespace(waiting_since=None))
        )

    @property
    def operations(self) -> list[Operation]:
        return list(read_history(self.path))


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (OperationKind.INSERT, ["INSERT"]),
        (OperationKind.REGISTER, ["UPDATE"]),
        (OperationKind.TRANSFER, ["BEGIN", "UPDATE", "UPDATE", "INSERT", "COMMIT"]),
    ],
)
def test_what_was_acknowledged_is_in_the_history(
    tmp_path: Path, kind: OperationKind, asked: list[str]
) -> None:
    desk, connection = Desk(tmp_path, kind), Connection()
    assert desk.write(connection)
    assert desk.write(connection)
    assert connection.asked == asked * 2
    found = desk.operations
    assert [(o.writer, o.kind, o.number, o.completion) for o in found] == [
        (4, kind, 1, Completion.OK),
        (4, kind, 2, Completion.OK),
    ]
    assert all(o.ended is not None and o.invoked <= o.ended for o in found)


ERROR = pymysql.err.OperationalError
REFUSED = [
    ERROR(ER.LOCK_DEADLOCK, "Deadlock found"),
    ERROR(ER.LOCK_WAIT_TIMEOUT, "Lock wait timeout exceeded"),
    ERROR(ER.DISK_FULL, "Disk full"),
    ERROR(ER.RECORD_FILE_FULL, "The table 'entry' is full"),
    ERROR(ER.OPTION_PREVENTS_STATEMENT, "running with the --super-read-only option"),
    ERROR(1836, "Running in read-only mode"),
]
UNSURE = [
    ERROR(CR.CR_SERVER_LOST, "Lost connection to MySQL server during query"),
    ERROR(CR.CR_SERVER_GONE_ERROR, "MySQL server has gone away"),
    ERROR(ER.SERVER_SHUTDOWN, "Server shutdown in progress"),
    ERROR(ER.QUERY_INTERRUPTED, "Query execution was interrupted"),
    pymysql.err.InternalError("Packet sequence number wrong - got 1 expected 2"),
    pymysql.err.InterfaceError(0, ""),
    pymysql.err.Error(),
    ConnectionResetError(104, "Connection reset by peer"),
    TimeoutError("timed out"),
    OSError(ER.LOCK_DEADLOCK, "the number of another thing"),
]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(e, Completion.FAIL) for e in REFUSED] + [(e, Completion.INFO) for e in UNSURE],
    ids=repr,
)
@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (OperationKind.INSERT, 0),
        (OperationKind.REGISTER, 0),
        (OperationKind.TRANSFER, 0),
        (OperationKind.TRANSFER, 4),
    ],
)
def test_an_error_is_a_refusal_or_nobody_knows(
    tmp_path: Path, error: Exception, outcome: Completion, kind: OperationKind, broken: int
) -> None:
    desk = Desk(tmp_path, kind)
    assert not desk.write(Connection(error, broken))  # a new connection is wanted
    (found,) = desk.operations
    assert (found.kind, found.number, found.completion) == (kind, 1, outcome)
    assert found.error.startswith(type(error).__name__)


def test_an_error_stays_on_its_line(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(Connection(ERROR(2013, "a\tb\nc\r " + "ü" * 500)))
    desk.write(Connection())
    first, second = desk.operations
    assert "\t" not in first.error
    assert len(first.error) == 200
    assert (second.number, second.completion) == (2, Completion.OK)


def test_an_operation_in_progress_is_in_the_history_already(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        desk.write(Connection(KeyboardInterrupt()))
    (found,) = desk.operations
    assert (found.ended, found.completion) == (None, Completion.INFO)


class FakeLine:
    """A line whose socket notes what becomes of it."""

    def __init__(self, started: float | None = None, *, closed: bool = False) -> None:
        self.opened, self.server_started, self.is_closed = 0.0, started, closed
        self.waiting_since: float | None = 0.0
        self.became: list[str] = []
        self.socket = self

    def close(self) -> None:
        self.became.append("closed")

    def shutdown(self, _how: int) -> None:
        if self.is_closed:
            raise OSError(9, "Bad file descriptor")
        self.became.append("shut down")

    def __enter__(self) -> "FakeLine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_it_writes_on_one_connection_until_that_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, made = Desk(tmp_path), FakeLine()
    monkeypatch.setattr(writers, "_Connection", lambda _port: made)
    connection = Connection(ERROR(2013, "Lost connection"), broken=3)
    monkeypatch.setattr(writers, "_connection", lambda *_: connection)
    desk.writer._connect()
    kinds = Counter((o.kind, o.completion) for o in desk.operations)
    assert kinds == {
        (OperationKind.CONNECT, Completion.OK): 1,
        (OperationKind.INSERT, Completion.OK): 3,
        (OperationKind.INSERT, Completion.INFO): 1,
    }
    assert made.became == ["closed"]
    assert desk.watch.connections == set()


@pytest.mark.parametrize("stage", ["_Connection", "_connection"])
def test_a_connection_that_does_not_come_about_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ERROR(ER.CON_COUNT_ERROR, "Too many connections")

    desk, made = Desk(tmp_path), FakeLine()
    monkeypatch.setattr(writers, "_Connection", lambda _port: made)
    monkeypatch.setattr(writers, stage, refuse)
    for _ in range(2):
        desk.writer._connect()
    found = [(o.kind, o.number, o.completion) for o in desk.operations]
    assert found == [
        (OperationKind.CONNECT, 1, Completion.FAIL),
        (OperationKind.CONNECT, 2, Completion.FAIL),
    ]
    assert made.became == ([] if stage == "_Connection" else ["closed", "closed"])
    assert desk.watch.connections == set()


class Rounds:
    """An event that is set after so many rounds."""

    def __init__(self, count: int) -> None:
        self.left = count

    def wait(self, _seconds: float) -> bool:
        self.left -= 1
        return self.left < 0


def watch(monkeypatch: pytest.MonkeyPatch, newest: float | None, *lines: FakeLine) -> FakeLine:
    """Let the watch look once at lines, while a server that started at `newest` answers."""
    own = FakeLine()

    def connect(*_: object) -> Connection:
        if newest is None:
            raise ERROR(CR.CR_CONN_HOST_ERROR, "Can't connect to MySQL server")
        own.server_started = newest
        return Connection()

    monkeypatch.setattr(writers, "_Connection", lambda _port: own)
    monkeypatch.setattr(writers, "_connection", connect)
    looking = _Watch(TASK, cast(Any, Rounds(1)))
    looking.connections.update(cast("tuple[_Connection, ...]", lines))
    looking.run()
    return own


def test_lines_to_a_server_that_is_gone_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, gone = FakeLine(100.0), FakeLine(200.0), FakeLine(100.0, closed=True)
    own = watch(monkeypatch, 200.0, old, new, gone)
    assert (old.became, new.became, gone.became) == (["shut down"], [], [])
    assert own.became == ["closed"]


def test_while_nothing_answers_every_line_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    old = FakeLine(100.0)
    own = watch(monkeypatch, None, old)
    assert old.became == []
    assert own.became == ["closed"]


def test_nobody_looks_while_no_line_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    old = FakeLine(100.0)
    old.waiting_since = None
    own = watch(monkeypatch, 200.0, old)
    assert (old.became, own.became) == ([], [])


def test_the_process_goes_on_trying_and_ends_when_asked(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, but nobody listens there
        task = Task(
            port=free.getsockname()[1],
            password="x",
            history=tmp_path / "history.tsv",
            writers={OperationKind.INSERT: 1, OperationKind.REGISTER: 1},
        )
        with process.running(
            [sys.executable, "-m", "landfast.mysql.writers"],
            log=tmp_path / "log",
            text=task.model_dump_json(),
            end_seconds=10,
        ):
            wait_until(
                "two tries of each writer",
                lambda: task.history.read_text() if task.history.exists() else "",
                until=lambda text: text.count("fail\t") >= 4,
                timeout=20,
            )
    found = list(read_history(task.history))
    assert {(o.writer, o.kind, o.completion) for o in found if o.ended is not None} == {
        (0, OperationKind.CONNECT, Completion.FAIL),
        (1, OperationKind.CONNECT, Completion.FAIL),
    }
    assert all("ConnectionRefusedError" in o.error for o in found if o.ended is not None)
    assert (tmp_path / "log").read_text() == ""


def test_patience_reaches_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tasks: list[Task] = []

    @contextlib.contextmanager
    def running(_argv: object, *, text: str, end_seconds: float, **_: object) -> Iterator[None]:
        tasks.append(Task.model_validate_json(text))
        assert end_seconds == 30
        yield

    monkeypatch.setattr(process, "running", running)
    timeouts.set_patience(3)
    try:
        with Ledger(MysqlServer(3306, "x"), tmp_path).writing():
            pass
    finally:
        timeouts.set_patience(1)
    assert [task.patience for task in tasks] == [3]
    assert TASK.patience == 1
