"""Names of images, read as Docker reads them."""

import re
from dataclasses import dataclass, replace

from landfast import __version__
from landfast.loopback import is_loopback

LANDFAST_IMAGE = f"landfast/landfast:{__version__}"
"""The name under which `landfast/Containerfile` says to build the image."""
_HUB = "docker.io"


@dataclass(frozen=True)
class ImageName:
    """A full name in its parts: `mysql:8.4` is `docker.io/library/mysql:8.4`.

    `registry` may have a path behind its host, as mirrors do; `digest` is `sha256:…` or empty.
    """

    registry: str
    path: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> "ImageName":
        """Read a name, full or short."""
        named, _, digest = text.partition("@")
        first, slash, rest = named.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            registry, path = first, rest
        else:
            registry, path = _HUB, named if slash else f"library/{named}"
        path, _, tag = path.partition(":")
        return cls(registry, path, tag, digest)

    def __str__(self) -> str:
        tag, digest = self.tag and f":{self.tag}", self.digest and f"@{self.digest}"
        return f"{self.registry}/{self.path}{tag}{digest}"

    @property
    def base(self) -> str:
        """The last part of the path: `mysql`."""
        return self.path.rpartition("/")[2]

    @property
    def version(self) -> tuple[int, int] | None:
        """Major and minor of the tag (`8.4`, `v1.37.2`), or None if it is not a version."""
        found = re.match(r"v?(\d+)\.(\d+)(?![\d])", self.tag)
        return (int(found[1]), int(found[2])) if found else None

    def on(self, mirror: str) -> "ImageName":
        """Return the counterpart on a mirror (`HOST[:PORT][/PREFIX]`): the path stays."""
        return replace(self, registry=mirror.rstrip("/"))

    def tagged(self) -> "ImageName":
        """Return the name without its digest; where there is no tag, one is made from it."""
        tag = self.tag or self.digest.rpartition(":")[2][:12]
        return replace(self, tag=tag, digest="")

    @property
    def is_loopback(self) -> bool:
        """Whether the registry is on this host, where Docker does not require TLS."""
        return is_loopback(re.sub(r":\d+$", "", self.registry.partition("/")[0]))


def names_registry(text: str) -> bool:
    """Whether a name includes its registry."""
    return text.startswith(f"{ImageName.parse(text).registry}/")
