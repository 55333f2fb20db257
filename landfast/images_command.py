"""`landfast images`: what a cluster is made of, listed, saved to an archive, pushed to a mirror."""

import contextlib
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from landfast import engine_host, paths
from landfast.cluster import built_images, kind_images
from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.image_names import ImageName
from landfast.kit import engine as engines
from landfast.kit.build import kit_lock
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder
from landfast.kit.programs import Programs
from landfast.process import ProcessError
from landfast.progress import Progress
from landfast.settings import Settings

_PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}
_NO_ENGINE = Engine("none")


@dataclass(frozen=True)
class Listed:
    """One image of a cluster: its part, name and origin, and whether the engine has it."""

    part: str
    name: str
    origin: str
    there: bool


def listed(settings: Settings) -> list[Listed]:
    """Return the images that a cluster of these settings is made of; change nothing.

    Raises:
        BadInput: DOCKER_HOST names an engine that does not answer.
    """
    engine = engines.find()

    def has(name: str) -> bool:
        return engine is not None and engine.image_digest(name) is not None

    if kind_images.image_source(engine, settings.images, settings.registry) == "kit":
        builder = ImageBuilder(engine or _NO_ENGINE, Cache(paths.cache()), Progress())
        origins = {name: (part, "the kit") for part, name in builder.planned(has).all().items()}
    else:
        origins = dict(_origins(settings, engine))
    return [Listed(part, name, origin, has(name)) for name, (part, origin) in origins.items()]


def _origins(settings: Settings, engine: Engine | None) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield name, part and origin of each image that does not come from the kit."""
    here = f"linux/{_PROCESSORS.get(platform.machine(), platform.machine())}"
    wanted = kind_images.wanted(settings, _programs(), engine.platform() if engine else here)
    for part, source in wanted.pulled.items():
        yield source.name, (part, source.pull)
    mirror = settings.registry
    for part, name in wanted.built.items():
        origin = f"{ImageName.parse(name).on(mirror)}, or built here" if mirror else "built here"
        if part == "nfs_client" and settings.nfs_client == "auto":
            origin += ", if the engine's kernel has no NFS client"
        yield name, (part, origin)


def save(settings: Settings, archive: Path, progress: Progress) -> None:
    """Write the images of a cluster into one archive for `docker load`.

    Raises:
        BadInput: the archive cannot be written, or an image is nowhere.
    """
    try:
        if archive.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        work = TemporaryDirectory(prefix=".landfast-", dir=archive.absolute().parent)
    except OSError as error:
        raise BadInput(f"--save {archive} cannot be written: {error.strerror}") from error
    with work, _brought(settings, "--save", progress) as (engine, names):
        part = Path(work.name, "part")
        with progress.phase(f"save {len(names)} images to {archive}"):
            try:
                engine.save_images(part, *names)
                part.replace(archive)
            except ProcessError as error:
                raise BadInput(f"--save {archive} cannot be written: {error.last_line}") from error
            except OSError as error:
                raise BadInput(f"--save {archive} cannot be written: {error.strerror}") from error


def push(settings: Settings, mirror: str, progress: Progress) -> None:
    """Push the images of a cluster to a mirror, under the names by which `--registry` finds them.

    Raises:
        BadInput: the mirror does not take an image, or an image is nowhere.
    """
    with _brought(settings, "--push", progress) as (engine, names):
        for name in names:
            target = str(ImageName.parse(name).on(mirror))
            known = engine.image_digest(target) is not None
            engine.tag_image(name, target)
            try:
                with progress.phase(f"push {target}"):
                    engine.push_image(target)
            except ProcessError as error:
                raise BadInput(
                    f"--push {mirror} does not take {target}: {error.last_line}"
                ) from error
            finally:
                if not known:
                    engine.remove_image(target)


@contextlib.contextmanager
def _brought(
    settings: Settings, option: str, progress: Progress
) -> Iterator[tuple[Engine, list[str]]]:
    """Bring the images into the engine, and give it and their names; hold the kit's lock."""
    with kit_lock(progress):
        if kind_images.image_source(engines.find(), settings.images, settings.registry) == "kit":
            raise BadInput(
                f"{option} needs --images registry: the kit builds its images on each host"
            )
        engine = engines.ensure(progress)
        images = kind_images.provide(settings, engine, progress)
        names = [*images.all().values()]
        if settings.nfs_client == "fuse" or (
            settings.nfs_client == "auto"
            and not engine_host.look(engine, images.busybox).kernel_nfs
        ):
            names.append(built_images.make_nfs_client(engine, _programs(), progress))
        yield engine, names


def _programs() -> Programs:
    return Programs(Cache(paths.cache()), Progress())
