"""Images from a registry: their names, whether the registry has them, loading them into nodes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from landfast import timeouts
from landfast.docker import Engine
from landfast.errors import BadInput, LandfastError
from landfast.image_names import ImageName, names_registry
from landfast.images import Images, recycler, registry_names
from landfast.kit import debian
from landfast.parallel import side_by_side
from landfast.process import ProcessError
from landfast.settings import Settings


@dataclass(frozen=True)
class Source:
    """One image: the name that pods and kind ask for, and the name to pull it by."""

    name: str
    pull: str


def overrides(settings: Settings) -> dict[str, str]:
    """Return the images that the settings name, by part."""
    given = {
        "node": settings.node_image,
        "mysql": settings.mysql_image,
        "provisioner": settings.provisioner_image,
        "nfs_server": settings.nfs_server_image,
        "landfast": settings.writer_image if settings.writers else None,
    }
    return {part: name for part, name in given.items() if name is not None}


def sources(
    mirror: str | None, overrides: Mapping[str, str], kubernetes: str = ""
) -> dict[str, Source]:
    """Return where each image comes from, by part.

    Args:
        mirror: HOST[:PORT][/PREFIX], which replaces the host of each name.
        overrides: names to use instead of the default ones, by part. One that names a registry is
            pulled from there, not from the mirror.
        kubernetes: the cluster's version; that of the node image if it is empty.
    """
    names = registry_names()
    node = ImageName.parse(overrides.get("node") or names["node"])
    names["recycler"] = recycler(kubernetes or node.tag)
    found = {p: _default(name, mirror) for p, name in names.items() if p != "debian"}
    for part, given in overrides.items():
        name = ImageName.parse(given)
        mirrored = mirror and not names_registry(given)
        pull = name.on(mirror) if mirror and mirrored else name
        found[part] = Source(str(name.tagged()), str(pull))
    return found


def server_base(mirror: str | None) -> Source:
    """Return where the image comes from on which Landfast builds that of the NFS server."""
    return _default(registry_names()["debian"], mirror)


def _default(name: str, mirror: str | None) -> Source:
    """Return where an image of Landfast's own choice comes from: from a mirror by its tag alone."""
    parsed = ImageName.parse(name)
    pull = parsed.tagged().on(mirror) if mirror else parsed
    return Source(str(parsed.tagged()), str(pull))


def as_images(names: Mapping[str, str]) -> Images:
    """Return images from their names by part; there is no node and no server on some clusters."""
    parts = [field.name for field in fields(Images) if field.name != "source"]
    return Images(source="registry", **{part: names.get(part, "") for part in parts})


def on_mirror(engine: Engine, mirror: str, built: Mapping[str, str]) -> dict[str, Source]:
    """Return those of the images that Landfast builds that a mirror has, by part.

    A mirror that does not answer has none: it is named when the other images are missing.
    """
    there = {
        part: Source(name, str(ImageName.parse(name).on(mirror))) for part, name in built.items()
    }
    refusals = side_by_side(lambda source: _refusal(engine, source), there.values())
    return {part: s for (part, s), why in zip(there.items(), refusals, strict=True) if why is None}


def check(engine: Engine, found: Collection[Source]) -> list[Source]:
    """Return the images that must be pulled, because the engine does not have them.

    Raises:
        BadInput: a registry does not have some of them, or cannot be asked; all are named.
    """
    absent = [source for source in found if not engine.image_digest(source.name)]
    reasons = side_by_side(lambda source: _refusal(engine, source), absent)
    missing = [s.pull for s, reason in zip(absent, reasons, strict=True) if reason == ""]
    errors = {s.pull: reason for s, reason in zip(absent, reasons, strict=True) if reason}
    hint = "use --registry HOST of one that does"
    if debian.refusal() is None:
        hint += ", or --images kit"
    if errors:
        unanswered, reason = ", ".join([*errors, *missing]), next(iter(errors.values()))
        raise BadInput(f"no registry answers for {unanswered} ({reason}); {hint}")
    if missing:
        raise BadInput(f"the registry does not have {', '.join(missing)}; {hint}")
    return absent


def _refusal(engine: Engine, source: Source) -> str | None:
    """Return why a registry does not give an image (see `Engine.registry_refusal`)."""
    name = ImageName.parse(source.pull)
    if name.digest:  # with both, docker asks for the tag, which may have moved on
        name = replace(name, tag="")
    return engine.registry_refusal(str(name), insecure=name.is_loopback)


def pull(engine: Engine, wanted: Collection[Source]) -> None:
    """Pull images side by side, and tag them with the names that pods and kind ask for.

    Raises:
        LandfastError: one cannot be pulled.
    """

    def fetch(source: Source) -> None:
        try:
            engine.pull_image(source.pull)
        except ProcessError as error:
            raise LandfastError(f"cannot pull {source.pull}: {error.last_line}") from error
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
