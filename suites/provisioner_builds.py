"""Builds of the kit's provisioner that behave otherwise, for the prove sessions."""

import contextlib
from collections.abc import Iterator, Mapping

from landfast import paths
from landfast.kit import engine as engines
from landfast.kit.build import kit_lock
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder
from landfast.progress import Progress


@contextlib.contextmanager
def builds(variables: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Build an image for each name, with variables of its own; remove the images at the end."""
    progress = Progress()
    with kit_lock(progress):
        engine = engines.ensure(progress)
        builder = ImageBuilder(engine, Cache(paths.cache()), progress)
        base, key = builder.image("nfs-provisioner"), builder.key("nfs-provisioner")
        images = {name: f"landfast/nfs-provisioner-{name}:{key}" for name in variables}
        for name, image in images.items():
            lines = [f"ENV {key}={value}" for key, value in variables[name].items()]
            engine.build_image_from_text(image, "\n".join([f"FROM {base}", *lines, ""]))
    try:
        yield images
    finally:
        for image in images.values():
            engine.remove_image(image, force=True)
