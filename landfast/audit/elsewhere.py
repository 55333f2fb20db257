"""Whether an application's settings name a database server: then it has no database of its own.

Applications with SQLite inside mostly take a server as well, and are told so by variables that are
called alike everywhere: `GF_DATABASE_TYPE`, `DATABASE_URL`, `PAPERLESS_DBHOST`, `KC_DB`.
"""

import re

from landfast.audit.pods import Container

_DATABASE = r"(DB|DATABASE|SQL|PGSQL|PG|POSTGRES(QL|DB)?|MYSQL|MARIADB)"
_ABOUT = re.compile(rf"(^|_){_DATABASE}(_|$|TYPE|HOST|DIALECT|ENGINE|DRIVER|URL)|DIALECT|DSN|JDBC")
_HOST = re.compile(rf"(^|_){_DATABASE}_?(URL_?)?(HOST|HOSTNAME|SERVER|ADDR|ADDRESS|ENDPOINT)$")
_URL = re.compile(rf"(^|_){_DATABASE}_?(CONNECTION_?)?(URL|URI|DSN|STRING)$|(^|_)DSN$")
_PRODUCTS = (
    r"(postgres|postgresql|postgresdb|pgsql|pg|mysqli?|mysql2|mariadb|mssql|sqlserver|oracle)"
)
_SERVER = re.compile(rf"(jdbc:)?{_PRODUCTS}(\W.*)?", re.IGNORECASE)
_OWN = re.compile(r"(jdbc:)?(sqlite\w*|h2|file)(\W.*)?", re.IGNORECASE)
_ARGUMENT = re.compile(
    rf"\b{_PRODUCTS}(\+\w+)?://|^--?db(-type|-vendor)?={_PRODUCTS}\b", re.IGNORECASE
)


def uses_a_server(container: Container) -> bool:
    """Whether its variables or arguments name a database server; what says SQLite decides.

    A URL that comes from a Secret is taken for that of a server: a file's path is none.
    """
    about = [(re.sub(r"\W|__", "_", variable.name).upper(), variable) for variable in container.env]
    said = [variable.value for name, variable in about if _ABOUT.search(name)]
    if any(_OWN.fullmatch(value) for value in said):
        return False
    return (
        any(_SERVER.fullmatch(value) for value in said)
        or any(v.value or v.is_from_elsewhere for name, v in about if _HOST.search(name))
        or any(v.is_from_elsewhere for name, v in about if _URL.search(name))
        or any(_ARGUMENT.search(word) for word in (*container.command, *container.args))
    )
