"""One MySQL server, used through 127.0.0.1."""

import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from landfast import timeouts
from landfast.errors import Refused

Dial = Callable[[], socket.socket]


class MysqlError(Refused):
    """MySQL does not answer, or refuses a connection or a statement. `code` is MySQL's, or 0."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"MySQL: {error}")
        first = error.args[0] if error.args else 0
        self.code = first if isinstance(first, int) else 0


@dataclass(frozen=True)
class MysqlServer:
    """How to reach a server: a port on 127.0.0.1, and root's password.

    With `dial`, connections use the sockets that it returns instead.
    """

    port: int
    password: str
    dial: Dial | None = None

    def __str__(self) -> str:
        return str(self.dial) if self.dial else f"127.0.0.1:{self.port}"

    def open(self, seconds: float) -> "Connection[Cursor]":
        """Return an open connection with autocommit; each answer may take `seconds`.

        Raises:
            pymysql.err.OperationalError: the server does not answer or refuses.
            OSError: `dial` does not reach it.
        """
        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            password=self.password,
            autocommit=True,
            connect_timeout=timeouts.MYSQL_CONNECT,
            read_timeout=seconds,
            write_timeout=seconds,
            defer_connect=True,
            ssl_disabled=True,  # TLS would replace the dialled socket; this is loopback
        )
        connection.connect(self.dial() if self.dial else None)
        return connection

    @contextlib.contextmanager
    def connect(self, seconds: float = timeouts.MYSQL_QUERY) -> Iterator["Connection[Cursor]"]:
        """Yield an open connection (see `open`), and close it at the end.

        Raises:
            MysqlError: it cannot be opened, or what the body does with it fails.
        """
        try:
            connection = self.open(seconds)
            try:
                yield connection
            finally:
                with contextlib.suppress(pymysql.err.Error):
                    connection.close()
        except (pymysql.err.Error, OSError) as error:
            raise MysqlError(error) from error

    def query(
        self, sql: str, arguments: Sequence[object] = (), *, seconds: float = timeouts.MYSQL_QUERY
    ) -> list[tuple[Any, ...]]:
        """Run one statement on a new connection and return its rows.

        Raises:
            MysqlError: MySQL does not answer, or refuses.
        """
        with self.connect(seconds) as connection, connection.cursor() as cursor:
            cursor.execute(sql, arguments or None)
            return list(cursor.fetchall())

    def identity(self) -> "Identity":
        """Return the server's version and the id that it keeps in its data directory."""
        # a port mapping accepts connections for a pod that is gone, and never answers
        ((version,),) = self.query("SELECT VERSION()", seconds=timeouts.MYSQL_CONNECT)
        # MariaDB calls its server_uuid server_uid
        (row,) = self.query(
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid','server_uid')",
            seconds=timeouts.MYSQL_CONNECT,
        )
        return Identity(str(version), str(row[1]))

    def uptime(self) -> int:
        """Return for how many whole seconds the server has run."""
        asked = "SHOW GLOBAL STATUS LIKE 'Uptime'"
        ((_, seconds),) = self.query(asked, seconds=timeouts.MYSQL_CONNECT)
        return int(seconds)


@dataclass(frozen=True)
class Identity:
    """Which data directory a server runs on: a fresh one has another `server_uuid`."""

    version: str
    server_uuid: str
