"""What a user does first on a host whose kernel has NFS: a Debian with Docker, in a machine.

The machine has nothing of the kit. A tunnel through a proxy on this host leads to the registry.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uv

from host_tests.machine import PASSED_ON
from host_tests.proxy import proxy
from host_tests.registry import Registry, registry
from landfast import paths
from landfast.docker import Engine
from landfast.kit import debian
from landfast.kit import engine as engines
from landfast.kit.build import build_kit, kit_lock
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder
from landfast.kit.programs import Programs
from landfast.machine.machine import create_machine
from landfast.machine.parts import Parts, provide
from landfast.process import Result
from landfast.progress import Progress

_NAME, _LABEL = "landfast-user-host", "landfast.host-tests=1"
_MEMORY_MIB, _PROCESSORS = 8192, 2
_PATIENCE = "4"
_SECONDS = 3600
_PACKAGES = [
    *["systemd", "systemd-sysv", "dbus", "kmod", "mount", "procps", "util-linux", "e2fsprogs"],
    *["docker.io", "docker-cli", "iptables", "iproute2", "nfs-common", "rpcbind"],
    *["python3", "ca-certificates", "socat"],
]
_DOCKERFILE = """
FROM scratch
ADD rootfs.tar /
RUN useradd --create-home --groups docker --shell /bin/sh user \\
 && rm -rf /etc/systemd/system/timers.target.wants && systemctl mask getty.target
"""
_TUNNEL = "socat TCP-LISTEN:$1,bind=127.0.0.1,fork,reuseaddr PROXY:$2:127.0.0.1:$1,proxyport=$3"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Machine:
    """The host; `env` is what its user has set."""

    engine: Engine
    env: dict[str, str]
    registry: str

    def root(self, script: str, *words: str, stdin: Path | None = None) -> str:
        """Run a shell script as root and return what it says."""
        command = ["sh", "-c", script, "sh", *words]
        return self.engine.execute(_NAME, *command, stdin=stdin).stdout

    def user(self, *argv: str) -> Result:
        """Run a command as the user, in the user's home, and print how it ended."""
        begun = time.monotonic()
        variables = [f"{name}={value}" for name, value in self.env.items()]
        command = ["runuser", "--login", "user", "--command", 'exec "$0" "$@" 2>&1', "--"]
        ran = self.engine.execute(
            _NAME, *command, "env", *variables, *argv, check=False, timeout=_SECONDS
        )
        seconds = time.monotonic() - begun
        sys.stdout.write(f"\n    {' '.join(argv)}: exit code {ran.returncode}, {seconds:.0f} s ")
        sys.stdout.flush()
        return ran


@pytest.fixture(scope="module")
def machine(folder: Path, wheel: Path) -> Iterator[Machine]:
    """The host, with Landfast installed for the user."""
    with registry(folder / "registry") as images:
        engine, parts = _build(images, folder)
        try:
            inside = _boot(engine, parts)
            route = inside.execute(_NAME, "ip", "-4", "route", "show", "default").stdout.split()
            with proxy(folder, route[2]) as (address, _):
                yield _furnish(inside, images, address, wheel)
        finally:
            _remove(engine)


def _build(images: Registry, folder: Path) -> tuple[Engine, Parts]:
    progress = Progress()
    with kit_lock(progress):
        engine = engines.ensure(progress)
        _remove(engine)
        built = build_kit(engine, progress)
        with progress.phase("stand-ins in the registry"):
            images.push(engine, built)
        with progress.phase("a Debian with Docker"):
            made = folder / "debian"
            made.mkdir()
            debian.root_filesystem("trixie", "minbase", _PACKAGES, made / "rootfs.tar")
            (made / "Dockerfile").write_text(_DOCKERFILE)
            engine.build_image(_NAME, made)
            shutil.rmtree(made)
        builder = ImageBuilder(engine, Cache(paths.cache()), progress)
        return engine, provide(builder, _NAME)


def _boot(engine: Engine, parts: Parts) -> Engine:
    engine.create_network(_NAME, label=_LABEL)
    return create_machine(
        engine,
        parts.image,
        parts.disk,
        name=_NAME,
        network=_NAME,
        label=_LABEL,
        memory_mib=_MEMORY_MIB,
        processors=_PROCESSORS,
    )


def _furnish(inside: Engine, images: Registry, address: str, wheel: Path) -> Machine:
    host, _, port = address.removeprefix("http://").partition(":")
    passed = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    env = {
        **passed,
        **{f"{scheme}_proxy": address for scheme in ("http", "https")},
        "CI": "true",
        "PATH": "/home/user/.local/bin:/usr/local/bin:/usr/bin:/bin",
    }
    machine = Machine(inside, env, images.address)
    programs = Programs(Cache(paths.cache()), Progress())
    files = {
        "/usr/local/bin/uv": Path(uv.find_uv_bin()),
        "/usr/local/bin/kind": programs.kind(),
        _CERTIFICATES: Path(_CERTIFICATES),
        f"/home/user/{wheel.name}": wheel,
    }
    for target, source in files.items():
        machine.root('cat > "$1" && chmod 755 "$1"', target, stdin=source)
    machine.root(f"systemd-run --quiet {_TUNNEL}", str(images.port), host, port)
    installed = machine.user("uv", "tool", "install", "--python", "/usr/bin/python3", wheel.name)
    assert installed.returncode == 0, installed.stdout
    return machine


def _remove(engine: Engine) -> None:
    if found := engine.containers(_LABEL):
        engine.remove_containers(*found)
    for network in engine.networks(_LABEL):
        engine.remove_network(network)


def test_pods_mount_with_the_hosts_own_client(machine: Machine) -> None:
    """Of the kit, only what registry mode always needs is built: no machine, no mount helper."""
    doctor = machine.user("landfast", "doctor")
    assert doctor.returncode == 0, doctor.stdout
    ran = machine.user("landfast", "smoke", "--registry", machine.registry, "--patience", _PATIENCE)
    assert ran.returncode == 0, ran.stdout[-6000:]
    left = machine.user("docker", "ps", "--all", "--quiet")
    assert not left.stdout.strip()
    built = machine.user("find", ".cache/landfast", "-maxdepth", "1").stdout
    assert "linux-" not in built
    assert "mount.nfs" not in built
