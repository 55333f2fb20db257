"""The images of a run, and where their names come from."""

import re
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import yaml

from landfast import paths
from landfast.image_names import ImageName


@dataclass(frozen=True)
class Images:
    """Every image that a run uses, under the name that the engine and the nodes know.

    On an existing cluster `node` and `nfs_server` are empty: the run creates neither. `landfast` is
    Landfast's own, for the ledger's writers in pods, and empty without them.
    """

    source: Literal["kit", "registry"]
    node: str
    nfs_server: str
    provisioner: str
    mysql: str
    busybox: str
    recycler: str
    landfast: str = ""

    def workloads(self) -> list[str]:
        """The images that pods run."""
        return [self.provisioner, self.mysql, self.busybox, self.recycler]

    def all(self) -> dict[str, str]:
        """Every image by its part: node, nfs_server and so on."""
        return {part: name for part, name in asdict(self).items() if name and part != "source"}


def registry_names() -> dict[str, str]:
    """Return the images that come from public registries, by part (`landfast/images.yaml`).

    Beside the parts of `Images` there is `debian`: Landfast builds the NFS server's image on it.
    """
    names = dict(_names()["images"])
    return {**names, "recycler": recycler(ImageName.parse(names["node"]).tag)}


def recycler(kubernetes: str) -> str:
    """Return the image that kube-controller-manager recycles volumes with.

    Args:
        kubernetes: a version, as a server or the tag of a node image gives it (`v1.30.1-eks-1`).
            For a text that is no version, it is the newest image known.
    """
    known: dict[str, str] = _names()["recyclers"]
    wanted = _release(kubernetes) or max(map(_release, known))
    releases = sorted(known, key=_release)
    return next((known[r] for r in reversed(releases) if _release(r) <= wanted), known[releases[0]])


def _release(version: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


@cache
def _names() -> dict[str, Any]:
    return dict(yaml.safe_load(paths.IMAGES_FILE.read_text()))
