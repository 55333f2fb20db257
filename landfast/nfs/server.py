"""The NFS server of a run that makes its own: NFS-Ganesha in a container beside the nodes."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until

EXPORT_PATH = "/data/share"
SQUASHED_PATH = "/data/squashed"
CONFIG = Path(__file__).with_name("ganesha.conf")
_START_SECONDS = 60


@contextlib.contextmanager
def nfs_server(
    engine: Engine, image: str, *, name: str, network: str, label: str
) -> Iterator[Export]:
    """Run an NFS server on the nodes' network, give its export, remove it with its data.

    The export lies on a docker volume, because an overlay file system cannot be exported.

    Raises:
        WaitTimeout: it does not listen in time; the message has its log.
    """
    try:
        yield start_server(engine, image, name=name, network=network, label=label)
    finally:
        remove_server(engine, name)


def start_server(engine: Engine, image: str, *, name: str, network: str, label: str) -> Export:
    """Start the server container `name` with the volume `name` (see `nfs_server`)."""
    engine.docker("volume", "create", "--label", label, name)
    engine.docker(
        *["create", "--name", name, "--hostname", name, "--label", label, "--network", network],
        *["--cap-add", "DAC_READ_SEARCH", "--cap-add", "SYS_ADMIN"],
        *["--volume", f"{name}:{EXPORT_PATH}", "--entrypoint", "ganesha.nfsd", image],
        *["-F", "-L", "/dev/stdout", "-f", "/etc/ganesha/landfast.conf"],
    )
    engine.docker("cp", CONFIG, f"{name}:/etc/ganesha/landfast.conf")
    engine.docker("start", name)
    wait_until(
        f"the NFS server {name} to listen",
        lambda: listens(engine, name),
        timeout=_START_SECONDS,
        describe=lambda _: engine.docker("logs", "--tail", "15", name, check=False).stdout,
    )
    return Export(
        server=address_of(engine, name), path=EXPORT_PATH, kind="container", container=name
    )


def address_of(engine: Engine, name: str) -> str:
    """Give the address of a container on its one network; empty while it does not run."""
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return engine.docker("inspect", "--format", template, name).stdout.strip()


def squashed(export: Export) -> Export:
    """Give the same folder as the run's own server exports it once more: with root_squash.

    Raises:
        MissingCapability: the server is somebody's.
    """
    if export.container is None:
        raise MissingCapability("nfs.owned", "only a server of our own exports with root_squash")
    return export.model_copy(update={"path": SQUASHED_PATH})


def listens(engine: Engine, name: str) -> bool:
    """Whether something in a container listens on NFS's port."""
    tables = engine.docker("exec", name, "cat", "/proc/net/tcp", "/proc/net/tcp6", check=False)
    return any(":0801 " in line and " 0A " in line for line in tables.stdout.splitlines())


def remove_server(engine: Engine, name: str) -> None:
    """Remove the server and its export's volume; what is not there is no error."""
    engine.docker("rm", "--force", "--volumes", name, check=False)
    engine.docker("volume", "rm", "--force", name, check=False)


def container_inspector(engine: Engine, container: str) -> ExportInspector:
    """Give the inspector that looks from inside the server's container."""

    def execute(argv: Sequence[str]) -> str:
        result = engine.docker("exec", container, *argv, check=False)
        if result.returncode:
            raise LandfastError(f"{argv[0]} on the NFS server failed: {result.stderr.strip()}")
        return result.stdout

    return ExportInspector(
        execute, PurePosixPath(EXPORT_PATH), f"inside the server's container {container}"
    )
