"""The identity guard: is the database that answers after a fault the one from before?

A pod whose volume came up empty initialises a new data directory, answers, and is Ready. A check
that only asks whether MySQL runs never notices.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from landfast.errors import LandfastError
from landfast.kube.client import Kube
from landfast.mysql.client import MysqlError, MysqlServer
from landfast.nfs.inspector import ExportInspector

MYSQL_CONTAINER = "mysql"
"""mysqld's container; on a cluster of others it is not the only one of its pod."""
_DATABASE = "landfast_canary"
_FOLDER = "mysql"  # the data directory on the stack's export
_ROWS = 64
_DURABILITY = ("innodb_flush_log_at_trx_commit", "innodb_doublewrite", "sync_binlog")
_UP_TO_DATE = "Table is already up to date"
_LINES = 4000
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*Z")
# InnoDB prints this advice after every crash ("… there may be corruption in …")
_ADVICE = "InnoDB: corruption in the InnoDB tablespace. Please refer to"
# a torn page that InnoDB repairs is what its doublewrite buffer is for
_REPAIR = re.compile(r"recover(ed)? (it|page .*) from the doublewrite", re.I)
_CORRUPTION = re.compile(r"corrupt|checksum mismatch|page \[?page id.*failed|is missing or", re.I)
_RECOVERY = re.compile(r"crash recovery|not shut ?down normally|rolling back|rollback of", re.I)


@dataclass(frozen=True)
class Snapshot:
    """What makes a database itself: the server's id, a table's checksum, its folder's inode."""

    server_uuid: str
    canary: int | None
    inode: int | None

    def __str__(self) -> str:
        canary = "gone" if self.canary is None else f"{self.canary:08x}"
        return f"server_uuid {self.server_uuid}, canary {canary}, data directory inode {self.inode}"


def plant_canary(server: MysqlServer) -> None:
    """Create the canary again: a table of random rows that nobody touches."""
    rows = ", ".join(f"({n}, '{secrets.token_hex(32)}')" for n in range(_ROWS))
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {_DATABASE}")
        cursor.execute(f"CREATE DATABASE {_DATABASE}")
        cursor.execute(f"CREATE TABLE {_DATABASE}.canary (id INT PRIMARY KEY, text CHAR(64))")
        cursor.execute(f"INSERT INTO {_DATABASE}.canary VALUES {rows}")  # noqa: S608


def take_snapshot(server: MysqlServer, export: ExportInspector | None) -> Snapshot:
    """Return a snapshot of the database that answers now; without an export it has no inode."""
    ((_, checksum),) = server.query(f"CHECKSUM TABLE {_DATABASE}.canary")
    entry = export.stat(_FOLDER) if export else None
    return Snapshot(server.identity().server_uuid, checksum, entry.inode if entry else None)


def durability(server: MysqlServer) -> str:
    """Return the settings that decide what an acknowledgement is worth, as `name=value, …`."""
    names = ", ".join(f"'{name}'" for name in _DURABILITY)
    rows = server.query(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    return ", ".join(f"{name}={value}" for name, value in rows)


def compare(before: Snapshot, after: Snapshot) -> list[str]:
    """Return what shows that another database answers than before; empty if it is the same."""
    found = []
    if after.server_uuid != before.server_uuid:
        found.append(
            f"silently re-initialised: the server's id is {after.server_uuid}, "
            f"it was {before.server_uuid}"
        )
    if after.canary != before.canary:
        gone = "is gone" if after.canary is None else "has other rows"
        found.append(f"the canary table {gone}")
    if after.inode != before.inode:
        found.append(f"the data directory's inode is {after.inode}, it was {before.inode}")
    return found


def check_tables(server: MysqlServer) -> tuple[int, list[str]]:
    """Return how many tables CHECK TABLE looked at, and what it complains of."""
    tables = server.query(
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = "
        "'BASE TABLE' AND TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema')"
    )
    names = ", ".join(f"`{schema}`.`{name}`" for schema, name in tables)
    answers = server.query(f"CHECK TABLE {names}")
    bad = [
        f"CHECK TABLE {table}: {text}"
        for table, _, kind, text in answers
        if kind in ("error", "warning") or (kind == "status" and text not in ("OK", _UP_TO_DATE))
    ]
    return len(tables), bad


@dataclass(frozen=True)
class LogFindings:
    """What MySQL's own log says since a moment: lines on recovery and lines on corruption."""

    recovery: tuple[str, ...]
    corruption: tuple[str, ...]


def scan_log(kube: Kube, namespace: str, pod: str, since: datetime) -> LogFindings:
    """Return what the logs of a pod's container and of its predecessor say since a moment."""
    text = ""
    for previous in (True, False):
        try:
            text += kube.logs(
                namespace, pod, container=MYSQL_CONTAINER, previous=previous, tail_lines=_LINES
            )
        except LandfastError as error:
            if not previous:  # there is usually none before
                raise LandfastError(f"MySQL's log cannot be read: {error}") from error
    return findings(text, since)


def findings(log: str, since: datetime) -> LogFindings:
    """Return what a log says since a moment; a line without a time belongs to the one before."""
    recovery, corruption = [], []
    recent = False
    wanted = f"{since:%Y-%m-%dT%H:%M:%S}"
    for line in log.splitlines():
        if stamp := _STAMP.match(line):
            recent = stamp[1] >= wanted
        if not recent or line.startswith(_ADVICE):
            continue
        if _REPAIR.search(line) or (_RECOVERY.search(line) and not _CORRUPTION.search(line)):
            recovery.append(line)
        elif _CORRUPTION.search(line):
            corruption.append(line)
    return LogFindings(tuple(recovery), tuple(corruption))


@dataclass(frozen=True)
class IdentityFindings:
    """What was seen of the database after a fault, what is wrong, and what could not be read."""

    seen: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def verify(
    before: Snapshot, server: MysqlServer, export: ExportInspector | None
) -> IdentityFindings:
    """Compare the database that answers now with the one from before a fault."""
    seen = f"before: {before}"
    try:
        after = take_snapshot(server, export)
        tables, bad = check_tables(server)
    except MysqlError as error:  # that MySQL cannot be read is what a fault may have done
        return IdentityFindings((seen,), wrong=(f"the identity cannot be read: {error}",))
    except LandfastError as error:
        return IdentityFindings((seen,), doubts=(f"the identity cannot be read: {error}",))
    return IdentityFindings(
        (seen, f"after: {after}", f"CHECK TABLE on {tables} tables"),
        wrong=(*compare(before, after), *bad),
    )
