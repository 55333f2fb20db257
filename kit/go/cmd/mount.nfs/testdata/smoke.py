#!/usr/bin/env python3
"""Check that a directory keeps the promises of POSIX that databases depend on.

Usage: smoke.py DIRECTORY

DIRECTORY lies on the mount under test; run as root, because one check changes owners. The program
creates a directory in it and removes it at the end. Each function ``check_…`` is one check: it gets
an empty directory and raises an error if it fails. The exit code is 1 if any check failed.
"""

# A check's name is its sentence, and the checks are about system calls.
# ruff: noqa: BLE001, D103, PTH101, PTH102, PTH104, PTH108, PTH115, PTH123, PTH208
# ruff: noqa: PTH211, S103, T201

from __future__ import annotations

import fcntl
import mmap
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

TRY_LOCK = """
import fcntl, sys
with open(sys.argv[1], "w") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(3)
"""


def expect(actual: object, expected: object) -> None:
    """Raise AssertionError, with both values, unless they are equal."""
    if actual != expected:
        raise AssertionError(f"got {actual!r:.80}, expected {expected!r:.80}")


def check_written_data_is_read_back(base: Path) -> None:
    data = os.urandom(5_000_000)
    with open(base / "file", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    expect((base / "file").read_bytes(), data)


def check_overwrite_changes_only_what_it_covers(base: Path) -> None:
    (base / "file").write_bytes(b"x" * 100_000)
    with open(base / "file", "r+b") as file:
        file.seek(50_000)
        file.write(b"y" * 10)
    expect((base / "file").read_bytes(), b"x" * 50_000 + b"y" * 10 + b"x" * 49_990)


def check_append_writes_at_the_end(base: Path) -> None:
    for data in (b"1", b"2"):
        with open(base / "file", "ab") as file:
            file.write(data)
    expect((base / "file").read_bytes(), b"12")


def check_truncate_cuts_and_extends_with_zeros(base: Path) -> None:
    path = base / "file"
    path.write_bytes(b"x" * 100)
    os.truncate(path, 10)
    with open(path, "r+b") as file:
        file.truncate(2000)
        expect(os.fstat(file.fileno()).st_size, 2000)
    expect(path.read_bytes(), b"x" * 10 + b"\0" * 1990)
    open(path, "wb").close()
    expect(path.stat().st_size, 0)


def check_exclusive_create_fails_on_an_existing_file(base: Path) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    os.close(os.open(base / "file", flags, 0o640))
    expect(stat.S_IMODE((base / "file").stat().st_mode), 0o640)
    try:
        os.close(os.open(base / "file", flags))
    except FileExistsError:
        return
    raise AssertionError("the second exclusive create succeeded")


def check_rename_replaces_the_target(base: Path) -> None:
    (base / "from").write_text("new")
    (base / "to").write_text("old")
    os.rename(base / "from", base / "to")
    expect(((base / "to").read_text(), (base / "from").exists()), ("new", False))


def check_links_lead_to_the_file(base: Path) -> None:
    (base / "file").write_text("data")
    os.symlink("file", base / "symbolic")
    os.link(base / "file", base / "hard")
    expect(os.readlink(base / "symbolic"), "file")
    expect((base / "symbolic").read_text(), "data")
    expect((base / "hard").stat().st_ino, (base / "file").stat().st_ino)
    expect((base / "file").stat().st_nlink, 2)


def check_attributes_are_kept(base: Path) -> None:
    path = base / "file"
    path.touch()
    os.chmod(path, 0o640)
    os.chown(path, 999, 998)
    os.utime(path, (1000, 2000))
    now = path.stat()
    expect((stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid), (0o640, 999, 998))
    expect((now.st_atime, now.st_mtime), (1000, 2000))


def check_removed_open_file_stays_usable(base: Path) -> None:
    with open(base / "file", "w+b") as file:
        file.write(b"before")
        file.flush()
        os.unlink(base / "file")
        file.write(b" after")
        file.flush()
        file.seek(0)
        expect(file.read(), b"before after")
    expect(os.listdir(base), [])


def check_replaced_open_file_stays_usable(base: Path) -> None:
    (base / "old").write_text("old")
    (base / "new").write_text("new")
    with open(base / "old") as file:
        os.rename(base / "new", base / "old")
        expect(file.read(), "old")
    expect(os.listdir(base), ["old"])


def check_shared_mapping_writes_the_file(base: Path) -> None:
    with open(base / "file", "w+b") as file:
        file.truncate(8192)
        with mmap.mmap(file.fileno(), 8192) as mapping:
            mapping[0:5] = b"hello"
            mapping[8190:8192] = b"zz"
            mapping.flush()
    expect((base / "file").read_bytes(), b"hello" + b"\0" * 8185 + b"zz")


def check_direct_io_reads_what_it_wrote(base: Path) -> None:
    out, back = mmap.mmap(-1, 16384), mmap.mmap(-1, 16384)  # O_DIRECT wants aligned memory
    out.write(b"D" * 16384)
    fd = os.open(base / "file", os.O_CREAT | os.O_RDWR | os.O_DIRECT)
    try:
        expect(os.write(fd, out), 16384)
        os.fsync(fd)
        expect(os.preadv(fd, [back], 0), 16384)
    finally:
        os.close(fd)
    expect(back[:], out[:])


def check_lock_excludes_another_process(base: Path) -> None:
    command = [sys.executable, "-c", TRY_LOCK, str(base / "file")]
    with open(base / "file", "w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        expect(subprocess.run(command, check=False).returncode, 3)
        fcntl.lockf(file, fcntl.LOCK_UN)
        expect(subprocess.run(command, check=False).returncode, 0)


def check_fallocate_extends_the_file(base: Path) -> None:
    with open(base / "file", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 1 << 20)
    expect((base / "file").stat().st_size, 1 << 20)


def check_large_directory_is_listed_completely(base: Path) -> None:
    names = {f"{i:04d}" + "n" * 200 for i in range(1000)}
    for name in names:
        (base / name).touch()
    listed = os.listdir(base)
    expect((len(listed), set(listed) == names), (len(names), True))


def check_special_files_have_their_type(base: Path) -> None:
    os.mkfifo(base / "fifo")
    os.mkdir(base / "dir", 0o750)
    expect(stat.S_ISFIFO((base / "fifo").stat().st_mode), True)
    expect((base / "dir").stat().st_mode, stat.S_IFDIR | 0o750)


def check_file_system_tells_its_size(base: Path) -> None:
    expect(os.statvfs(base).f_blocks > 0, True)


def check_new_file_belongs_to_its_creator(base: Path) -> None:
    os.chmod(base, 0o777)
    child = os.fork()
    if child == 0:
        try:
            os.setgid(999)
            os.setuid(999)
            os.close(os.open(base / "file", os.O_CREAT | os.O_WRONLY, 0o600))
            os._exit(0)
        finally:
            os._exit(1)
    expect(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
    expect(((base / "file").stat().st_uid, (base / "file").stat().st_gid), (999, 999))


def passes(check: Callable[[Path], None], parent: str) -> bool:
    """Run one check in a directory of its own and print its result."""
    name = check.__name__.removeprefix("check_").replace("_", " ")
    try:
        with tempfile.TemporaryDirectory(prefix="smoke-", dir=parent) as base:
            check(Path(base))
    except Exception as error:  # any error is the result of the check
        print(f"FAIL  {name}: {type(error).__name__}: {error}")
        return False
    print(f"ok    {name}")
    return True


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: smoke.py DIRECTORY", file=sys.stderr)
        return 2
    checks = [value for name, value in globals().items() if name.startswith("check_")]
    with tempfile.TemporaryDirectory(prefix="smoke-", dir=sys.argv[1]) as parent:
        os.chmod(parent, 0o755)  # mkdtemp made it private, and one check drops root
        results = [passes(check, parent) for check in checks]
    print(f"{sum(results)} of {len(results)} passed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
