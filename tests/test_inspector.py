"""The inspector's commands, run for real on a folder, with coreutils and with busybox."""

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest

from landfast.errors import LandfastError
from landfast.nfs.inspector import ExportInspector

NAMES = [
    "plain",
    "with space",
    "new\nline",
    "//\n".replace("/", "!") + "end",
    "-n",
    "quote'\"`$(x)",
    "back\\slash",
    "back\\nslash",
    "umlaut-ü",
    "percent%n|pipe",
    "*",
]
TOOLS = ("find", "stat", "sh", "cat", "sha256sum", "mkdir", "chmod", "mv", "rm", "grep", "test")

# busybox' shell takes its own find and stat, whatever PATH says
ONLY_COREUTILS = pytest.mark.parametrize("inspector", ["coreutils"], indirect=True)


@pytest.fixture(params=["coreutils", "busybox"])
def inspector(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> ExportInspector:
    path = os.environ["PATH"]
    if request.param == "busybox":
        busybox = shutil.which("busybox")
        if busybox is None:
            pytest.skip("busybox is not installed")
        tools = tmp_path_factory.mktemp("busybox")
        for tool in TOOLS:
            (tools / tool).symlink_to(busybox)
        path = str(tools)

    def execute(argv: Sequence[str]) -> str:
        result = subprocess.run(
            argv, capture_output=True, text=True, check=False, env={"PATH": path}, timeout=20
        )
        if result.returncode:
            raise LandfastError(result.stderr)
        return result.stdout

    return ExportInspector(execute, PurePosixPath(tmp_path), "a folder of this host")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_listed_read_and_hashed(
    inspector: ExportInspector, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("abc")
    (tmp_path / name).chmod(0o640)
    listed = inspector.list()
    assert list(listed) == [name]
    entry = listed[name]
    assert (entry.type, entry.mode, entry.size) == ("file", 0o640, 3)
    assert (entry.uid, entry.gid) == (os.geteuid(), os.getegid())
    assert entry.inode == (tmp_path / name).stat().st_ino
    assert entry.modified == int((tmp_path / name).stat().st_mtime)
    assert inspector.stat(name) == entry
    assert inspector.exists(name)
    assert inspector.read(name) == "abc"
    found = inspector.hashes([name])[name]
    assert found.startswith("ba7816bf8f01cfea")
    assert len(found) == 64


def test_all_names_side_by_side(inspector: ExportInspector, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert set(inspector.list()) == set(NAMES) | {f"{name}/{name}" for name in NAMES}
    assert set(inspector.list(depth=1)) == set(NAMES)
    assert list(inspector.list("new\nline")) == ["new\nline/new\nline"]


def test_many_files_are_hashed_at_once(inspector: ExportInspector, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_text(name)
    expected = {name: hashlib.sha256(name.encode()).hexdigest() for name in NAMES}
    assert inspector.hashes(NAMES) == expected
    assert inspector.hashes([]) == {}
    with pytest.raises(LandfastError):
        inspector.hashes([NAMES[0], "nothing", NAMES[1]])


def test_every_type_is_told_apart(inspector: ExportInspector, tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir(mode=0o1777)
    (tmp_path / "dir").chmod(0o1777)
    (tmp_path / "link").symlink_to("dir")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        found = {path: entry.type for path, entry in inspector.list().items()}
    assert found == {
        "dir": "directory",
        "link": "symlink",
        "dangling": "symlink",
        "fifo": "fifo",
        "s": "socket",
    }
    assert inspector.list()["dir"].mode == 0o1777
    dangling = inspector.stat("dangling")
    assert dangling is not None
    assert dangling.type == "symlink"


def test_a_link_is_not_followed(inspector: ExportInspector, tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "file").touch()
    (tmp_path / "link").symlink_to("dir")
    assert set(inspector.list()) == {"dir", "dir/file", "link"}


def test_what_is_not_there(inspector: ExportInspector) -> None:
    assert inspector.stat("nothing") is None
    assert not inspector.exists("nothing")
    with pytest.raises(LandfastError):
        inspector.list("nothing")
    with pytest.raises(LandfastError, match="nothing"):
        inspector.read("nothing")
    with pytest.raises(LandfastError, match="nothing"):
        inspector.hashes(["nothing"])


@ONLY_COREUTILS
def test_files_that_go_while_they_are_listed_are_left_out(
    inspector: ExportInspector, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("stays", "goes"):
        (tmp_path / name).touch()
    tools = tmp_path_factory.mktemp("tools")
    real = inspector._execute(["sh", "-c", "command -v stat"]).strip()
    (tools / "stat").write_text(f'#!/bin/sh\nrm -f "{tmp_path}/goes"\nexec {real} "$@"\n')
    (tools / "stat").chmod(0o755)

    def execute(argv: Sequence[str]) -> str:
        return inspector._execute(["sh", "-c", f'PATH={tools}:$PATH; exec "$@"', "sh", *argv])

    racing = ExportInspector(execute, PurePosixPath(tmp_path), "here")
    assert list(racing.list()) == ["stays"]


@ONLY_COREUTILS
def test_a_folder_that_cannot_be_read_is_an_error(
    inspector: ExportInspector, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    tools = tmp_path_factory.mktemp("tools")
    (tools / "find").write_text("#!/bin/sh\necho 'find: x: Input/output error' >&2\nexit 1\n")
    (tools / "find").chmod(0o755)

    def execute(argv: Sequence[str]) -> str:
        return inspector._execute(["sh", "-c", f'PATH={tools}:$PATH; exec "$@"', "sh", *argv])

    with pytest.raises(LandfastError, match="Input/output error"):
        ExportInspector(execute, PurePosixPath(tmp_path), "here").list()
    (tools / "find").write_text("#!/bin/sh\nkill -9 $$\n")
    with pytest.raises(LandfastError, match="find broke off"):
        ExportInspector(execute, PurePosixPath(tmp_path), "here").list()


def test_an_empty_folder_is_empty(inspector: ExportInspector) -> None:
    assert inspector.list() == {}


def test_folders_are_made_filled_moved_and_removed(
    inspector: ExportInspector, tmp_path: Path
) -> None:
    inspector.make_folder("a/b")
    inspector.write("a/b/c d", "it's 100% \\ $HOME\n")
    assert (tmp_path / "a/b/c d").read_text() == "it's 100% \\ $HOME\n"
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o777
    inspector.move("a/b", "a/e")
    assert set(inspector.list()) == {"a", "a/e", "a/e/c d"}
    inspector.remove("a")
    inspector.remove("a")
    assert inspector.list() == {}


@pytest.mark.parametrize("path", ["/etc", "../outside", "a/../../b"])
def test_nothing_outside_the_export_is_touched(inspector: ExportInspector, path: str) -> None:
    for look in (inspector.list, inspector.stat, inspector.read, inspector.remove):
        with pytest.raises(
            (ValueError, LandfastError), match=r"not a path inside|refused to change"
        ):
            look(path)


@pytest.mark.parametrize("path", ["", "."])
def test_the_root_itself_is_not_removed(inspector: ExportInspector, path: str) -> None:
    with pytest.raises(ValueError, match="remove the root of the export"):
        inspector.remove(path)


def test_an_answer_that_makes_no_sense_is_an_error() -> None:
    inspector = ExportInspector(lambda _: "nonsense//\n", PurePosixPath("/data"), "nowhere")
    with pytest.raises(LandfastError, match="the export's server listed 'nonsense'"):
        inspector.list()


def test_an_entry_reads_like_a_line_of_ls(inspector: ExportInspector, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0o600)
    assert str(inspector.list()["f"]).startswith("file 0600 ")


class TestBelow:
    """An inspector of a part of the export may change what the whole one may, and no more."""

    @pytest.mark.parametrize(
        ("own", "folder", "path", "allowed"),
        [
            ("", "t1", "f", True),
            ("run", "run", "f", True),
            ("run", "run/t1", "f", True),
            ("run", ".", "run/f", True),
            ("run", ".", "others/f", False),
        ],
    )
    def test_the_right_to_change_stays(
        self, own: str, folder: str, path: str, allowed: bool
    ) -> None:
        done: list[str] = []

        def execute(argv: Sequence[str]) -> str:
            done.append(argv[-1])
            return ""

        inspector = ExportInspector(execute, PurePosixPath("/export"), "here", own=own)
        if allowed:
            inspector.below(folder).remove(path)
            assert done == [str(PurePosixPath("/export") / folder / path)]
        else:
            with pytest.raises(LandfastError, match="the run owns only 'run'"):
                inspector.below(folder).remove(path)
            assert done == []

    def test_outside_what_the_run_owns_there_is_nothing_below(self) -> None:
        inspector = ExportInspector(lambda _: "", PurePosixPath("/export"), "here", own="run")
        with pytest.raises(ValueError, match="others"):
            inspector.below("others")
