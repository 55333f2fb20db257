"""Images from a registry: their names, whether the registry has them, loading them into nodes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from landfast import timeouts
from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.image_names import ImageName, names_registry
from landfast.images import Images, registry_names
from landfast.parallel import side_by_side
from landfast.settings import Settings


@dataclass(frozen=True)
class Source:
    """One image: the name that pods and kind ask for, and the name to pull it by."""

    name: str
    pull: str


def overrides(settings: Settings) -> dict[str, str | None]:
    """Return the images that the settings name, by part."""
    return {
        "node": settings.node_image,
        "mysql": settings.mysql_image,
        "provisioner": settings.provisioner_image,
    }


def sources(registry: str | None, overrides: Mapping[str, str | None]) -> dict[str, Source]:
    """Return where each image comes from, by part.

    Args:
        registry: HOST[:PORT][/PREFIX] of a mirror, which replaces the host of each name.
        overrides: names to use instead of the default ones, by part. One that names a registry is
            pulled from there, not from the mirror.
    """
    found = {}
    for part, default in registry_names().items():
        given = overrides.get(part)
        name = ImageName.parse(given or default)
        mirrored = registry and not (given and names_registry(given))
        pull = name.on(registry) if registry and mirrored else name
        found[part] = Source(str(name.tagged()), str(pull))
    return found


def as_images(found: Mapping[str, Source]) -> Images:
    """Return the images under the names that pods and kind ask for."""
    return Images(source="registry", **{part: source.name for part, source in found.items()})


def check(engine: Engine, found: Mapping[str, Source]) -> list[Source]:
    """Return the images that must be pulled, because the engine does not have them.

    Raises:
        BadInput: a registry does not have some of them, or cannot be asked; all are named.
    """
    absent = [source for source in found.values() if not engine.image_digest(source.name)]

    def ask(source: Source) -> str | None:
        insecure = ImageName.parse(source.pull).is_loopback
        return engine.registry_refusal(source.pull, insecure=insecure)

    reasons = side_by_side(ask, absent)
    missing = [s.pull for s, reason in zip(absent, reasons, strict=True) if reason == ""]
    errors = {s.pull: reason for s, reason in zip(absent, reasons, strict=True) if reason}
    hint = "use --images kit, or --registry HOST of one that does"
    if errors:
        unanswered, reason = ", ".join([*errors, *missing]), next(iter(errors.values()))
        raise BadInput(f"no registry answers for {unanswered} ({reason}); {hint}")
    if missing:
        raise BadInput(f"the registry does not have {', '.join(missing)}; {hint}")
    return absent


def pull(engine: Engine, wanted: Collection[Source]) -> None:
    """Pull images side by side, and tag them with the names that pods and kind ask for.

    Raises:
        ProcessError: one cannot be pulled.
    """

    def fetch(source: Source) -> None:
        engine.pull_image(source.pull)
        if source.pull != source.name:
            engine.tag_image(source.pull, source.name)

    side_by_side(fetch, wanted)


def load_into_nodes(engine: Engine, images: list[str], nodes: list[str]) -> None:
    """Load images of the engine into nodes, so that kubelets do not pull them.

    Raises:
        ProcessError: a node has no room, or its containerd does not answer.
    """
    with TemporaryDirectory(prefix="landfast-") as work:
        archive = Path(work) / "images.tar"
        engine.save_images(archive, *images)

        def load(node: str) -> None:
            engine.execute(
                node,
                *["ctr", "--namespace", "k8s.io", "images", "import", "--digests", "-"],
                timeout=timeouts.IMAGE_LOAD,
                stdin=archive,
            )

        side_by_side(load, nodes)
