"""The images of a run, and where their names come from."""

from dataclasses import asdict, dataclass
from typing import Literal

import yaml

from landfast import paths


@dataclass(frozen=True)
class Images:
    """Every image that a run uses, under the name that the engine and the nodes know.

    On an existing cluster `node` and `nfs_server` are empty: the run creates neither.
    """

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
        """Every image by its part: node, nfs_server and so on."""
        return {part: name for part, name in asdict(self).items() if name and part != "source"}


def registry_names() -> dict[str, str]:
    """Return the names of images in public registries, by part (`landfast/images.yaml`)."""
    return dict(yaml.safe_load(paths.IMAGES_FILE.read_text()))
