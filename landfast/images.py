"""The images of a run: what is used, and where the names come from."""

from dataclasses import dataclass, fields
from typing import Literal

import yaml

from landfast import paths


@dataclass(frozen=True)
class Images:
    """Every image that a run uses, by the name the engine and the nodes know it under."""

    source: Literal["kit", "registry"]
    node: str
    nfs_server: str
    provisioner: str
    mysql: str
    busybox: str
    recycler: str

    def workloads(self) -> list[str]:
        """The images that pods run."""
        return [self.provisioner, self.mysql, self.busybox, self.recycler]

    def all(self) -> dict[str, str]:
        """Every image by its part: node, nfs_server, provisioner, …"""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "source"}


def registry_names() -> dict[str, str]:
    """Give the names that images have in public registries, by part (`landfast/images.yaml`)."""
    text = (paths.PROJECT / "landfast" / "images.yaml").read_text()
    return {part: str(name) for part, name in yaml.safe_load(text).items()}
