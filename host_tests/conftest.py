"""The host that the tests run on, one for all of them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv

from host_tests.machine import USER, Host
from host_tests.registry import registry
from landfast import paths
from landfast.kit import engine as engines
from landfast.kit.build import build_kit, kit_lock
from landfast.progress import Progress


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that every user can look into."""
    with tempfile.TemporaryDirectory(prefix="landfast-host-", dir="/var/tmp") as name:
        made = Path(name)
        made.chmod(0o755)
        yield made


@pytest.fixture(scope="session")
def wheel(folder: Path) -> Path:
    """Landfast as pip installs it."""
    build = [uv.find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", str(folder)]
    subprocess.run([*build, str(paths.PROJECT)], check=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def host(folder: Path, wheel: Path) -> Iterator[Host]:
    """The host, with an engine that has no images, and Landfast installed for the user."""
    with registry(folder / "registry") as images:
        host = Host(folder, images)
        try:
            _make(host, wheel)
            yield host
        finally:
            host.stop_engine()


def _make(host: Host, wheel: Path) -> None:
    folder = host.folder
    for name in ("bin", "logs", "home"):
        (folder / name).mkdir()
    progress = Progress()
    with kit_lock(progress):
        engine = engines.ensure(progress)
        images = build_kit(engine, progress)
        with progress.phase("stand-ins in the registry"):
            host.images.push(engine, images)
    engines.stop()  # two engines on one host would share the rules of its firewall
    shutil.copy(shutil.which("docker", path=host.engine.env["PATH"]) or "docker", folder / "bin")
    shutil.copy(uv.find_uv_bin(), folder / "bin")
    os.chown(host.home, USER, USER)
    host.start_engine()
    installed = host.run("uv", "tool", "install", "--python", "/usr/bin/python3", str(wheel))
    assert installed.code == 0, installed.output
