"""The export inspector: shows the export as its server has it, past the client under test."""

import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from landfast.errors import LandfastError

Execute = Callable[[Sequence[str]], str]
"""Runs a program where the export is a local folder; returns its output, raises LandfastError."""

# Names may hold newlines. No path that find prints contains "//", so that ends a record.
_END = "//\n"
# Files of a running database may vanish between find and stat: that is not an error.
_LIST = """
[ -d "$1" ] || { echo "there is no folder $1" >&2; exit 1; }
export LC_ALL=C
exec 3>&1
! { find "$@" 2>&1 >&3; [ $? -lt 2 ] || echo "find broke off"; } |
    grep -v "No such file or directory" >&2
"""
# Names are not printed: sha256sum quotes some, and not the same way everywhere.
_HASH = 'for file; do sha256sum < "$file" || exit; done'
_PUT = """
while [ $# -gt 0 ]; do
    mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1" || exit
    shift 2
done
"""
_FORMAT = "%f|%u|%g|%s|%Y|%i|%n//"
_TYPES = {"-": "file", "d": "directory", "l": "symlink", "p": "fifo", "s": "socket"}


@dataclass(frozen=True)
class Entry:
    """One file or folder of the export, as the server has it.

    `path` is relative to the export's root, `mode` has only the permission bits, `size` is in
    bytes, `modified` in seconds since 1970.
    """

    path: str
    type: str
    mode: int
    uid: int
    gid: int
    size: int
    modified: int
    inode: int

    def __str__(self) -> str:
        return f"{self.type} {self.mode:04o} {self.uid}:{self.gid} {self.size:>10} {self.path}"


class ExportInspector:
    """Lists, reads and hashes what lies on the export, and prepares folders for tests on it.

    It needs only a shell, find, grep, stat, sha256sum and cat, from GNU or busybox. Paths start at
    `root`; `where` tells the reader of the report where the inspector runs. It changes nothing
    outside the folder `own`: the rest of the export may belong to others.
    """

    def __init__(self, execute: Execute, root: PurePosixPath, where: str, *, own: str = "") -> None:
        self._execute = execute
        self._root = root
        self._own = own
        self.where = where

    def below(self, folder: str) -> "ExportInspector":
        """Return an inspector whose paths start at a folder, with the same right to change."""
        relative = PurePosixPath(folder)
        if relative.is_relative_to(self._own):
            own = PurePosixPath()
        else:
            own = PurePosixPath(self._own).relative_to(relative)  # ValueError: disjoint
        return ExportInspector(
            self._execute, PurePosixPath(self._at(folder)), self.where, own=str(own)
        )

    def _at(self, path: str) -> str:
        relative = PurePosixPath(path)
        if relative.is_absolute() or ".." in relative.parts:
            raise ValueError(f"{path!r} is not a path inside the export")
        return str(self._root / relative)

    def _at_own(self, path: str) -> str:
        if not PurePosixPath(path).is_relative_to(self._own):
            raise LandfastError(
                f"refused to change {path!r} on the export: the run owns only {self._own!r}"
            )
        return self._at(path)

    def list(self, path: str = ".", *, depth: int | None = None) -> dict[str, Entry]:
        """Return what lies below a folder by path, without the folder itself.

        Raises:
            LandfastError: there is no such folder, or the server cannot be asked.
        """
        limit = [] if depth is None else ["-maxdepth", str(depth)]
        top = self._at(path)
        look = ["-mindepth", "1", *limit, "-exec", "stat", "-c", _FORMAT, "{}", "+"]
        output = self._execute(["sh", "-c", _LIST, "sh", top, *look])
        entries = [self._parse(record) for record in output.split(_END) if record]
        return {entry.path: entry for entry in sorted(entries, key=lambda e: e.path)}

    def stat(self, path: str) -> Entry | None:
        """Return one file or folder, or None if it is not there."""
        top = self._at(path)
        output = self._execute(
            ["sh", "-c", f'[ ! -e "$1" ] && [ ! -L "$1" ] || stat -c "{_FORMAT}" "$1"', "sh", top]
        )
        return self._parse(output.removesuffix(_END)) if output else None

    def exists(self, path: str) -> bool:
        """Whether anything has this name."""
        return self.stat(path) is not None

    def read(self, path: str) -> str:
        """Return a file's text."""
        return self._execute(["cat", self._at(path)])

    def hashes(self, paths: Collection[str]) -> dict[str, str]:
        """Return the SHA-256 of files' contents, in hex, by path; ask the server once."""
        output = self._execute(["sh", "-c", _HASH, "sh", *map(self._at, paths)])
        return dict(zip(paths, (line.split()[0] for line in output.splitlines()), strict=True))

    def make_folder(self, path: str) -> None:
        """Make a folder that all may write, and its parents, as an administrator would."""
        top = self._at_own(path)
        self._execute(["mkdir", "-p", top])
        self._execute(["chmod", "777", top])

    def write(self, path: str, text: str) -> None:
        """Write a small file on the server."""
        self._execute(["sh", "-c", 'printf %s "$2" > "$1"', "sh", self._at_own(path), text])

    def put(self, files: Mapping[str, str]) -> None:
        """Write small files, with the folders above them, on the server; ask it once."""
        named = [part for path, text in files.items() for part in (self._at_own(path), text)]
        self._execute(["sh", "-c", _PUT, "sh", *named])

    def move(self, source: str, target: str) -> None:
        """Rename on the server, behind every client's back."""
        self._execute(["mv", self._at_own(source), self._at_own(target)])

    def remove(self, path: str) -> None:
        """Remove a file or folder with everything in it; never the root itself."""
        if PurePosixPath(path) == PurePosixPath():
            raise ValueError("refused to remove the root of the export")
        self._execute(["rm", "-rf", self._at_own(path)])

    def _parse(self, record: str) -> Entry:
        fields = record.split("|", maxsplit=6)
        try:
            mode, uid, gid, size, modified, inode = (int(fields[0], 16), *map(int, fields[1:6]))
            path = PurePosixPath(fields[6]).relative_to(self._root)
        except (ValueError, IndexError) as error:
            raise LandfastError(f"the export's server listed {record!r}") from error
        kind = _TYPES.get(stat.filemode(mode)[0], "device")
        return Entry(str(path), kind, stat.S_IMODE(mode), uid, gid, size, modified, inode)
