"""The kit's artifacts: each is a folder named after the hash of its sources."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from landfast.errors import BadInput

_KEY_LENGTH = 12


def digest(*inputs: str | Path) -> str:
    """Return a short hash of texts and of files or folders: their names and contents.

    What an installation may change does not count: modes, where scripts count as executable, and
    the bytecode that pip adds.
    """
    total = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            _feed(total, b"text", item.encode())
            continue
        for file in sorted(_files(item)):
            content = _content(file)
            mode = b"x" if is_script(content) else b"-"
            name = file.relative_to(item.parent).as_posix().encode()
            _feed(total, b"link" if file.is_symlink() else b"file", name, mode, content)
    return total.hexdigest()[:_KEY_LENGTH]


def is_script(content: bytes) -> bool:
    """Whether a file of the kit is to be executable: it begins with `#!`."""
    return content.startswith(b"#!")


def _feed(total: "hashlib._Hash", *parts: bytes) -> None:
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)


def _files(item: Path) -> Iterable[Path]:
    if not item.is_dir():
        return [item]
    return (
        path
        for path in item.rglob("*")
        if (path.is_symlink() or not path.is_dir()) and path.parent.name != "__pycache__"
    )


def _content(file: Path) -> bytes:
    return str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()


class Cache:
    """Artifacts in one folder. The caller holds the kit's lock: one build at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str, key: str) -> Path:
        """Return where an artifact is or will be."""
        return self.root / f"{name}-{key}"

    def artifact(self, name: str, key: str, build: Callable[[Path], None]) -> Path:
        """Return the folder of the artifact with this name and key; build it if it is missing.

        `build` fills an empty folder, which gets its final name only once `build` has returned: an
        interrupted build never passes for a complete one. Older builds of the name are removed.

        Raises:
            BadInput: the disk is full or the cache cannot be written.
        """
        final = self.path(name, key)
        if final.is_dir():
            return final
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for left in self.root.glob(f".{name}-*"):
                shutil.rmtree(left)
            work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.root))
            work.chmod(0o755)
        except OSError as error:
            raise BadInput(f"cannot write the cache {self.root}: {error.strerror}") from error
        try:
            build(work)
            older = [p for p in self.root.glob(f"{name}-*") if len(p.name) == len(final.name)]
            work.rename(final)
        except BaseException as error:
            shutil.rmtree(work, ignore_errors=True)
            if isinstance(error, OSError):
                raise BadInput(f"cannot build {name} in {self.root}: {error}") from error
            raise
        for path in older:
            shutil.rmtree(path)
        return final
