"""The ledger: writers that record everything they try on MySQL, and what is there at the end."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pymysql.cursors import SSCursor

from landfast import process, timeouts
from landfast.mysql.client import MysqlError, MysqlServer
from landfast.mysql.history import ACCOUNTS, INITIAL_BALANCE, FinalReading, OperationKind, Runs
from landfast.mysql.writer_pods import WriterPods
from landfast.mysql.writers import DATABASE, Task, payload
from landfast.results import Crew
from landfast.waiting import wait_until

WRITERS = {OperationKind.INSERT: 5, OperationKind.TRANSFER: 2, OperationKind.REGISTER: 1}
_END_SECONDS = 10
_SLOW_SECONDS = 10
_TABLES = (
    "entry (writer INT, number INT, payload CHAR(128), PRIMARY KEY (writer, number))",
    "transfer (writer INT, number INT, PRIMARY KEY (writer, number))",
    "account (id INT PRIMARY KEY, balance BIGINT)",
    "register (writer INT PRIMARY KEY, value BIGINT)",
)


class Ledger:
    """One workload on one server; its history is `history.tsv` in `folder`.

    Its writers are in `pods`, or else in a process on this host.
    """

    def __init__(self, server: MysqlServer, folder: Path, pods: WriterPods | None = None) -> None:
        self.server = server
        self.pods = pods
        self.history = folder / "history.tsv"
        self.began = 0.0
        """When the writers were started (monotonic seconds)."""
        self._read = 0
        self._acknowledged = 0

    def prepare(self) -> None:
        """Create the ledger's tables again, in a separate database."""
        values = ", ".join(f"({account}, {INITIAL_BALANCE})" for account in range(ACCOUNTS))
        writers = self.pods.writers if self.pods else sum(WRITERS.values())
        registers = ", ".join(f"({writer}, 0)" for writer in range(writers))
        with self.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
            cursor.execute(f"CREATE DATABASE {DATABASE}")
            for table in _TABLES:
                cursor.execute(f"CREATE TABLE {DATABASE}.{table} ENGINE=InnoDB")
            cursor.execute(f"INSERT INTO {DATABASE}.account VALUES {values}")  # noqa: S608
            cursor.execute(f"INSERT INTO {DATABASE}.register VALUES {registers}")  # noqa: S608

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Run the writers while the body runs.

        Raises:
            ProcessError: the writers failed.
            Unknown: see `WriterPods.writing`.
        """
        task = Task(
            port=self.server.port,
            password=self.server.password,
            history=self.history,
            writers=WRITERS,
            patience=timeouts.patient(1),
        )
        self.history.unlink(missing_ok=True)  # of an interrupted run
        if self.pods:
            with self.pods.writing(task):
                self.began = time.monotonic()
                yield
            return
        self.began = time.monotonic()
        with process.running(
            [sys.executable, "-m", "landfast.mysql.writers"],
            log=self.history.with_name("writers.log"),
            text=task.model_dump_json(),
            end_seconds=timeouts.patient(_END_SECONDS),
        ):
            yield

    @property
    def crew(self) -> Crew | None:
        """The writers in pods, once their history is whole; None: they were on this host."""
        return self.pods.crew if self.pods else None

    @property
    def clock_error(self) -> float:
        """By how many seconds times of the history may be off."""
        return self.crew.clock_error if self.crew else 0.0

    def acknowledged(self) -> int:
        """Return how many writes have been acknowledged so far, as far as is known here.

        Raises:
            Unknown: see `WriterPods.check`.
        """
        if self.pods:
            self.pods.check()
        with contextlib.suppress(FileNotFoundError), self.history.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._acknowledged += line.startswith(b"ok\t") and b"\tconnect\t" not in line
        return self._acknowledged

    def wait_for_writes(self, count: int, *, timeout: float) -> None:
        """Wait until `count` more writes have been acknowledged; ten seconds on, a tenth will do.

        Storage that takes few writes a second, as a machine's, is no reason to judge nothing.

        Raises:
            WaitTimeout: they are not.
        """
        begun, slow = self.acknowledged(), time.monotonic() + _SLOW_SECONDS
        few = -(-count // 10)
        wait_until(
            f"{count} acknowledged writes",
            lambda: self.acknowledged() - begun,
            until=lambda done: done >= (few if time.monotonic() >= slow else count),
            give_up=lambda _: "the ledger's database is gone" if self._is_gone() else None,
            timeout=timeout,
            interval=0.5,
        )

    def _is_gone(self) -> bool:
        """Whether MySQL answers, but no longer has the ledger's database."""
        question = "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s"
        try:
            return not self.server.query(question, [DATABASE])
        except MysqlError:
            return False

    def read(self) -> FinalReading:
        """Read everything that is in the ledger's tables, row by row.

        Raises:
            MysqlError: it cannot be read.
        """
        duplicates: list[str] = []
        damaged: list[str] = []
        rows: dict[int, Runs] = {}
        transfers: dict[int, Runs] = {}
        with self.server.connect() as connection, connection.cursor(SSCursor) as cursor:
            cursor.execute(f"SELECT * FROM {DATABASE}.entry ORDER BY writer, number")  # noqa: S608
            for writer, number, content in cursor:
                if not _add(rows, writer, number):
                    duplicates.append(f"insert {number} of writer {writer}")
                if content != payload(writer, number):
                    damaged.append(f"insert {number} of writer {writer}")
            cursor.execute(f"SELECT * FROM {DATABASE}.transfer ORDER BY writer, number")  # noqa: S608
            for writer, number in cursor:
                if not _add(transfers, writer, number):
                    duplicates.append(f"transfer {number} of writer {writer}")
        return FinalReading(
            rows=rows,
            transfers=transfers,
            registers=dict(self.server.query(f"SELECT * FROM {DATABASE}.register")),  # noqa: S608
            balances=dict(self.server.query(f"SELECT * FROM {DATABASE}.account")),  # noqa: S608
            duplicates=tuple(duplicates),
            damaged=tuple(damaged),
        )


def _add(found: dict[int, Runs], writer: int, number: int) -> bool:
    """Add an ascending number to a writer's runs; return False if it is there already."""
    runs = found.setdefault(writer, [])
    if not runs or number > runs[-1][1] + 1:
        runs.append((number, number))
    elif number == runs[-1][1] + 1:
        runs[-1] = (runs[-1][0], number)
    else:
        return False
    return True
