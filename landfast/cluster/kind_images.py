"""The images that a kind cluster is made of: from a registry, or from the kit."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from landfast import paths, registry
from landfast.cluster import built_images
from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.images import Images
from landfast.kit.build import build_kit
from landfast.kit.cache import Cache
from landfast.kit.programs import Programs
from landfast.progress import Progress
from landfast.registry import Source
from landfast.settings import Settings, flag

_OF_THE_KIT = ("node", "mysql", "nfs_server")


def image_source(
    engine: Engine | None, asked: str = "auto", mirror: str | None = None
) -> Literal["kit", "registry"]:
    """Return where images come from: with `auto`, from the kit if the engine is the kit's."""
    if asked == "auto" and mirror is None:
        return "kit" if engine is None or engine.from_kit else "registry"
    return "kit" if asked == "kit" else "registry"


@dataclass(frozen=True)
class Wanted:
    """The images of a cluster without the kit, by part.

    `pulled` come from registries. `built` are the names of those that Landfast builds where neither
    the engine nor the mirror has them, that of the NFS server on `base`.
    """

    pulled: dict[str, Source]
    built: dict[str, str]
    base: Source


def wanted(settings: Settings, programs: Programs, platform: str) -> Wanted:
    """Return the images that a cluster of these settings is made of, for an engine's platform."""
    pulled = registry.sources(settings.registry, registry.overrides(settings))
    built = {} if "nfs_server" in pulled else {"nfs_server": built_images.nfs_server(platform)}
    if settings.nfs_client != "kernel":
        built["nfs_client"] = built_images.nfs_client(programs, platform)
    return Wanted(pulled, built, registry.server_base(settings.registry))


def provide(settings: Settings, engine: Engine, progress: Progress) -> Images:
    """Bring the images of a cluster into the engine, and return them.

    The image of the NFS client is made where a run needs it (see `built_images.mount_helper`).

    Raises:
        BadInput: an image is nowhere, or cannot be built; an option does not go with the kit.
    """
    asked = registry.overrides(settings)
    if image_source(engine, settings.images, settings.registry) == "registry":
        return _without_kit(settings, engine, progress)
    for part in _OF_THE_KIT:
        if part in asked:
            raise BadInput(f"{flag(part)}-image needs --images registry: the kit has its own")
    images = build_kit(engine, progress)
    if "provisioner" not in asked:
        return images
    provisioner = registry.sources(None, asked)["provisioner"]
    _fetch(engine, [provisioner], progress)
    return replace(images, provisioner=provisioner.name)


def not_in_nodes(images: Images) -> list[str]:
    """Return the pods' images that are not in the node image."""
    if images.source == "registry":
        return images.workloads()
    from_kit = images.provisioner.startswith("landfast/")  # other names begin with a registry
    return [] if from_kit else [images.provisioner]


def _without_kit(settings: Settings, engine: Engine, progress: Progress) -> Images:
    needed = wanted(settings, Programs(Cache(paths.cache()), progress), engine.platform())
    lacking = {part: name for part, name in needed.built.items() if not engine.image_digest(name)}
    mirror = settings.registry
    mirrored = registry.on_mirror(engine, mirror, lacking) if mirror else {}
    to_build = lacking.get("nfs_server") if "nfs_server" not in mirrored else None
    bases = [needed.base] if to_build else []
    _fetch(engine, [*needed.pulled.values(), *mirrored.values(), *bases], progress)
    if to_build:
        built_images.build_nfs_server(engine, to_build, needed.base.name, progress)
    pulled = {part: source.name for part, source in needed.pulled.items()}
    return registry.as_images({**needed.built, **pulled})


def _fetch(engine: Engine, found: Collection[Source], progress: Progress) -> None:
    absent = registry.check(engine, found)
    if absent:
        with progress.phase(f"pull {len(absent)} images"):
            registry.pull(engine, absent)
