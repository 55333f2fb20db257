"""Builds the kit, once at a time on a host."""

import contextlib
import shutil
from collections.abc import Iterator

from filelock import FileLock, Timeout

from landfast import paths
from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.images import Images
from landfast.kit import engine
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder
from landfast.progress import Progress

_GIB = 1 << 30
NEEDED_GIB = 8  # measured: 5.5 GiB for programs, trees, images and Go's own caches


@contextlib.contextmanager
def kit_lock(progress: Progress) -> Iterator[None]:
    """Hold the kit: two builds at once would do the same work twice.

    Raises:
        BadInput: the cache cannot be written.
    """
    lock = FileLock(paths.cache() / "kit.lock")
    try:
        paths.cache().mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        with progress.phase("waiting for another run that builds the kit"):
            lock.acquire()
    except OSError as error:
        raise BadInput(
            f"the cache {paths.cache()} cannot be written: {error.strerror}; "
            "point XDG_CACHE_HOME at a folder that can"
        ) from error
    try:
        yield
    finally:
        lock.release()


def build_kit(running: Engine, progress: Progress) -> Images:
    """Give the kit's images, building what is missing. The caller holds the kit's lock.

    Raises:
        BadInput: there is not enough disk, or a tool is missing that cannot be installed here.
    """
    store = Cache(paths.cache())
    builder = ImageBuilder(running, store, progress)
    free = shutil.disk_usage(paths.cache()).free
    if free < NEEDED_GIB * _GIB and not any(paths.cache().glob("kube-*")):
        raise BadInput(
            f"building the kit needs {NEEDED_GIB} GiB free in {paths.cache()}, there are "
            f"{free / _GIB:.1f}; free some, or point XDG_CACHE_HOME at a larger disk"
        )
    builder.programs.kind()
    return builder.all()


def ensure_engine(progress: Progress) -> Engine:
    """Give a running Docker engine, the kit's where there is no other (see `engine.ensure`)."""
    with kit_lock(progress):
        return engine.ensure(progress)
