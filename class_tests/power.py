"""Cuts the power of an NFS server, and gives it back: `power.py stop|start NAME ADDRESS`."""

import shlex
import sys
from pathlib import Path

from landfast import timeouts
from landfast.docker import Engine
from landfast.nfs.disk_server import DiskServer
from landfast.nfs.own_server import OwnServer
from landfast.nfs.server import EXPORT_PATH
from landfast.waiting import wait_until


def server_commands(engine: Engine, stop: str, start: str) -> tuple[str, ...]:
    """Return the options with which Landfast stops and starts a server of this engine."""
    env = " ".join(f"{name}={shlex.quote(value)}" for name, value in engine.env.items())
    return ("--server-stop", f"{env} {stop}", "--server-start", f"{env} {start}")


def power_commands(server: OwnServer) -> tuple[str, ...]:
    """Return the options with which Landfast cuts a server's power and gives it back."""
    program = shlex.join([sys.executable, str(Path(__file__).resolve())])
    stop, start = (f"{program} {verb} {server.name} {server.address}" for verb in ("stop", "start"))
    return server_commands(server.engine, stop, start)


def _leave_something_to_lose(server: OwnServer) -> None:
    """Have a lying server lose what it acknowledges from now on, and wait until there is some.

    Otherwise its kernel would choose what reaches the disk (see `NfsPowerLoss.note`).
    """
    server.flush()
    later = int(server.execute("date", "+%s")) + 1
    wait_until(
        "a file to be written after the flush",
        lambda: server.execute("find", EXPORT_PATH, "-type", "f", "-newermt", f"@{later}"),
        timeout=timeouts.EFFECT,
    )


def main() -> None:
    """Do what the command line asks for; the engine is that of this process's environment."""
    verb, name, address = sys.argv[1:]
    server = DiskServer(Engine(version=""), name, address)
    if verb == "start":
        server.start()
        return
    if server.mode() == "lying":
        _leave_something_to_lose(server)
    server.cut_power()


if __name__ == "__main__":
    main()
