"""A host like those that users have: an engine, and a user without rights.

The engine is a Docker daemon with a data folder of its own, so it has no images. The user may use
it, has an empty home, and has no Go, compiler, kind or kit.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from host_tests.registry import START_SECONDS, Registry
from landfast import paths
from landfast.docker import Engine
from landfast.waiting import wait_until

USER, DOCKER_GROUP = 61234, 61235
_RUN_SECONDS = 3600
# not those of the kit's engine: a daemon that ends leaves its bridge behind
_BRIDGE, _POOL = "10.217.0.1/24", "base=10.218.0.0/16,size=24"
GATEWAY = "10.217.0.1"
"""Where the engine's containers find this host."""
# how this machine reaches package registries
PASSED_ON = re.compile(r"SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|PIP_\w+|UV_\w+|GO(PROXY|SUMDB)")


@dataclass(frozen=True)
class Ran:
    """A command that has ended: its exit code and its output."""

    code: int
    output: str


@dataclass
class Running:
    """A command that runs."""

    what: str
    process: "subprocess.Popen[bytes]"
    log: Path
    begun: float = field(default_factory=time.monotonic)

    def wait(self) -> Ran:
        """Wait for its end, and print how it ended."""
        code = self.process.wait(_RUN_SECONDS)
        seconds = time.monotonic() - self.begun
        sys.stdout.write(f"\n    {self.what}: exit code {code}, {seconds:.0f} s ")
        sys.stdout.flush()
        return Ran(code, self.log.read_text(errors="replace"))

    def says(self, text: str) -> None:
        """Wait until its output has a text."""
        wait_until(
            f"{self.what} to say {text!r}",
            lambda: text in self.log.read_text(errors="replace") or self.process.poll() is not None,
            timeout=_RUN_SECONDS,
            interval=0.2,
        )


@dataclass
class Host:
    """The host. Everything of it is in `folder`, but for what its registry holds."""

    folder: Path
    images: Registry
    _engine: "subprocess.Popen[bytes] | None" = None
    _commands: int = 0

    @property
    def home(self) -> Path:
        """The user's home."""
        return self.folder / "home"

    @property
    def registry(self) -> str:
        """The registry, as HOST:PORT."""
        return self.images.address

    @property
    def engine(self) -> Engine:
        """The engine, as root sees it."""
        return Engine("", {"DOCKER_HOST": self._socket, "PATH": f"{_kit_tools()}:{_path()}"})

    @property
    def _socket(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def start_engine(self, data: str = "data") -> None:
        """Start the engine on a data folder. Another folder means other images."""
        argv = [
            *["dockerd", "--host", self._socket, "--group", str(DOCKER_GROUP)],
            *["--data-root", str(self.folder / data), "--exec-root", str(self.folder / "exec")],
            *["--pidfile", str(self.folder / "dockerd.pid")],
            *["--bip", _BRIDGE, "--default-address-pool", _POOL],
        ]
        with (self.folder / "dockerd.log").open("ab") as log:
            self._engine = subprocess.Popen(
                argv,
                env={**os.environ, "PATH": f"{_kit_tools()}:{_path()}"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until("the engine to answer", self._answers, timeout=START_SECONDS)

    def _answers(self) -> bool:
        command = ["docker", "version"]
        env = {**os.environ, **self.engine.env}
        return subprocess.run(command, env=env, capture_output=True, check=False).returncode == 0

    def stop_engine(self) -> None:
        """Stop the engine and its containers, if it runs."""
        if self._engine is not None:
            self._engine.terminate()
            self._engine.wait(START_SECONDS)
            self._engine = None

    def left(self) -> list[str]:
        """Return the containers, networks and volumes in the engine."""
        engine = self.engine
        networks = set(engine.networks()) - {"bridge", "host", "none"}
        return [*engine.containers(), *sorted(networks), *engine.volumes()]

    def begin(self, *argv: str, env: Mapping[str, str] | None = None, proc: bool = True) -> Running:
        """Begin a command as the user, in the user's home.

        `env` adds variables. Without `proc`, /proc is empty, as if there were none.
        """
        variables = {
            "HOME": str(self.home),
            "PATH": f"{self.home}/.local/bin:{self.folder}/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "CI": "true",
            "DOCKER_HOST": self._socket,
            **{name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)},
            **(env or {}),
        }
        user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", f"--groups={DOCKER_GROUP}"]
        if not proc:
            script = 'mount -t tmpfs none /proc && exec "$@"'
            user = ["unshare", "--mount", "sh", "-c", script, "sh", *user]
        self._commands += 1
        log = self.folder / "logs" / f"{self._commands:02}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*user, *argv],
                env=variables,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Running(" ".join(argv), process, log)

    def run(self, *argv: str, env: Mapping[str, str] | None = None, proc: bool = True) -> Ran:
        """Run a command as the user to its end (see `begin`)."""
        return self.begin(*argv, env=env, proc=proc).wait()


def _kit_tools() -> str:
    (usr,) = paths.cache().glob("docker-*/usr")
    return f"{usr / 'sbin'}:{usr / 'bin'}"


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"
