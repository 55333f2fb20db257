"""The host that the tests run on, one for all of them."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv

from host_tests.machine import USER, Host
from landfast import paths
from landfast.docker import Engine
from landfast.image_names import ImageName
from landfast.images import Images, registry_names
from landfast.kit import debian
from landfast.kit import engine as engines
from landfast.kit.build import build_kit, kit_lock
from landfast.progress import Progress

_SUITE = "trixie"


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """The host, with an engine that has no images, and Landfast installed for the user."""
    with tempfile.TemporaryDirectory(prefix="landfast-host-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            host = Host(folder, f"127.0.0.1:{probe.getsockname()[1]}")
        try:
            _make(host)
            yield host
        finally:
            host.stop_all()


def _make(host: Host) -> None:
    folder = host.folder
    for name in ("bin", "logs", "home", "registry", "images"):
        (folder / name).mkdir()
    progress = Progress()
    with progress.phase("a registry"):
        debian.unpack("bookworm", ["docker-registry"], folder / "registry")
        (folder / "registry.yaml").write_text(
            f"version: 0.1\nhttp: {{addr: '{host.registry}'}}\n"
            f"storage: {{filesystem: {{rootdirectory: {folder / 'images'}}}}}\n"
        )
        host.start_registry()
    with kit_lock(progress):
        engine = engines.ensure(progress)
        images = build_kit(engine, progress)
        with progress.phase("stand-ins in the registry"):
            _push(engine, host, images)
    engines.stop()  # two engines on one host would share the rules of its firewall
    shutil.copy(shutil.which("docker", path=host.engine.env["PATH"]) or "docker", folder / "bin")
    shutil.copy(uv.find_uv_bin(), folder / "bin")
    wheel = _wheel(folder)
    os.chown(host.home, USER, USER)
    host.start_engine()
    installed = host.run("uv", "tool", "install", "--python", "/usr/bin/python3", str(wheel))
    assert installed.code == 0, installed.output


def _push(engine: Engine, host: Host, images: Images) -> None:
    """Put the kit's images into the registry under the names of the public ones."""
    base = host.folder / "base"
    base.mkdir()
    debian.root_filesystem(_SUITE, "minbase", ["ca-certificates"], base / "rootfs.tar")
    (base / "Dockerfile").write_text('FROM scratch\nADD rootfs.tar /\nCMD ["bash"]\n')
    engine.build_image("landfast-host-base", base)
    shutil.rmtree(base)
    stand_ins = {**images.all(), "debian": "landfast-host-base"}
    for part, public in registry_names().items():
        name = str(ImageName.parse(public).on(host.registry).tagged())
        engine.tag_image(stand_ins[part], name)
        engine.push_image(name)
        engine.remove_image(name)
    engine.remove_image("landfast-host-base")


def _wheel(folder: Path) -> Path:
    subprocess.run(
        [
            uv.find_uv_bin(),
            "build",
            "--quiet",
            "--wheel",
            "--out-dir",
            str(folder),
            str(paths.PROJECT),
        ],
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel
