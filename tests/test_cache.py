"""What changes an artifact's key, and what an interrupted build leaves."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.errors import BadInput
from landfast.kit.cache import Cache, digest


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def make_tree(folder: Path) -> Path:
    tree = folder / "sources"
    (tree / "sub").mkdir(parents=True)
    (tree / "main.go").write_text("package main")
    (tree / "run").write_text("#!/bin/sh")
    (tree / "sub" / "a").write_text("a")
    (tree / "link").symlink_to("main.go")
    (tree / "folder-link").symlink_to("sub")
    return tree


def test_a_tree_has_the_same_digest_in_every_place(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert digest(make_tree(tmp_path)) == digest(make_tree(tmp_path / "elsewhere"))


def _relink(name: str, target: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        (tree / name).unlink()
        (tree / name).symlink_to(target)

    return change


def _link_to_file(tree: Path) -> None:
    (tree / "link").unlink()
    (tree / "link").write_text("main.go")


def test_what_an_installation_may_change_does_not_change_a_digest(tmp_path: Path) -> None:
    tree = make_tree(tmp_path)
    before = digest(tree)
    (tree / "run").chmod(0o755)
    (tree / "sub" / "__pycache__").mkdir()
    (tree / "sub" / "__pycache__" / "a.cpython-311.pyc").touch()
    assert digest(tree) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "main.go").write_text("package main "),
        lambda tree: (tree / "sub" / "a").rename(tree / "sub" / "b"),
        lambda tree: (tree / "sub" / "a").rename(tree / "a"),
        lambda tree: (tree / "sub" / "a").unlink(),
        lambda tree: (tree / "sub" / "new").touch(),
        _relink("link", "run"),
        _relink("folder-link", "."),
        _relink("link", "nowhere"),
        _link_to_file,
    ],
    ids=[
        "content",
        "renamed",
        "moved",
        "removed",
        "added",
        "link",
        "link-to-folder",
        "dangling-link",
        "link-became-file",
    ],
)
def test_any_change_of_a_tree_changes_its_digest(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    tree = make_tree(tmp_path)
    before = digest(tree)
    change(tree)
    assert digest(tree) != before


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_texts_do_not_run_together(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


def build_with(text: str) -> Callable[[Path], None]:
    def build(target: Path) -> None:
        (target / "program").write_text(text)

    return build


def never(_target: Path) -> None:
    raise AssertionError("the artifact was built again")


def test_an_artifact_is_built_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new" / "cache")
    built = cache.artifact("kube", "1" * 12, build_with("one"))
    assert built == cache.path("kube", "1" * 12)
    assert cache.artifact("kube", "1" * 12, never) == built
    assert (built / "program").read_text() == "one"
    assert oct(built.stat().st_mode & 0o777) == "0o755"


def test_a_changed_key_is_built_and_the_older_one_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    old = cache.artifact("go", "1" * 12, build_with("old"))
    neighbour = cache.artifact("go-tools", "1" * 12, build_with("neighbour"))
    new = cache.artifact("go", "2" * 12, build_with("new"))
    assert not old.exists()
    assert (new / "program").read_text() == "new"
    assert (neighbour / "program").read_text() == "neighbour"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("compiler")])
def test_a_build_that_failed_leaves_nothing_and_keeps_the_older_one(
    tmp_path: Path, error: BaseException
) -> None:
    cache = Cache(tmp_path)
    old = cache.artifact("kube", "1" * 12, build_with("old"))

    def build(target: Path) -> None:
        (target / "half").write_text("half")
        raise error

    with pytest.raises((KeyboardInterrupt, RuntimeError)):
        cache.artifact("kube", "2" * 12, build)
    assert names(tmp_path) == [old.name]


def test_remains_of_a_killed_build_never_pass_for_an_artifact_and_are_removed(
    tmp_path: Path,
) -> None:
    cache = Cache(tmp_path)
    pid = os.fork()
    if pid == 0:
        cache.artifact("kube", "1" * 12, lambda target: os._exit((target / "half").write_text("")))
    os.waitpid(pid, 0)
    assert len(names(tmp_path)) == 1
    whole = cache.artifact("kube", "1" * 12, build_with("whole"))
    assert names(tmp_path) == [whole.name]
    assert (whole / "program").read_text() == "whole"


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    def build(target: Path) -> None:
        Path("/dev/full").write_text("x")

    with pytest.raises(BadInput, match=r"cannot build kube in .*: .*No space left on device"):
        Cache(tmp_path).artifact("kube", "1" * 12, build)
    assert names(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"cannot write the cache .*file/cache: Not a dir"):
        Cache(tmp_path / "file" / "cache").artifact("kube", "1" * 12, never)
