"""The identity guard: which differences it names, and which lines of MySQL's log it picks out."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pymysql
import pytest

from landfast.errors import LandfastError
from landfast.kube.client import Kube
from landfast.mysql import identity
from landfast.mysql.client import MysqlError, MysqlServer
from landfast.mysql.identity import IdentityFindings, Snapshot, compare, findings
from landfast.nfs.inspector import ExportInspector

BEFORE = Snapshot("1c09-11f0", 0x00C0FFEE, 4711)
SINCE = datetime(2026, 4, 6, 20, 25, 11, tzinfo=UTC)


def test_a_snapshot_in_words() -> None:
    said = "server_uuid 1c09-11f0, canary 00c0ffee, data directory inode 4711"
    assert str(BEFORE) == said
    assert "canary gone, data directory inode None" in str(Snapshot("x", None, None))


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (BEFORE, []),
        (
            Snapshot("f00d", BEFORE.canary, BEFORE.inode),
            ["silently re-initialised: the server's id is f00d, it was 1c09-11f0"],
        ),
        (Snapshot("1c09-11f0", 1, 4711), ["the canary table has other rows"]),
        (Snapshot("1c09-11f0", None, 4711), ["the canary table is gone"]),
        (
            Snapshot("1c09-11f0", BEFORE.canary, 5),
            ["the data directory's inode is 5, it was 4711"],
        ),
        (
            Snapshot("f00d", None, None),
            [
                "silently re-initialised: the server's id is f00d, it was 1c09-11f0",
                "the canary table is gone",
                "the data directory's inode is None, it was 4711",
            ],
        ),
    ],
)
def test_another_database_is_noticed(after: Snapshot, found: list[str]) -> None:
    assert compare(BEFORE, after) == found


# As MySQL 8.4 and 9 print them: a day, the time to the microsecond, thread, [level], [code],
# [subsystem]; the image's own script and what mysqld says while it dies have no such stamp.
OLD = "2026-04-06T20:25:10.999999Z 1 [Note] [MY-012552] [InnoDB] Starting crash recovery."
START = (
    "2026-04-06T20:25:11.829417Z 0 [System] [MY-010116] [Server] /usr/sbin/mysqld (mysqld 9.4.0) "
    "starting as process 1"
)
UNCLEAN = (
    "2026-04-06T20:25:12.000001Z 1 [Note] [MY-012551] [InnoDB] Database was not shutdown normally!"
)
CRASH = "2026-04-06T20:25:12.000009Z 1 [Note] [MY-012552] [InnoDB] Starting crash recovery."
XA = "2026-04-06T20:25:13.300000Z 0 [System] [MY-010229] [Server] Starting XA crash recovery..."
BACK = (
    "2026-04-06T20:25:13.100000Z 1 [Note] [MY-013011] [InnoDB] Rolling back trx with id 5678, "
    "2 rows to undo"
)
ROLLED = (
    "2026-04-06T20:25:13.200000Z 1 [Note] [MY-013012] [InnoDB] Rollback of trx with id 5678 "
    "completed"
)
TORN = (
    "2026-04-06T20:25:12.884355Z 1 [Note] [MY-013557] [InnoDB] Database page corruption or a "
    "failed file read of page [page id: space=42, page number=1086]. Trying to recover it from "
    "the doublewrite file."
)
MENDED = (
    "2026-04-06T20:25:12.884520Z 1 [Note] [MY-013550] [InnoDB] Recovered page [page id: space=42, "
    "page number=1086] from the doublewrite buffer."
)
PAGE = (
    "2026-04-06T20:25:14.000000Z 1 [ERROR] [MY-011906] [InnoDB] Database page corruption on disk "
    "or a failed file read of page [page id: space=5, page number=4]. You may have to recover "
    "from a backup."
)
APPARENT = (
    "2026-04-06T20:25:14.100000Z 0 [ERROR] [FATAL] InnoDB: Apparent corruption of an index page "
    "[page id: space=3859, page number=842530] to be written to data file. We intentionally crash "
    "the server to prevent corrupt data from ending up in data files."
)
READY = (
    "2026-04-06T20:25:15.000000Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for "
    "connections. Version: '9.4.0'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306"
)
ENTRYPOINT = "2026-04-06 20:25:10+00:00 [Note] [Entrypoint]: Initializing database files"


def test_a_normal_start_is_neither_recovery_nor_corruption() -> None:
    found = findings("\n".join([ENTRYPOINT, START, READY]), SINCE)
    assert (found.recovery, found.corruption) == ((), ())
    assert findings("", SINCE) == found


@pytest.mark.parametrize("line", [UNCLEAN, CRASH, XA, BACK, ROLLED])
def test_a_recovery_is_noticed(line: str) -> None:
    found = findings(f"{START}\n{line}\n{READY}\n", SINCE)
    assert (found.recovery, found.corruption) == ((line,), ())


@pytest.mark.parametrize("line", [PAGE, APPARENT])
def test_corruption_is_noticed(line: str) -> None:
    found = findings(f"{START}\n{line}\n{READY}\n", SINCE)
    assert (found.recovery, found.corruption) == ((), (line,))


def test_a_torn_page_that_innodb_mends_is_recovery() -> None:
    found = findings(f"{CRASH}\n{TORN}\n{MENDED}\n", SINCE)
    assert (found.recovery, found.corruption) == ((CRASH, TORN, MENDED), ())


def test_what_was_said_before_does_not_count() -> None:
    assert findings(f"{OLD}\n{START}\n", SINCE).recovery == ()
    assert findings(f"{OLD}\n{CRASH}\n", SINCE).recovery == (CRASH,)


def test_the_second_itself_counts() -> None:
    at = OLD.replace("20:25:10.999999", "20:25:11.000000")
    assert findings(at, SINCE.replace(microsecond=999_999)).recovery == (at,)


def test_lines_without_a_time_belong_to_the_one_before() -> None:
    dump = "InnoDB: Page may be corrupt: checksum mismatch"
    assert findings(f"{OLD}\n{dump}\n", SINCE).corruption == ()
    assert findings(f"{START}\n{dump}\n{ENTRYPOINT}\n", SINCE).corruption == (dump,)
    assert findings(f"{dump}\n", SINCE).corruption == ()


class Logs:
    """A pod's logs: of MySQL's container that runs, and of the one before it."""

    def __init__(self, now: str | None, previous: str | None) -> None:
        self.texts = {False: now, True: previous}

    def logs(
        self, namespace: str, pod: str, *, container: str, previous: bool, tail_lines: int
    ) -> str:
        assert container == "mysql"
        text = self.texts[previous]
        if text is None:
            raise LandfastError("no such container")
        return text

    def scan(self) -> identity.LogFindings:
        return identity.scan_log(cast(Kube, self), "default", "mysql-0", SINCE)


def test_the_container_before_is_looked_at_first() -> None:
    assert Logs(f"{CRASH}\n", f"{PAGE}\n").scan() == findings(f"{PAGE}\n{CRASH}", SINCE)


def test_there_need_be_no_container_before() -> None:
    assert Logs(f"{CRASH}\n", None).scan().recovery == (CRASH,)


def test_a_log_that_cannot_be_read_is_one_sentence() -> None:
    with pytest.raises(LandfastError, match=r"^MySQL's log cannot be read: no such container$"):
        Logs(None, None).scan()


class Server:
    """Answers by the statement's first words."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "CHECKSUM": [("landfast_canary.canary", BEFORE.canary)],
            "SELECT": [("mysql", "user"), ("landfast_ledger", "entry")],
            "CHECK": [("mysql.user", "check", "status", "OK")],
        } | answers
        self.asked: list[str] = []

    def query(self, sql: str) -> Any:
        self.asked.append(sql)
        answer = self.answers[sql.split()[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def identity(self) -> SimpleNamespace:
        return SimpleNamespace(server_uuid=BEFORE.server_uuid)

    def verify(self, inode: int | None = BEFORE.inode) -> IdentityFindings:
        entry = None if inode is None else SimpleNamespace(inode=inode)
        inspector = cast(ExportInspector, SimpleNamespace(stat=lambda _folder: entry))
        return identity.verify(BEFORE, cast(MysqlServer, self), inspector)


def test_the_settings_that_an_acknowledgement_rests_on_are_told() -> None:
    rows = [("innodb_flush_log_at_trx_commit", "1"), ("sync_binlog", "0")]
    server = Server(SHOW=rows)
    said = "innodb_flush_log_at_trx_commit=1, sync_binlog=0"
    assert identity.durability(cast(MysqlServer, server)) == said


def test_the_same_database_is_verified() -> None:
    server = Server()
    assert server.verify() == IdentityFindings(
        (f"before: {BEFORE}", f"after: {BEFORE}", "CHECK TABLE on 2 tables")
    )
    assert server.asked[-1] == "CHECK TABLE `mysql`.`user`, `landfast_ledger`.`entry`"


def test_what_is_different_and_what_is_damaged_are_told() -> None:
    damaged = [
        ("a.t", "check", "error", "Table 'a.t' doesn't exist"),
        ("a.t", "check", "status", "Operation failed"),
        ("b.t", "check", "warning", "InnoDB: The B-tree of index PRIMARY is corrupted."),
        ("b.t", "check", "status", "Table is already up to date"),
        ("c.t", "check", "note", "The storage engine for the table doesn't support check"),
    ]
    found = Server(CHECK=damaged, CHECKSUM=[("x", None)]).verify(inode=None)
    assert found.wrong == (
        "the canary table is gone",
        "the data directory's inode is None, it was 4711",
        "CHECK TABLE a.t: Table 'a.t' doesn't exist",
        "CHECK TABLE a.t: Operation failed",
        "CHECK TABLE b.t: InnoDB: The B-tree of index PRIMARY is corrupted.",
    )


@pytest.mark.parametrize("question", ["CHECKSUM", "CHECK"])
def test_a_server_that_does_not_answer_is_wrong(question: str) -> None:
    error = MysqlError(pymysql.err.OperationalError(2013, "Lost connection"))
    found = Server(**{question: error}).verify()
    said = f"the identity cannot be read: {error}"
    assert found == IdentityFindings((f"before: {BEFORE}",), wrong=(said,))


def test_an_export_that_cannot_be_looked_at_is_a_doubt() -> None:
    found = Server(CHECKSUM=LandfastError("exec refused")).verify()
    said = "the identity cannot be read: exec refused"
    assert found == IdentityFindings((f"before: {BEFORE}",), doubts=(said,))


def test_the_canary_is_made_anew_of_rows_that_nobody_else_has() -> None:
    statements: list[str] = []

    class Connection:
        def __enter__(self) -> "Connection":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def cursor(self) -> "Connection":
            return self

        def execute(self, statement: str) -> None:
            statements.append(statement)

    server = cast(MysqlServer, SimpleNamespace(connect=Connection))
    identity.plant_canary(server)
    identity.plant_canary(server)
    assert [s.split("(")[0].split()[:2] for s in statements[:4]] == [
        ["DROP", "DATABASE"],
        ["CREATE", "DATABASE"],
        ["CREATE", "TABLE"],
        ["INSERT", "INTO"],
    ]
    assert statements[3] != statements[7]
    assert statements[3].count("(") == 64


def test_what_every_crash_advises_is_no_corruption() -> None:
    advice = (
        "InnoDB: immediately after the mysqld startup, there may be\n"
        "InnoDB: corruption in the InnoDB tablespace. Please refer to\n"
    )
    assert findings(f"{CRASH}\n{advice}", SINCE).corruption == ()
