"""The reference's little database, and what has to be left of it."""

from landfast.kube.client import Object
from landfast.mysql.client import Identity, MysqlError
from landfast.stack import Stack
from landfast.waiting import wait_until

ROWS = ["hello,", "world!"]
MYSQL_SECONDS = 90

# rewritten or removed by a server that stops
_TEMPORARY = ("ibtmp1", "#innodb_temp", "mysql.sock", "ib_buffer_pool")


def ask(stack: Stack, sql: str, *arguments: object) -> list[tuple[object, ...]]:
    """Run one statement and give its rows.

    Raises:
        AssertionError: MySQL does not answer, or refuses (no such table, …): that is a finding.
    """
    try:
        return stack.mysql.query(sql, arguments)
    except MysqlError as error:
        raise AssertionError(f"MySQL did not carry out `{sql}`: {error}") from error


def messages(stack: Stack) -> list[object]:
    """Give the messages of the table, in their order."""
    return [msg for (msg,) in ask(stack, "SELECT msg FROM test_mysql.msg ORDER BY line")]


def wait_for_next_pod(stack: Stack, before: Object) -> Object:
    """Wait until another pod has the name of one that was deleted, and give it."""
    name, uid = before["metadata"]["name"], before["metadata"]["uid"]
    return wait_until(
        f"another pod {name} than {uid}",
        lambda: stack.kube.find("Pod", name, stack.namespace) or {},
        until=lambda pod: pod.get("metadata", {}).get("uid") not in (None, uid),
        timeout=MYSQL_SECONDS,
        describe=lambda pod: str(pod.get("status", "no such pod")),
    )


def data_files(stack: Stack) -> set[str]:
    """Give the names of MySQL's data files on the server, below its folder."""
    folder = stack.folder("mysql")
    found = stack.env.inspector.list(folder).values()
    names = {entry.path.removeprefix(f"{folder}/") for entry in found if entry.type == "file"}
    return {name for name in names if not name.startswith(_TEMPORARY) and ".pid" not in name}


def hashes(stack: Stack) -> dict[str, str]:
    """Give the hashes, on the server, of the files that hold the rows and the server's id."""
    names = [
        name
        for name in sorted(data_files(stack))
        if name in ("auto.cnf", "ibdata1") or name.startswith("test_mysql/")
    ]
    return {name: stack.env.inspector.sha256(stack.folder(f"mysql/{name}")) for name in names}


def describe(rows: list[object], identity: Identity) -> str:
    """Say what a server gave, for the report."""
    return f"MySQL {identity.version} gives the rows {rows}, server_uuid {identity.server_uuid}"
