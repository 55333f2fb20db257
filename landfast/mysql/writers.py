"""The ledger's writers: a separate process, out of reach of every fault.

Reads a `Task` from standard input, writes a history (see `history`), ends on SIGTERM. Needs only
MySQL's port and the disk that the history is on.
"""

import hashlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql
from pydantic import BaseModel, ConfigDict
from pymysql.constants import ER

from landfast.mysql.client import MysqlServer
from landfast.mysql.history import Completion, OperationKind, transfer_of
from landfast.timeouts import patient, set_patience

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

DATABASE = "landfast_ledger"
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 120.0  # a hard mount may freeze; giving up sooner is the client's error
_RECONNECT_SECONDS = 0.25
_WATCH_SECONDS = 0.5
_STUCK_SECONDS = 1.0
_ANOTHER_SERVER = 3.0  # seconds between two starts; Uptime is in whole seconds
# After these errors the operation was certainly not done. After any other, nobody knows.
_REFUSED = {
    ER.DISK_FULL,
    ER.RECORD_FILE_FULL,
    ER.LOCK_WAIT_TIMEOUT,
    ER.LOCK_DEADLOCK,
    ER.OPTION_PREVENTS_STATEMENT,
    1836,  # ER_READ_ONLY_MODE
}


class Task(BaseModel):
    """What the process has to do: how many writers of each kind, against which server.

    Its writers have the numbers from `first_writer` on.
    """

    model_config = ConfigDict(frozen=True)

    port: int
    password: str
    history: Path
    writers: dict[OperationKind, int]
    patience: float = 1
    host: str = "127.0.0.1"
    first_writer: int = 0

    def roles(self) -> list[OperationKind]:
        """What each writer does, in the order of their numbers."""
        return [kind for kind, count in self.writers.items() for _ in range(count)]

    def numbers(self) -> range:
        """The numbers of its writers."""
        return range(self.first_writer, self.first_writer + sum(self.writers.values()))


def payload(writer: int, number: int) -> str:
    """Return the content of a row: 128 characters that no other row has."""
    return hashlib.sha512(f"{writer}:{number}".encode()).hexdigest()


