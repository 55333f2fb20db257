"""Landfast itself as a folder for an image: its files, and the packages from PyPI that it needs."""

import shutil
import sys
from importlib.metadata import requires
from pathlib import Path

from landfast import __version__, paths, process, timeouts
from landfast.kit.cache import Cache, digest

_BESIDE = ("fixtures", "kit", "manifests", "reports", "suites", "conftest.py")
"""What a wheel has as `landfast/project` (pyproject.toml)."""


def key(version: str) -> str:
    """Return the hash of what `packages` and `copy_landfast` give for a version of Python."""
    contents = [part for name, file in sorted(_files().items()) for part in (name, file)]
    return digest(version, __version__, *_requirements(), *contents)


def packages(store: Cache, version: str) -> Path:
    """Return the folder of Landfast's dependencies for a version of Python (`3.13`).

    They are installed if the cache lacks them; newer releases do not count as a change.

    Raises:
        ProcessError: PyPI does not answer, or has no wheel for that version.
    """
    required = _requirements()

    def build(target: Path) -> None:
        process.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
            + ["--target", str(target), "--python-version", version, "--only-binary=:all:"]
            + required,
            timeout=timeouts.APT,
        )

    return store.artifact("packages-landfast", digest(version, *required), build)


def copy_landfast(target: Path) -> None:
    """Copy Landfast into a folder on Python's path, as a wheel would lie there."""
    for name, file in _files().items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target / name)
    metadata = target / f"landfast-{__version__}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: landfast\nVersion: {__version__}\n")


def _requirements() -> list[str]:
    return sorted(line for line in requires("landfast") or () if "extra ==" not in line)


def _files() -> dict[str, Path]:
    """Return Landfast's files by their place in a wheel."""
    parts = {"landfast": paths.PACKAGE}
    if not paths.INSTALLED:
        parts |= {f"landfast/project/{name}": paths.PROJECT / name for name in _BESIDE}
    found = {}
    for place, part in parts.items():
        for file in [part] if part.is_file() else part.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                found[f"{place}/{file.relative_to(part)}" if file != part else place] = file
    return found
