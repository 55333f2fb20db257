"""Landfast's files and packages for its image: what is installed, and when it is built anew."""

from pathlib import Path
from typing import Any

import pytest
from fakes import result

from landfast import paths, process
from landfast.kit import python
from landfast.kit.cache import Cache


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package in the place of an installed Landfast's."""
    folder = tmp_path / "landfast"
    (folder / "project" / "__pycache__").mkdir(parents=True)
    (folder / "cli.py").write_text("one")
    monkeypatch.setattr(paths, "PACKAGE", folder)
    monkeypatch.setattr(paths, "INSTALLED", True)
    return folder


def test_image_is_built_anew_for_a_changed_file_or_python_alone(package: Path) -> None:
    before = python.key("3.13")
    (package / "project" / "__pycache__" / "cli.cpython-313.pyc").write_text("compiled")
    assert python.key("3.13") == before
    assert python.key("3.14") != before
    (package / "cli.py").write_text("two")
    assert python.key("3.13") != before


def test_moved_file_counts_as_a_change(package: Path) -> None:
    before = python.key("3.13")
    (package / "cli.py").rename(package / "project" / "cli.py")
    assert python.key("3.13") != before


def test_copy_says_which_version_it_is(package: Path, tmp_path: Path) -> None:
    python.copy_landfast(tmp_path / "copy")
    assert (tmp_path / "copy" / "landfast" / "cli.py").read_text() == "one"
    (metadata,) = (tmp_path / "copy").glob("landfast-*.dist-info/METADATA")
    assert "\nName: landfast\nVersion: " in metadata.read_text()


def test_packages_are_those_of_the_images_python_and_not_of_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run(argv: list[str], **_: Any) -> Any:
        asked.extend(argv)
        return result()

    monkeypatch.setattr(process, "run", run)
    python.packages(Cache(tmp_path), "3.13")
    assert asked[asked.index("--python-version") + 1] == "3.13"
    assert "pytest-cov>=5" not in asked
    assert any(part.startswith("kubernetes") for part in asked)
