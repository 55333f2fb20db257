"""Where Landfast keeps things on the host, outside the project."""

import os
from pathlib import Path

from platformdirs import user_cache_path

PROJECT = Path(__file__).resolve().parent.parent
KIT = PROJECT / "kit"
MANIFESTS = PROJECT / "manifests"


def cache() -> Path:
    """What can be built again: the kit's programs, images and engine data."""
    return user_cache_path("landfast")


def records() -> Path:
    """What runs own, one file a run: read by `cleanup` when a run died."""
    return cache() / "runs"


def engine_runtime() -> Path:
    """Sockets and pid files of the kit's Docker engine; gone with a reboot, like the engine."""
    return Path("/run/landfast") if os.geteuid() == 0 else cache() / "run"
