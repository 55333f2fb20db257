"""Builds the kit, one build at a time on a host."""

import contextlib
from collections.abc import Iterator

from filelock import FileLock, Timeout

from landfast import paths
from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.files import free_gib
from landfast.images import Images
from landfast.kit import kernel
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder, recipes
from landfast.progress import Progress

NEEDED_GIB = 8  # measured: 5.5 GiB for programs, trees, images and Go's own caches


@contextlib.contextmanager
def kit_lock(progress: Progress) -> Iterator[None]:
    """Hold the kit's lock: two builds at once would do the same work twice.

    Raises:
        BadInput: the cache cannot be written.
    """
    lock = FileLock(paths.cache() / "kit.lock")
    try:
        paths.cache().mkdir(parents=True, exist_ok=True)
        held = lock.acquire(timeout=0)
    except Timeout:
        with progress.phase("wait for another run to build the kit"):
            held = lock.acquire()
    except OSError as error:
        raise BadInput(
            f"cannot write the cache {paths.cache()}: {error.strerror}; "
            "set XDG_CACHE_HOME to a folder that you can write"
        ) from error
    with held:
        yield


def build_kit(running: Engine, progress: Progress, *, whole: bool = False) -> Images:
    """Build what is missing of the kit and return its images. The caller holds the kit's lock.

    With `whole`, build what is compiled for some runs only, too: their tests wait for no compiler.
    Only machines, whose kernel takes longest, wait until one is asked for.

    Raises:
        BadInput: the disk is too small, or a missing tool cannot be installed here.
    """
    store = Cache(paths.cache())
    builder = ImageBuilder(running, store, progress)
    free = free_gib(paths.cache())
    if free < NEEDED_GIB and not any(paths.cache().glob("kube-*")):
        raise BadInput(
            f"building the kit needs {NEEDED_GIB} GiB in {paths.cache()}, and {free:.1f} GiB are "
            "free: free some, or set XDG_CACHE_HOME to a folder on a larger disk"
        )
    builder.programs.kind()
    images = builder.all()
    for name, recipe in recipes().items() if whole else ():
        if recipe.on_demand and recipe.programs and kernel.NAME not in recipe.programs:
            builder.image(name)
    return images
