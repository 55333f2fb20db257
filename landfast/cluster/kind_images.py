"""The images that a kind cluster is made of: from a registry, or from the kit."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from landfast import registry
from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.images import Images
from landfast.kit.build import build_kit
from landfast.kit.programs import Programs
from landfast.progress import Progress
from landfast.settings import Settings


def image_source(
    engine: Engine | None, asked: str = "auto", mirror: str | None = None
) -> Literal["kit", "registry"]:
    """Return where images come from: with `auto`, from the kit if the engine is the kit's."""
    if asked == "auto" and mirror is None:
        return "kit" if engine is None or engine.from_kit else "registry"
    return "kit" if asked == "kit" else "registry"


def provide(settings: Settings, engine: Engine, progress: Progress) -> Images:
    """Bring the images of a cluster into the engine, and return them."""
    asked = registry.overrides(settings)
    if image_source(engine, settings.images, settings.registry) == "registry":
        found = registry.sources(settings.registry, asked)
        _fetch(engine, found, progress)
        return registry.as_images(found)
    for part in ("node", "mysql"):
        if asked[part] is not None:
            raise BadInput(f"--{part}-image needs --images registry: the kit has its own")
    images = build_kit(engine, progress)
    if asked["provisioner"] is None:
        return images
    provisioner = registry.sources(None, asked)["provisioner"]
    _fetch(engine, {"provisioner": provisioner}, progress)
    return replace(images, provisioner=provisioner.name)


def mount_helper(
    images: Images,  # noqa: ARG001 - an image that has the helper
    engine: Engine,  # noqa: ARG001
    programs: Programs,
    progress: Progress,  # noqa: ARG001
    folder: Path,  # noqa: ARG001
) -> Path:
    """Return the FUSE mount helper as a file; `folder` is the run's own, to put it there."""
    return programs.path("mount.nfs")


def not_in_nodes(images: Images) -> list[str]:
    """Return the pods' images that are not in the node image."""
    if images.source == "registry":
        return images.workloads()
    from_kit = images.provisioner.startswith("landfast/")  # other names begin with a registry
    return [] if from_kit else [images.provisioner]


def _fetch(engine: Engine, found: dict[str, registry.Source], progress: Progress) -> None:
    absent = registry.check(engine, found)
    if absent:
        with progress.phase(f"pull {len(absent)} images"):
            registry.pull(engine, absent)
