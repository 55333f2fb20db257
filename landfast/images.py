"""The images of a run, and where their names come from."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Literal

import yaml

from landfast import paths
from landfast.errors import BadInput
from landfast.image_names import ImageName


@dataclass(frozen=True)
class Images:
    """Every image that a run uses, by the name the engine and the nodes know it under.

    On an existing cluster `node` and `nfs_server` are empty: the run has neither.
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
        parts = {f.name: str(getattr(self, f.name)) for f in fields(self) if f.name != "source"}
        return {part: name for part, name in parts.items() if name}


def registry_names() -> dict[str, str]:
    """Return the names of images in public registries, by part (`landfast/images.yaml`)."""
    names = yaml.safe_load(paths.IMAGES_FILE.read_text())
    return {part: str(name) for part, name in names.items()}


def kit_images_among(names: Collection[str]) -> Images:
    """Return the kit's images among those that every node of an existing cluster has.

    Raises:
        BadInput: one is missing.
    """

    def pick(*kinds: str) -> str:
        paths = [f"landfast/{kind}" for kind in kinds]
        found = sorted(name for name in names if ImageName.parse(name).path in paths)
        if not found:
            raise BadInput(
                f"--images kit: the nodes of this cluster do not have the kit's {kinds[0]} image; "
                "make them from the kit's node image, or use --images registry"
            )
        return found[-1].removeprefix("docker.io/")

    return Images(
        source="kit",
        node="",
        nfs_server="",
        provisioner=pick("nfs-provisioner"),
        mysql=pick("mysql", "mariadb"),
        busybox=pick("busybox"),
        recycler=registry_names()["recycler"],
    )
