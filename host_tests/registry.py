"""A registry with the kit's images under the paths and tags of the public ones."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from landfast.docker import Engine
from landfast.image_names import ImageName
from landfast.images import Images, registry_names
from landfast.kit import debian
from landfast.waiting import wait_until

START_SECONDS = 60
"""How long a daemon may take to start or to end."""
_SUITE = "trixie"
_BASE = "landfast-host-base"


class Registry:
    """Debian's docker-registry. `address` is HOST:PORT, on loopback."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it on what it holds."""
        log = self._folder / "registry.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [self._folder / "usr/bin/docker-registry", "serve", self._folder / "config.yaml"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

        def listens() -> bool:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
            return False

        wait_until("the registry to listen", listens, timeout=START_SECONDS)

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)
            self._process = None

    def push(self, engine: Engine, images: Images) -> None:
        """Put the images of an engine into it."""
        with tempfile.TemporaryDirectory() as name:
            base = Path(name)
            debian.root_filesystem(_SUITE, "minbase", ["ca-certificates"], base / "rootfs.tar")
            (base / "Dockerfile").write_text('FROM scratch\nADD rootfs.tar /\nCMD ["bash"]\n')
            engine.build_image(_BASE, base)
        stand_ins = {**images.all(), "debian": _BASE}
        for part, public in registry_names().items():
            tag = str(ImageName.parse(public).on(self.address).tagged())
            engine.tag_image(stand_ins[part], tag)
            engine.push_image(tag)
            engine.remove_image(tag)
        engine.remove_image(_BASE)


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    """Run an empty registry that keeps its program and its images in a new `folder`."""
    debian.unpack("bookworm", ["docker-registry"], folder)
    made = Registry(folder)
    (folder / "config.yaml").write_text(
        f"version: 0.1\nhttp: {{addr: '{made.address}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'images'}}}}}\n"
    )
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)
