"""Run a program beside a real NFS server: `python -m landfast.nfs.with_server run PROGRAM …`.

The server is NFS-Ganesha in a container of its own, as a run has it. The program finds it in
NFS_TEST_SERVER (HOST:PORT) and NFS_TEST_EXPORT. NFS_TEST_CONTROL is a command that takes one of
`kill`, `restart`, `pause` and `resume`.
"""

import contextlib
import os
import re
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from landfast import paths, process, timeouts
from landfast.docker import Engine
from landfast.errors import BadInput, LandfastError
from landfast.kit import engine as engines
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder
from landfast.nfs.server import CONFIG, EXPORT_PATH, start_server, wait_for_server
from landfast.progress import Progress
from landfast.waiting import wait_until

_MODULE = "landfast.nfs.with_server"
_LABEL = "landfast.nfs-test"
_PORT = 2049
_SECONDS = 10  # lease and grace period: the tests wait for the end of many
_USAGE = "usage: with_server run PROGRAM ... | with_server control NAME kill|restart|pause|resume"


@contextlib.contextmanager
def server(engine: Engine) -> Iterator[Mapping[str, str]]:
    """Run a server for the body, and give the variables that lead a program to it.

    Raises:
        BadInput: the kit's image is not built.
    """
    image = ImageBuilder(engine, Cache(paths.cache()), Progress()).tag("nfs-server")
    if engine.image_digest(image) is None:
        raise BadInput(_without_the_kit("its NFS server is not built"))
    _remove_orphans(engine)
    name = f"landfast-nfs-test-{os.getpid()}"
    label = f"{_LABEL}={os.getpid()}"
    try:
        engine.create_network(name, label=label)  # nobody else there: it keeps its address
        with tempfile.NamedTemporaryFile("w") as config:
            times = r"(Lease_Lifetime|Grace_Period) = \d+;"
            config.write(re.sub(times, rf"\1 = {_SECONDS};", CONFIG.read_text()))
            config.flush()
            export = start_server(
                engine, image, name=name, network=name, label=label, config=Path(config.name)
            )
        yield {
            "NFS_TEST_SERVER": f"{export.server}:{_PORT}",
            "NFS_TEST_EXPORT": EXPORT_PATH,
            "NFS_TEST_CONTROL": shlex.join([sys.executable, "-m", _MODULE, "control", name]),
        }
    finally:
        _remove(engine, name)


def control(engine: Engine, name: str, action: str) -> None:
    """Do something to a server of `server`; what is so already stays so.

    Raises:
        BadInput: there is no such action.
        LandfastError: it cannot be done.
    """
    if action in ("kill", "restart"):
        engine.kill(name, check=False)
        wait_until(
            f"{name} to be gone",  # with all its threads: then its port and its files are free
            lambda: engine.state(name).status == "exited",
            timeout=timeouts.CONTAINER_STATE,
        )
        if action == "restart":
            engine.start(name)
            wait_for_server(engine, name)
    elif action not in ("pause", "resume"):
        raise BadInput(_USAGE)
    elif engine.state(name).is_paused != (action == "pause"):
        (engine.pause if action == "pause" else engine.unpause)(name)


def _without_the_kit(reason: str) -> str:
    return f"the NFS client is tested with the kit's own server, but {reason}: run `nox -s kit`"


def _remove(engine: Engine, name: str) -> None:
    engine.remove_containers(name)
    engine.remove_volume(name)
    if name in engine.networks(_LABEL):
        engine.remove_network(name)


def _remove_orphans(engine: Engine) -> None:
    """Remove what killed processes left."""
    for name in {*engine.containers(_LABEL), *engine.networks(_LABEL)}:
        if process.start_time(int(name.rpartition("-")[2])) is None:
            _remove(engine, name)


def main(arguments: list[str]) -> int:
    """Return the program's exit code, or an error's."""
    try:
        engine = engines.find()
        if engine is None:
            raise BadInput(_without_the_kit("no Docker engine runs"))
        if arguments[:1] == ["control"] and len(arguments) == 3:
            control(engine, *arguments[1:])
            return 0
        if arguments[:1] != ["run"] or len(arguments) < 2:
            raise BadInput(_USAGE)
        with server(engine) as env:
            program = arguments[1:]
            return process.run(
                program, timeout=timeouts.RUN, check=False, live=True, env=env
            ).returncode
    except LandfastError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))
