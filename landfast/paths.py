"""Where Landfast finds its own files, and where it keeps things on the host."""

import os
from importlib.resources import files
from pathlib import Path

from platformdirs import user_cache_path

PACKAGE = Path(str(files("landfast")))
_BUNDLED = PACKAGE / "project"
INSTALLED = _BUNDLED.is_dir()
"""Whether Landfast runs from a wheel, not from the repository."""
PROJECT = _BUNDLED if INSTALLED else PACKAGE.parent
"""The folder with `suites`, `fixtures`, `manifests`, `reports` and `kit`.

A wheel holds it as `landfast/project`, so that nothing of it lies in site-packages itself. In the
repository it is the root.
"""
SUITES = PROJECT / "suites"
KIT = PROJECT / "kit"
MANIFESTS = PROJECT / "manifests"
IMAGES_FILE = PACKAGE / "images.yaml"
PYTEST_FILE = PACKAGE / "suites.ini"


def cache() -> Path:
    """Return the folder for what can be built again: the kit's programs, images, engine data."""
    return user_cache_path("landfast")


def records() -> Path:
    """Return the folder of the runs' records; `cleanup` reads those of dead runs."""
    return cache() / "runs"


def engine_runtime() -> Path:
    """Return the folder of the kit engine's sockets and pid files; a reboot empties it."""
    return Path("/run/landfast") if os.geteuid() == 0 else cache() / "run"
