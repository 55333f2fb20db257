"""Directories on NFS: which are one, which lie in which, and an index of many."""

import ipaddress
import posixpath
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

_PORT = re.compile(r"(?P<host>[^:\[\]]+|\[[^\]]*\]):\d+")
T = TypeVar("T")


def server_name(server: str) -> str:
    """Return a server's name or address as it is compared: lower case, no port, no last dot."""
    found = _PORT.fullmatch(server.strip())
    host = (found["host"] if found else server.strip()).strip("[]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def clean_path(path: str) -> str:
    """Return a path from the server's root, without `//`, `.` and `..`."""
    return posixpath.normpath(f"/{path.lstrip('/')}")


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it; both as `clean_path` returns them."""
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


class Directory(BaseModel):
    """A directory of a server. Two names of one server are two servers: nobody resolves them.

    Where the server is not known yet, `server` is empty, and `of` names what has its root there: a
    PVC that will be provisioned, or a volume of a driver that does not say where it is.
    """

    model_config = ConfigDict(frozen=True)

    server: Annotated[str, AfterValidator(server_name)] = ""
    path: Annotated[str, AfterValidator(clean_path)] = "/"
    of: str = ""

    def __str__(self) -> str:
        if self.of:
            return f"{self.of} {self.path}".removesuffix(" /")
        return f"{f'[{self.server}]' if ':' in self.server else self.server}:{self.path}"

    @property
    def root(self) -> tuple[str, str]:
        """What it is compared within: its server, or what it is a directory of."""
        return self.server, self.of

    def holds(self, other: "Directory") -> bool:
        """Whether `other` is this directory or lies in it."""
        return self.root == other.root and is_below(other.path, self.path)

    def sub(self, path: str) -> "Directory":
        """Return a directory inside this one."""
        inner = posixpath.join(self.path, clean_path(path).lstrip("/")) if path else self.path
        return Directory(server=self.server, path=inner, of=self.of)


class DirectoryIndex(Generic[T]):
    """What is in which directory, found without looking at all of it."""

    def __init__(self, items: Iterable[tuple[Directory, T]]) -> None:
        self._at: dict[tuple[str, str], dict[str, list[T]]] = defaultdict(lambda: defaultdict(list))
        for directory, item in items:
            self._at[directory.root][directory.path].append(item)

    @cached_property
    def _sorted(self) -> dict[tuple[str, str], list[str]]:
        return {
            root: sorted(f"{path.rstrip('/')}/" for path in at) for root, at in self._at.items()
        }

    def at(self, directory: Directory) -> list[T]:
        """Return what is in exactly this directory."""
        return self._at.get(directory.root, {}).get(directory.path, [])

    def below(self, directory: Directory) -> list[T]:
        """Return what is in directories inside this one, by their paths."""
        paths = self._sorted.get(directory.root, [])
        folder = f"{directory.path.rstrip('/')}/"
        first = bisect_left(paths, folder)
        end = bisect_left(paths, f"{folder[:-1]}0")  # "0" follows "/"
        at = self._at.get(directory.root, {})
        inside = (path[:-1] or "/" for path in paths[first:end] if path != folder)
        return [item for path in inside for item in at[path]]

    def above(self, directory: Directory) -> list[T]:
        """Return what is in directories that hold this one, the nearest first."""
        at = self._at.get(directory.root, {})
        found: list[T] = []
        path = directory.path
        while path != "/":
            path = posixpath.dirname(path)
            found += at.get(path, [])
        return found

    def within(self, directory: Directory) -> list[T]:
        """Return what is in this directory or inside it."""
        return [*self.at(directory), *self.below(directory)]

    @property
    def directories(self) -> "list[tuple[Directory, list[T]]]":
        """Every directory with what is in exactly it."""
        return [
            (Directory(server=server, path=path, of=of), items)
            for (server, of), at in self._at.items()
            for path, items in at.items()
        ]
