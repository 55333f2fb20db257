"""The export beside the volumes, on a real folder; looking at it changes nothing."""

import os
from pathlib import Path, PurePosixPath

import pytest

from landfast.audit.directories import Directory
from landfast.audit.export import local_inspector, view
from landfast.errors import LandfastError
from landfast.nfs.inspector import ExportInspector

LONG_AGO = 1_600_000_000
ROOT = Directory(server="nfs", path="/exports")


def fill(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def directories(*paths: str) -> list[Directory]:
    return [Directory(server="nfs", path=path) for path in paths]


def look(folder: Path, *paths: str, root: Directory = ROOT) -> tuple[set[str], list[str]]:
    found = view(local_inspector(PurePosixPath(folder)), root, directories(*paths), 0)
    return set(found.missing), [orphan.path for orphan in found.orphans]


def test_directories_without_a_volume_are_found_with_size_and_age(tmp_path: Path) -> None:
    fill(tmp_path, used__a="1", old__a="12345", old__deep__b="123", file="1")
    for path in [tmp_path / "old", *(tmp_path / "old").rglob("*")]:
        os.utime(path, (LONG_AGO, LONG_AGO))
    os.utime(tmp_path / "old/deep/b", (LONG_AGO + 7, LONG_AGO + 7))
    inspector = local_inspector(PurePosixPath(tmp_path))
    found = view(inspector, ROOT, directories("/exports/used"), 42)
    [orphan] = found.orphans
    assert (orphan.path, orphan.files, orphan.size) == ("/exports/old", 2, 8)
    assert orphan.modified == LONG_AGO + 7
    assert found.looked_at == 42


def test_an_empty_orphan_is_as_old_as_itself(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.utime(tmp_path / "empty", (LONG_AGO, LONG_AGO))
    [orphan] = view(local_inspector(PurePosixPath(tmp_path)), ROOT, [], 0).orphans
    assert (orphan.files, orphan.size, orphan.modified) == (0, 0, LONG_AGO)


def test_beside_a_nested_volume_it_looks_deeper(tmp_path: Path) -> None:
    fill(tmp_path, shop__used__inner__a="1", shop__leaked__a="1", other__x="1")
    missing, orphans = look(tmp_path, "/exports/shop/used")
    assert missing == set()
    assert orphans == ["/exports/other", "/exports/shop/leaked"]


def test_volumes_without_their_directory_are_found(tmp_path: Path) -> None:
    fill(tmp_path, there__a="1", file="1")
    (tmp_path / "link").symlink_to("there")
    paths = ["/exports/there", "/exports/gone", "/exports/file", "/exports/link", "/elsewhere/x"]
    missing, orphans = look(tmp_path, *paths)
    assert missing == {"/exports/gone", "/exports/file"}
    assert orphans == []


def test_volumes_of_another_server_own_nothing_here(tmp_path: Path) -> None:
    fill(tmp_path, a__x="1")
    other = [Directory(server="other", path="/exports/a")]
    found = view(local_inspector(PurePosixPath(tmp_path)), ROOT, other, 0)
    assert (len(found.missing), len(found.orphans)) == (0, 1)


def test_the_root_may_be_a_volume_and_be_called_slash(tmp_path: Path) -> None:
    fill(tmp_path, a__x="1", b__x="1")
    (tmp_path / "lost+found").mkdir()
    root = Directory(server="nfs", path="/")
    assert look(tmp_path, "/", "/a", "/c", root=root) == ({"/c"}, ["/b"])


def test_looking_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path, a__x="1", b__y="1")
    asked: list[str] = []
    local = local_inspector(PurePosixPath(tmp_path))
    writes = {"make_folder", "write", "move", "remove"}

    class ReadOnly(ExportInspector):
        def __getattribute__(self, name: str) -> object:
            if name in writes:
                raise AssertionError(f"{name} was asked of production")
            asked.append(name)
            return getattr(local, name)

    view(ReadOnly(lambda _: "", PurePosixPath("/"), ""), ROOT, directories("/exports/a"), 0)
    assert set(asked) == {"list", "stat"}


def test_what_cannot_be_looked_at_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LandfastError, match="there is no folder"):
        look(tmp_path / "nowhere")
