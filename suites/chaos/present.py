"""A second way to look for rows, besides the ledger's: ask the database for each one."""

from collections.abc import Iterable

from landfast.mysql.client import MysqlServer
from landfast.mysql.writers import DATABASE
from landfast.results import LostRun

_TABLE = {"insert": "entry", "transfer": "transfer"}


def count_present(server: MysqlServer, lost: Iterable[LostRun]) -> int:
    """Return how many operations that are reported as lost are in the database after all."""
    present = 0
    for run in lost:
        if run.kind == "register":
            question = f"SELECT COUNT(*) FROM {DATABASE}.register WHERE writer = %s AND value >= %s"  # noqa: S608
            arguments = [run.writer, run.first]
        else:
            question = (
                f"SELECT COUNT(*) FROM {DATABASE}.{_TABLE[run.kind]} "  # noqa: S608
                "WHERE writer = %s AND number BETWEEN %s AND %s"
            )
            arguments = [run.writer, run.first, run.last]
        ((count,),) = server.query(question, arguments)
        present += count
    return present
