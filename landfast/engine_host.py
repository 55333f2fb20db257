"""The host of a Docker engine. It may be a VM or another machine: only the engine knows it."""

import time
from dataclasses import dataclass

from landfast.docker import Engine
from landfast.files import GIB

# Each is one that kind's nodes get, too, or see as privileged containers.
_VOLUMES = ["/lib/modules:/lib/modules:ro", "/dev:/engine-dev:ro"]
_LOOK = """
modules=$(find "/lib/modules/$(uname -r)" -name 'nfsv4.ko*' 2>/dev/null)
if grep -qw nfs4 /proc/filesystems || [ -n "$modules" ]; then echo kernel-nfs; fi
if [ -e /engine-dev/fuse ]; then echo fuse; fi
set -- $(df -Pk / | tail -n 1)
echo "$4" "$(date +%s)"
"""
MAX_CLOCK_OFF = 2
"""Seconds: what nodes say of their leases is compared with this host's time."""


@dataclass(frozen=True)
class EngineFacts:
    """What an engine says of itself and its host; `memory` in GiB, `cgroups` is v1 or v2."""

    system: str
    processors: int
    memory: float
    cgroups: str
    data_root: str
    rootless: bool


def facts(engine: Engine) -> EngineFacts:
    """Ask an engine what it is and what its host has.

    Raises:
        LandfastError: it does not answer.
    """
    said = engine.info()
    return EngineFacts(
        system=" ".join(said[key] for key in ("OperatingSystem", "KernelVersion", "Architecture")),
        processors=said["NCPU"],
        memory=said["MemTotal"] / GIB,
        cgroups=f"v{said.get('CgroupVersion') or 1}",  # engines before 20.10 do not say it
        data_root=said["DockerRootDir"],
        rootless=any("name=rootless" in option for option in said.get("SecurityOptions") or ()),
    )


@dataclass(frozen=True)
class EngineHost:
    """What a container sees of the engine's host.

    `kernel_nfs` says whether its kernel has an NFSv4 client or can load one, `fuse` whether there
    is a /dev/fuse; `free_gib` are free where the engine keeps containers and volumes. Its clock
    differs from this host's by at least `clock_off` seconds.
    """

    kernel_nfs: bool
    fuse: bool
    free_gib: float
    clock_off: float


def look(engine: Engine, image: str) -> EngineHost:
    """Look at the engine's host from a container; `image` is busybox and is in the engine.

    Raises:
        ProcessError: the container cannot run.
    """
    before = time.time()
    *seen, free, now = engine.run_once(
        image, "sh", "-c", _LOOK, label="landfast.probe=1", volumes=_VOLUMES
    ).stdout.split()
    off = max(before - int(now) - 1, int(now) - time.time(), 0)
    return EngineHost("kernel-nfs" in seen, "fuse" in seen, int(free) * 1024 / GIB, off)
