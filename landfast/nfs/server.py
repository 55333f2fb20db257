"""The NFS server of a run that makes its own: NFS-Ganesha in a container beside the nodes."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from landfast import timeouts
from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until

EXPORT_PATH = "/data/share"
SQUASHED_PATH = "/data/squashed"
CONFIG = Path(__file__).with_name("ganesha.conf")
CONFIG_IN_SERVER = "/landfast-ganesha.conf"  # every image has this folder


def _seconds(setting: str) -> int:
    (found,) = re.findall(rf"^ *{setting} = (\d+);$", CONFIG.read_text(), re.MULTILINE)
    return int(found)


LEASE_SECONDS = _seconds("Lease_Lifetime")
"""How long the server keeps the locks of a client that is not heard of."""
GRACE_SECONDS = _seconds("Grace_Period")
"""How long a restarted server waits for locks to be claimed again before it gives out others."""


def start_server(
    engine: Engine, image: str, *, name: str, network: str, label: str, config: Path = CONFIG
) -> Export:
    """Run an NFS server in a container `name` on the nodes' network, and return its export.

    The export lies on a docker volume `name`, because an overlay file system cannot be exported.

    Raises:
        WaitTimeout: it does not listen in time; the message has its log.
    """
    engine.create_volume(name, label=label)
    engine.create_container(
        image,
        *["-F", "-L", "/dev/stdout", "-f", CONFIG_IN_SERVER],
        name=name,
        label=label,
        network=network,
        entrypoint="ganesha.nfsd",
        volumes=[f"{name}:{EXPORT_PATH}"],
        capabilities=["DAC_READ_SEARCH", "SYS_ADMIN"],
    )
    engine.copy_into(config, name, CONFIG_IN_SERVER)
    engine.start(name)
    wait_for_server(engine, name)
    return Export(server=engine.address(name), path=EXPORT_PATH, kind="container", container=name)


def squashed(export: Export) -> Export:
    """Return the second export of the same folder by the run's own server, with root_squash.

    Raises:
        MissingCapability: the run does not own the server.
    """
    if export.container is None:
        raise MissingCapability("nfs.owned", "only the run's own server exports with root_squash")
    return export.model_copy(update={"path": SQUASHED_PATH})


def wait_for_server(engine: Engine, name: str) -> None:
    """Wait until something in a container listens on NFS's port.

    Raises:
        WaitTimeout: the container ended, or nothing listens in time; the message has its log.
    """

    def listens() -> bool:
        tables = engine.execute(name, "cat", "/proc/net/tcp", "/proc/net/tcp6", check=False)
        return any(":0801 " in line and " 0A " in line for line in tables.stdout.splitlines())

    wait_until(
        f"the NFS server {name} to listen",
        listens,
        timeout=timeouts.SERVER_START,
        give_up=lambda _: "it ended" if engine.state(name).status == "exited" else None,
        describe=lambda _: engine.logs(name, tail=15),
    )


def container_inspector(engine: Engine, container: str) -> ExportInspector:
    """Return the inspector that looks from inside the server's container."""

    def execute(argv: Sequence[str]) -> str:
        result = engine.execute(container, *argv, check=False)
        if result.returncode:
            raise LandfastError(f"{argv[0]} on the NFS server failed: {result.stderr.strip()}")
        return result.stdout

    return ExportInspector(
        execute, PurePosixPath(EXPORT_PATH), f"inside the server's container {container}"
    )
