"""Builds the kit's images from Debian trees and compiled programs, as `kit/images` describes."""

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from landfast import paths, process, timeouts
from landfast.docker import Engine
from landfast.image_names import ImageName
from landfast.images import Images, recycler
from landfast.kit import debian, python
from landfast.kit.cache import Cache, digest, is_script
from landfast.kit.programs import Programs, kubernetes_version
from landfast.process import ProcessError
from landfast.progress import Progress
from landfast.waiting import wait_until

_FOLDER = paths.KIT / "images"
_BUILDER = "landfast-kit-build"
_BAKED = "kind-node"  # the image `node` with the cluster's images in it


class RootFilesystem(BaseModel):
    """A Debian tree: the suite, mmdebstrap's variant and the packages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    variant: str
    packages: list[str | list[str]]

    def names(self) -> list[str]:
        """Return the packages as one flat list."""
        return [n for item in self.packages for n in ([item] if isinstance(item, str) else item)]


class Recipe(BaseModel):
    """The parts of one image (`kit/images/images.yaml`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rootfs: RootFilesystem | None = None
    programs: list[str] = []
    fallback: str | None = None
    on_demand: bool = Field(default=False, exclude=True)  # it is no part of the image, nor its key
    """whether the kit is complete without it: `ImageBuilder.image` builds it"""
    python: str | None = Field(default=None, exclude=True)  # `python.key` has it
    """the version of the tree's Python, in an image of Landfast itself"""


@cache
def recipes() -> dict[str, Recipe]:
    """Return the recipes by image name."""
    raw = yaml.safe_load((_FOLDER / "images.yaml").read_text())
    return {name: Recipe.model_validate(recipe) for name, recipe in raw.items()}


def needed() -> dict[str, Recipe]:
    """Return the recipes of the images that every kit has."""
    return {name: recipe for name, recipe in recipes().items() if not recipe.on_demand}


class ImageBuilder:
    """Builds images in the engine, tagged `landfast/NAME:KEY`. The caller holds the kit's lock."""

    def __init__(self, engine: Engine, store: Cache, progress: Progress) -> None:
        self.engine = engine
        self.store = store
        self.progress = progress
        self.programs = Programs(store, progress)

    def key(self, name: str) -> str:
        """Return the hash of an image's parts: sources of programs, names of Debian packages."""
        recipe = recipes()[name]
        return digest(
            recipe.model_dump_json(),
            _FOLDER / name,
            *(self.programs.key(program) for program in recipe.programs),
            *([python.key(recipe.python)] if recipe.python else []),
        )

    def tag(self, name: str) -> str:
        """Return the name of an image in the engine."""
        return f"landfast/{name}:{self.key(name)}"

    def image(self, name: str) -> str:
        """Return the tag of an image; build it and its parts if they are missing.

        Raises:
            ProcessError: the build failed, and so did the fallback's if the recipe has one.
        """
        recipe = recipes()[name]
        tag = self.tag(name)
        if self.engine.image_digest(tag):
            return tag
        try:
            self._build(name, recipe, tag)
        except ProcessError as error:
            if recipe.fallback is None:
                raise
            self.progress.say(
                f"kit: cannot build {name}, building {recipe.fallback} instead: {error}"
            )
            return self.image(recipe.fallback)
        return tag

    def _build(self, name: str, recipe: Recipe, tag: str) -> None:
        programs = {program: self.programs.path(program) for program in recipe.programs}
        tree = self._root_filesystem(name, recipe.rootfs) if recipe.rootfs else None
        packages = python.packages(self.store, recipe.python) if recipe.python else None
        with self.progress.phase(f"kit: build image {name}"), tempfile.TemporaryDirectory() as work:
            context = Path(work) / "context"
            shutil.copytree(_FOLDER / name, context, symlinks=True)
            _set_modes(context)
            (context / "bin").mkdir()
            for program, path in programs.items():
                shutil.copy(path, context / "bin" / program)
            if packages is not None:
                shutil.copytree(packages, context / "packages")
                python.copy_landfast(context / "packages")
            if tree is not None:
                (context / "rootfs.tar").hardlink_to(tree) if _same_disk(tree, context) else (
                    shutil.copy(tree, context / "rootfs.tar")
                )
            self.engine.build_image(tag, context)
        self._remove_older(name, tag)

    def _root_filesystem(self, name: str, rootfs: RootFilesystem) -> Path:
        def build(target: Path) -> None:
            if process.find_program("mmdebstrap") is None:
                debian.install("mmdebstrap")
            with self.progress.phase(f"kit: Debian tree for {name}"):
                debian.root_filesystem(
                    rootfs.suite, rootfs.variant, rootfs.names(), target / "rootfs.tar"
                )

        key = digest(rootfs.model_dump_json())
        return self.store.artifact(f"rootfs-{name}", key, build) / "rootfs.tar"

    def all(self) -> Images:
        """Build all images and return them; the node image contains every image that pods run."""
        images, baked = self._parts(self.image)
        if not self.engine.image_digest(images.node):
            self._bake_node(images.node, baked)
        return images

    def planned(self, has: Callable[[str], bool]) -> Images:
        """Return the images that `all` returns, and build nothing.

        `has` says whether the engine has an image: a fallback that was built stands for the image
        that could not be.
        """

        def tag(name: str) -> str:
            own, fallback = self.tag(name), recipes()[name].fallback
            used = fallback and not has(own) and has(self.tag(fallback))
            return self.tag(fallback) if fallback and used else own

        return self._parts(tag)[0]

    def _parts(self, image: Callable[[str], str]) -> tuple[Images, dict[str, list[str]]]:
        """Return the images, and the names that each has in the node image."""
        mysql, asked_for = image("mysql"), recycler(f"v{kubernetes_version()}")
        images = {name: image(name) for name in ("busybox", "nfs-provisioner", "nfs-server")}
        baked = {
            mysql: [mysql],
            images["busybox"]: [images["busybox"]],
            images["nfs-provisioner"]: [images["nfs-provisioner"]],
            image("recycler"): [asked_for],
            image("podnet"): ["landfast/podnet:kit"],
        }
        key = digest(self.key("node"), image("kube"), image("pause"), repr(sorted(baked.items())))
        return Images(
            source="kit",
            node=f"landfast/{_BAKED}:{key}",
            nfs_server=images["nfs-server"],
            provisioner=images["nfs-provisioner"],
            mysql=mysql,
            busybox=images["busybox"],
            recycler=asked_for,
        ), baked

    def _bake_node(self, tag: str, baked: dict[str, list[str]]) -> None:
        """Build the node image: Debian, the kubelet and the images that the cluster runs."""
        kube, pause, base = self.image("kube"), self.image("pause"), self.image("node")
        wanted = self._kubeadm_images()
        pauses = [name for name in wanted if ImageName.parse(name).base == "pause"]
        names = {**baked, kube: [name for name in wanted if name not in pauses], pause: pauses}
        with self.progress.phase("kit: load the images into the node image"):
            self._bake(base, names, tag)
        self._remove_older(_BAKED, tag)

    def _kubeadm_images(self) -> list[str]:
        with tempfile.TemporaryDirectory() as work:
            kubeadm = Path(work) / "kubeadm"
            kubeadm.symlink_to(self.programs.path("kube"))
            listed = process.run(
                [
                    *[str(kubeadm), "config", "images", "list"],
                    *["--kubernetes-version", f"v{kubernetes_version()}"],
                ],
                timeout=timeouts.COMMAND,
            )
        return listed.stdout.split()

    def _remove_older(self, name: str, tag: str) -> None:
        """Remove earlier builds of an image that no container runs."""
        for older in set(self.engine.images(f"landfast/{name}")) - {tag, "landfast/podnet:kit"}:
            self.engine.remove_image(older)

    def _bake(self, base: str, names: dict[str, list[str]], tag: str) -> None:
        engine = self.engine
        engine.remove_containers(_BUILDER)  # a killed build leaves it
        for image, aliases in names.items():
            for alias in aliases:
                engine.tag_image(image, alias)
        try:
            engine.create_container(
                base,
                name=_BUILDER,
                label="landfast.kit",
                entrypoint="containerd",
                privileged=True,
                security_options=["seccomp=unconfined"],
            )
            engine.start(_BUILDER)
            ctr = ["ctr", "--namespace", "k8s.io"]
            wait_until(
                "containerd in the node image to answer",
                lambda: engine.execute(_BUILDER, *ctr, "version", check=False).returncode == 0,
                timeout=timeouts.SERVER_START,
            )
            with tempfile.TemporaryDirectory() as work:
                archive = Path(work) / "images.tar"
                flat = sorted(alias for aliases in names.values() for alias in aliases)
                engine.save_images(archive, *flat)
                engine.execute(
                    _BUILDER,
                    *[*ctr, "images", "import", "--all-platforms", "--no-unpack", "--digests", "-"],
                    timeout=timeouts.IMAGE_LOAD,
                    stdin=archive,
                )
            engine.stop(_BUILDER)
            engine.commit(_BUILDER, tag, 'ENTRYPOINT ["/usr/local/bin/node-init", "/sbin/init"]')
        finally:
            engine.remove_containers(_BUILDER)


def _set_modes(context: Path) -> None:
    """Set the modes that the image needs; the installation may have changed them."""
    for path in [context, *context.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or is_script(path.read_bytes()) else 0o644)


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev
