"""Images from a registry: their names there, whether it has them, the way into the nodes."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.images import Images, registry_names
from landfast.process import ProcessError
from landfast.settings import Settings

_ASK_SECONDS = 20
_PULL_SECONDS = 1200
_LOAD_SECONDS = 600
T = TypeVar("T")
R = TypeVar("R")
_ABSENT = ("manifest unknown", "no such manifest", "not found", "name unknown")


@dataclass(frozen=True)
class Source:
    """One image: the name that pods and kind ask for, and the name to pull it by."""

    name: str
    pull: str


def overrides(settings: Settings) -> dict[str, str | None]:
    """Give the images that were asked for by name, by part."""
    return {
        "node": settings.node_image,
        "mysql": settings.mysql_image,
        "provisioner": settings.provisioner_image,
    }


def sources(
    registry: str | None, overrides: Mapping[str, str | None], *, parts: Iterable[str] | None = None
) -> dict[str, Source]:
    """Give where each image comes from, by part.

    Args:
        registry: HOST[:PORT][/PREFIX] of a mirror, which takes the place of the names' own host.
        overrides: names to use instead of the default ones, by part. One that names a registry is
            pulled from there, not from the mirror.
        parts: those that are needed; all if not given.
    """
    found = {}
    for part, default in registry_names().items():
        if parts is not None and part not in parts:
            continue
        given = overrides.get(part)
        name = canonical(given or default)
        if registry and not (given and _names_host(given)):
            found[part] = Source(without_digest(name), mirror(name, registry))
        else:
            found[part] = Source(without_digest(name), name)
    return found


def canonical(name: str) -> str:
    """Give an image's full name as Docker reads it: `mysql:8.4` is docker.io/library/mysql:8.4."""
    if _names_host(name):
        return name
    return f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"


def _names_host(name: str) -> bool:
    first, slash, _ = name.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def mirror(name: str, registry: str) -> str:
    """Give a full name's counterpart on a mirror: only the host is replaced."""
    return f"{registry.rstrip('/')}/{name.partition('/')[2]}"


def without_digest(name: str) -> str:
    """Give a name that can be a tag: an image that was pulled by digest has none."""
    tagged, _, digest = name.partition("@")
    if not digest or ":" in tagged.rpartition("/")[2]:
        return tagged
    return f"{tagged}:{digest.rpartition(':')[2][:12]}"


def is_loopback(name: str) -> bool:
    """Whether an image's registry is this host's own: Docker then does without TLS."""
    host = name.partition("/")[0]
    host = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def as_images(found: Mapping[str, Source]) -> Images:
    """Give the images by the names that pods and kind ask for."""
    return Images(source="registry", **{part: source.name for part, source in found.items()})


def check(engine: Engine, found: Mapping[str, Source]) -> list[Source]:
    """Give the images that have to be pulled: all others are in the engine.

    Raises:
        BadInput: a registry does not have some of them, or cannot be asked; all are named.
    """
    absent = [source for source in found.values() if not engine.image_digest(source.name)]
    reasons = _side_by_side(lambda source: _refusal(engine, source.pull), absent)
    missing = [s.pull for s, reason in zip(absent, reasons, strict=True) if reason == ""]
    errors = {s.pull: reason for s, reason in zip(absent, reasons, strict=True) if reason}
    if errors:
        reason = next(iter(errors.values()))
        raise BadInput(
            f"no registry answers for {', '.join([*errors, *missing])} ({reason}); "
            "take --images kit, or --registry HOST of one that does"
        )
    if missing:
        raise BadInput(
            f"there is no {', no '.join(missing)} in the registry; "
            "take --images kit, or --registry HOST of one that has them"
        )
    return absent


def _refusal(engine: Engine, image: str) -> str | None:
    """Give None if the image is there, "" if it is not, else why its registry cannot be asked."""
    insecure = ["--insecure"] if is_loopback(image) else []
    try:
        asked = engine.docker(
            "manifest", "inspect", *insecure, image, timeout=_ASK_SECONDS, check=False
        )
    except ProcessError:
        return f"it did not answer within {_ASK_SECONDS} s"
    if asked.returncode == 0:
        return None
    said = asked.stderr.strip().splitlines()
    if any(word in asked.stderr.lower() for word in _ABSENT):
        return ""
    return said[-1] if said else "docker manifest inspect failed"


def pull(engine: Engine, wanted: Iterable[Source]) -> None:
    """Pull images, side by side, and give them the names that pods and kind ask for.

    Raises:
        ProcessError: one cannot be pulled.
    """

    def fetch(source: Source) -> None:
        engine.docker("pull", "--quiet", source.pull, timeout=_PULL_SECONDS)
        if source.pull != source.name:
            engine.docker("tag", source.pull, source.name)

    _side_by_side(fetch, list(wanted))


def load_into_nodes(engine: Engine, images: list[str], nodes: list[str]) -> None:
    """Put images of the engine into nodes, so that kubelets do not pull them.

    Raises:
        ProcessError: there is no room, or a node's containerd does not answer.
    """
    with TemporaryDirectory(prefix="landfast-") as work:
        archive = Path(work) / "images.tar"
        engine.docker("save", "--output", archive, *images, timeout=_LOAD_SECONDS)

        def load(node: str) -> None:
            engine.docker(
                *["exec", "--interactive", node, "ctr", "--namespace", "k8s.io"],
                *["images", "import", "--digests", "-"],
                timeout=_LOAD_SECONDS,
                stdin=archive,
            )

        _side_by_side(load, nodes)


def _side_by_side(do: Callable[[T], R], items: list[T]) -> list[R]:
    with ThreadPoolExecutor(max_workers=max(1, len(items))) as pool:
        return list(pool.map(do, items))
