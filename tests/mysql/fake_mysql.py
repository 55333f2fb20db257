"""A MySQL server that is SQLite in memory: it holds tables, and can be away."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from landfast.mysql.client import MysqlError, MysqlServer


class FakeConnection:
    """A connection, and the only cursor that it has."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._rows = database.cursor()

    def cursor(self, _kind: type | None = None) -> "FakeConnection":
        return self

    def __enter__(self) -> "FakeConnection":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def begin(self) -> None:
        self._database.execute("BEGIN")

    def commit(self) -> None:
        self._database.commit()

    def execute(self, statement: str, arguments: Sequence[Any] | None = None) -> None:
        name = statement.split()[-1]
        if statement.startswith("DROP DATABASE"):
            if name in [row[1] for row in self._database.execute("PRAGMA database_list")]:
                self._database.execute(f"DETACH {name}")
            return
        if statement.startswith("CREATE DATABASE"):
            statement = f"ATTACH ':memory:' AS {name}"
        statement = statement.removesuffix(" ENGINE=InnoDB").replace("%s", "?")
        statement = re.sub(
            r"information_schema\.SCHEMATA WHERE SCHEMA_NAME",
            "pragma_database_list WHERE name",
            statement,
        )
        self._rows = self._database.execute(statement, arguments or ())

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows.fetchall()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)


def _empty() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


@dataclass(frozen=True)
class FakeMysql(MysqlServer):
    """A server on nobody's port. While `away` has an error, it raises that."""

    port: int = 3306
    password: str = "x"
    database: sqlite3.Connection = field(default_factory=_empty)
    away: list[Exception] = field(default_factory=list)

    @contextlib.contextmanager
    def connect(self, seconds: float = 0) -> Iterator[Any]:
        if self.away:
            raise MysqlError(self.away[0])
        yield FakeConnection(self.database)
