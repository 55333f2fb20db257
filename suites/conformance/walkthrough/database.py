"""The reference's little database, and what has to be left of it."""

import re

from landfast.stack import Stack

ROWS = ["hello,", "world!"]
PVC = "mysql-data-mysql-0"

# a server that stops or starts renames, rewrites or removes them
_TEMPORARY = ("ibtmp1", "#innodb_temp", "#innodb_redo/", "mysql.sock", "ib_buffer_pool")
_REDO_FILE = re.compile(r"#innodb_redo/#ib_redo\d+$")


def messages(stack: Stack) -> list[object]:
    """Return the messages of the table, in their order.

    Raises:
        MysqlError: MySQL does not answer, or has no such table.
    """
    return [msg for (msg,) in stack.mysql.query("SELECT msg FROM test_mysql.msg ORDER BY line")]


def data_files(stack: Stack) -> set[str]:
    """Return the names of MySQL's data files on the server, below its folder.

    The redo log counts as one: InnoDB numbers its files anew and keeps spare ones ("_tmp"),
    which a recovering server removes.
    """
    found = stack.export.list("mysql").values()
    names = {entry.path.removeprefix("mysql/") for entry in found if entry.type == "file"}
    names = {_REDO_FILE.sub("#innodb_redo", name) for name in names}
    return {name for name in names if not name.startswith(_TEMPORARY) and ".pid" not in name}


def hashes(stack: Stack) -> dict[str, str]:
    """Return the hashes, on the server, of the files that hold the rows and the server's id."""
    return stack.export.hashes(
        [
            f"mysql/{name}"
            for name in sorted(data_files(stack))
            if name in ("auto.cnf", "ibdata1") or name.startswith("test_mysql/")
        ]
    )