class _History:
    """Appends lines; each has reached the kernel before the operation goes on."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(
        self, what: str, writer: int, kind: OperationKind, number: int, error: str = ""
    ) -> None:
        said = " ".join(error.split())[:200]
        now = f"{time.monotonic():.6f}\t{time.time():.6f}"
        os.write(self._file, f"{what}\t{writer}\t{kind}\t{number}\t{now}\t{said}\n".encode())


class _Connection:
    """One TCP connection, and when the server at its other end started (monotonic), once known.

    `waiting_since` is when the pending question was asked, None while nothing is pending.
    """

    def __init__(self, task: Task) -> None:
        self.opened = time.monotonic()
        self.waiting_since: float | None = self.opened
        self.server_started: float | None = None
        self.socket = socket.create_connection((task.host, task.port), patient(_CONNECT_SECONDS))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _Watch(threading.Thread):
    """Ends connections to a server that is gone, as soon as another one answers.

    Behind a port mapping and a Service, a client never learns that its server's node died: it
    would wait forever. Until another server answers, it does wait. The watch connects only while a
    writer waits: a new connection makes MySQL write its log, and would hide what a crash loses.
    """

    def __init__(self, task: Task, stop: threading.Event) -> None:
        super().__init__(name="watch", daemon=True)
        self._task, self._stop_event = task, stop
        self.connections: set[_Connection] = set()

    def run(self) -> None:
        while not self._stop_event.wait(_WATCH_SECONDS):
            if not any(_is_stuck(one) for one in list(self.connections)):
                continue
            try:
                tcp = _Connection(self._task)
                with tcp.socket:
                    connection = _connection(self._task, tcp, patient(_CONNECT_SECONDS))
                    connection.close()
            except (OSError, pymysql.err.Error):
                continue  # nothing answers, so there is nothing to compare with
            assert tcp.server_started is not None  # noqa: S101 - _connection sets it
            for other in list(self.connections):
                if _is_stale(other, tcp.server_started):
                    try:
                        other.socket.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        continue  # closed meanwhile


def _is_stuck(tcp: _Connection) -> bool:
    since = tcp.waiting_since
    return since is not None and time.monotonic() - since > _STUCK_SECONDS


def _is_stale(tcp: _Connection, newest: float) -> bool:
    if tcp.server_started is None:  # the server answers others, but did not greet this one
        return time.monotonic() - tcp.opened > 2 * patient(_CONNECT_SECONDS)
    return newest - tcp.server_started > _ANOTHER_SERVER


def _connection(task: Task, tcp: _Connection, seconds: float) -> "Connection[Cursor]":
    server = MysqlServer(task.port, task.password, dial=lambda: tcp.socket)
    connection = server.open(seconds)
    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Uptime'")
        (row,) = cursor.fetchall()
    tcp.server_started = time.monotonic() - float(row[1])
    return connection


def _insert(connection: "Connection[Cursor]", writer: int, number: int) -> None:
    with connection.cursor() as cursor:
        row = (writer, number, payload(writer, number))
        cursor.execute(f"INSERT INTO {DATABASE}.entry VALUES (%s, %s, %s)", row)  # noqa: S608


def _transfer(connection: "Connection[Cursor]", writer: int, number: int) -> None:
    source, target, amount = transfer_of(writer, number)
    changes = sorted([(source, -amount), (target, amount)])  # in one order: no deadlocks
    connection.begin()
    with connection.cursor() as cursor:
        for account, change in changes:
            cursor.execute(
                f"UPDATE {DATABASE}.account SET balance = balance + %s WHERE id = %s",  # noqa: S608
                (change, account),
            )
        cursor.execute(f"INSERT INTO {DATABASE}.transfer VALUES (%s, %s)", (writer, number))  # noqa: S608
    connection.commit()


def _set_register(connection: "Connection[Cursor]", writer: int, number: int) -> None:
    with connection.cursor() as cursor:
        statement = f"UPDATE {DATABASE}.register SET value = %s WHERE writer = %s"  # noqa: S608
        cursor.execute(statement, (number, writer))


_DO: dict[OperationKind, Callable[["Connection[Cursor]", int, int], None]] = {
    OperationKind.INSERT: _insert,
    OperationKind.TRANSFER: _transfer,
    OperationKind.REGISTER: _set_register,
}


class _Writer(threading.Thread):
    def __init__(
        self, task: Task, writer: int, kind: OperationKind, history: _History, watch: _Watch
    ) -> None:
        super().__init__(name=f"writer {writer}", daemon=True)
        self._task, self._writer, self._kind = task, writer, kind
        self._history, self._watch = history, watch
        self._connects = 0
        self._number = 0
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            self._connect()
            self.stop.wait(_RECONNECT_SECONDS)

    def _connect(self) -> None:
        """Connect and write until that fails."""
        self._connects += 1
        self._history.write("invoke", self._writer, OperationKind.CONNECT, self._connects)
        tcp = None
        try:
            tcp = _Connection(self._task)
            self._watch.connections.add(tcp)
            connection = _connection(self._task, tcp, patient(_ANSWER_SECONDS))
        except (OSError, pymysql.err.Error) as error:
            self._history.write(
                "fail", self._writer, OperationKind.CONNECT, self._connects, repr(error)
            )
            self._forget(tcp)
            return
        self._history.write("ok", self._writer, OperationKind.CONNECT, self._connects)
        try:
            while not self.stop.is_set() and self._write(connection, tcp):
                pass
        finally:
            self._forget(tcp)

    def _forget(self, tcp: _Connection | None) -> None:
        if tcp is not None:
            self._watch.connections.discard(tcp)
            tcp.socket.close()

    def _write(self, connection: "Connection[Cursor]", tcp: _Connection) -> bool:
        """Do one operation; return whether the connection may be used again."""
        self._number += 1
        tcp.waiting_since = time.monotonic()
        self._history.write("invoke", self._writer, self._kind, self._number)
        try:
            _DO[self._kind](connection, self._writer, self._number)
        except (OSError, pymysql.err.Error) as error:
            code = error.args[0] if error.args else None
            refused = isinstance(error, pymysql.err.Error) and code in _REFUSED
            completion = Completion.FAIL if refused else Completion.INFO
            self._history.write(completion, self._writer, self._kind, self._number, repr(error))
            return False
        self._history.write(Completion.OK, self._writer, self._kind, self._number)
        return True


def main() -> int:
    """Write until SIGTERM; operations that do not end soon after stay open."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    task = Task.model_validate_json(sys.stdin.read())
    set_patience(task.patience)
    history = _History(task.history)
    watch = _Watch(task, stop)
    watch.start()
    numbered = zip(task.numbers(), task.roles(), strict=True)
    writers = [_Writer(task, n, kind, history, watch) for n, kind in numbered]
    for writer in writers:
        writer.start()
    stop.wait()
    deadline = time.monotonic() + patient(_CONNECT_SECONDS)
    for writer in writers:
        writer.stop.set()
    for writer in writers:
        writer.join(max(0.0, deadline - time.monotonic()))
    os._exit(0)  # do not wait for a writer that waits for a frozen server


if __name__ == "__main__":
    sys.exit(main())
