"""Where containers put what is to outlive them: dumps, archives of logs, and the logs themselves.

Only what a command, an argument or a variable plainly says counts; scripts and configuration files
of an image are not known.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from landfast.audit.pods import Container
from landfast.audit.servers import commands_of

_DUMPERS = {
    "mysqldump", "mariadb-dump", "mysqlpump", "mydumper", "pg_dump", "pg_dumpall", "pg_basebackup",
    "mongodump", "xtrabackup", "mariabackup", "mariadb-backup", "etcdctl",
}  # fmt: skip
_FILTERS = {"gzip", "bzip2", "xz", "zstd", "pigz", "openssl", "gpg", "cat", "tee"}
_LOCAL = {
    *_DUMPERS, *_FILTERS, "!", ":", "[", "[[", "awk", "basename", "break", "case", "cd", "chgrp",
    "chmod", "chown", "continue", "cp", "cut", "date", "df", "dirname", "do", "done", "du", "echo",
    "else", "env", "esac", "eval", "exit", "export", "expr", "false", "fi", "find", "for",
    "function", "grep", "head", "hostname", "id", "if", "in", "local", "ls", "mariadb-admin",
    "md5sum", "mkdir", "mongosh", "mv", "mysqladmin", "pg_isready", "printf", "pwd", "read",
    "readonly", "return", "rm", "rmdir", "sed", "seq", "set", "sha256sum", "shift", "sleep",
    "sort", "stat", "sync", "tail", "tar", "test", "then", "touch", "tr", "trap", "true", "umask",
    "uniq", "unset", "until", "wait", "wc", "while", "xargs",
}  # fmt: skip
"""Programs that send nothing anywhere; any other may take the dump to where it is safe."""
_TARGETS = {
    "--file", "-f", "--out", "-o", "--archive", "--result-file", "-r", "--pgdata", "-D",
    "--target-dir", "--outputdir", "save",
}  # fmt: skip
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?(\w+)=[\"']?([^\s\"';]+)", re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_PATH = re.compile(r"(?:(?<=[\s\"'=>])|^)(/[\w./-]+)/[\"']?%f")
_ARCHIVING = re.compile(r"archive[-_]command", re.IGNORECASE)
_OPTION = r"(?:^|[\s-]){}(?:\s*=\s*|\s+)[\"']?(/[\w./-]+)"
_LOGS = {
    "its write-ahead log": re.compile(
        _OPTION.format(r"(?:wal[-_]?dir|innodb[-_]log[-_]group[-_]home[-_]dir)")
    ),
    "its undo log": re.compile(_OPTION.format(r"innodb[-_]undo[-_]directory")),
}
_BINLOG = re.compile(_OPTION.format(r"log[-_]bin(?:[-_]basename)?"))
_WAL_VARIABLE = re.compile(r"\w*INITDB_WAL_?DIR")


def dumps(container: Container) -> Iterator[str]:
    """Yield the absolute paths to which a container dumps a database, as far as they are known.

    Nothing if one of its programs may take the dump elsewhere.
    """
    commands = commands_of(container)
    programs = {posixpath.basename(words[0]) for words in commands}
    if not programs <= _LOCAL:
        return
    known = _variables(container)
    for words in commands:
        program = posixpath.basename(words[0])
        dumper = program in _DUMPERS and (program != "etcdctl" or "snapshot" in words)
        piped = program in _FILTERS and _DUMPERS & programs
        if dumper or piped:
            named = _named(words) if dumper else iter(())
            for path in (*named, *_redirected(words)):
                said, unknown, _ = _filled(path, known).partition("$")
                target = said.rpartition("/")[0] if unknown else said
                if target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
                    yield posixpath.normpath(target)


def archives(container: Container) -> Iterator[str]:
    """Yield the directories to which a PostgreSQL server copies finished pieces of its log."""
    env = [variable.value for variable in container.env if _ARCHIVING.search(variable.name)]
    said = [text for text in (*container.command, *container.args) if _ARCHIVING.search(text)]
    for text in (*env, *said):
        yield from dict.fromkeys(map(posixpath.normpath, _PATH.findall(text)))


def logs(container: Container) -> Iterator[tuple[str, str]]:
    """Yield the directories of logs without which a server cannot recover, with what they are."""
    env = [variable.value for variable in container.env]
    text = " ".join((*container.command, *container.args, *env))
    for what, said in _LOGS.items():
        yield from ((what, posixpath.normpath(path)) for path in said.findall(text))
    for variable in container.env:
        if _WAL_VARIABLE.fullmatch(variable.name) and variable.value.startswith("/"):
            yield "its write-ahead log", posixpath.normpath(variable.value)
    for path in _BINLOG.findall(text):
        yield "its binary log", posixpath.dirname(posixpath.normpath(path))


def _variables(container: Container) -> Mapping[str, str]:
    """Return the variables that have a value in a container's environment, or in its script."""
    found = {variable.name: variable.value for variable in container.env if variable.value}
    for text in (*container.command, *container.args):
        for name, value in _ASSIGNED.findall(text):
            found[name] = _filled(value, found)
    return found


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: known.get(found[1] or found[2], found[0]), text)


def _named(words: Sequence[str]) -> Iterator[str]:
    """Yield what a dump program's own options say."""
    for word, after in pairwise([*words, ""]):
        option, _, value = word.partition("=")
        if option in _TARGETS:
            yield value or after


def _redirected(words: Sequence[str]) -> Iterator[str]:
    for before, sign, after in zip(words, words[1:], words[2:], strict=False):
        if sign in (">", ">>") and before != "2":
            yield after
    if words[0] == "tee":
        yield from (word for word in words[1:] if not word.startswith("-"))
