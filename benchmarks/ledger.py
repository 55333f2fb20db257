"""How fast the ledger's writers are, and whether they grow: `python -m benchmarks.ledger`.

Against the kit's MySQL in a container whose data lies on a docker volume (ext4 as a rule), with
MySQL's defaults: every commit is synced.
"""

import argparse
import secrets
import signal
import socket
import tempfile
from pathlib import Path

import psutil

from landfast import paths, timeouts
from landfast.kit import engine as engines
from landfast.kit.build import build_kit, kit_lock
from landfast.mysql.client import MysqlError, MysqlServer
from landfast.mysql.history import read_history
from landfast.mysql.ledger import Ledger
from landfast.progress import Progress
from landfast.waiting import wait_until

_PASSWORD = "benchmark"  # noqa: S105 - of a throw-away server on 127.0.0.1


def main() -> None:
    """Write for as many operations as asked for; print rate and memory of the writers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=30_000)
    wanted = parser.parse_args().operations
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # remove the container then, too
    progress = Progress()
    with kit_lock(progress):
        engine = engines.ensure(progress)
        image = build_kit(engine, progress).mysql
    name = f"landfast-benchmark-{secrets.token_hex(3)}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        engine.create_container(
            image,
            name=name,
            label="landfast.benchmark",
            env={"MYSQL_ROOT_PASSWORD": _PASSWORD},
            volumes=["/var/lib/mysql"],
            ports=[f"127.0.0.1:{port}:3306"],
        )
        engine.start(name)
        server = MysqlServer(port, _PASSWORD)
        wait_until(
            f"MySQL to answer on {server}",
            server.identity,
            timeout=timeouts.MYSQL_READY,
            ignoring=(MysqlError,),
        )
        with tempfile.TemporaryDirectory(dir=paths.cache()) as folder:
            _measure(Ledger(server, Path(folder)), wanted)
    finally:
        engine.remove_containers(name)


def _measure(ledger: Ledger, wanted: int) -> None:
    ledger.prepare()
    with ledger.writing():
        for part in range(1, 6):
            wait_until(
                f"{wanted * part // 5} writes",
                ledger.acknowledged,
                until=lambda done, goal=wanted * part // 5: done >= goal,  # type: ignore[misc]
                timeout=timeouts.RUN,
            )
            said = f"{ledger.acknowledged():>9} acknowledged, writers' memory {_memory()} KiB"
            print(said, flush=True)  # noqa: T201
    ends = [o.ended for o in read_history(ledger.history) if o.ended is not None]
    print(f"{len(ends) / (max(ends) - min(ends)):.0f} operations a second")  # noqa: T201


def _memory() -> int:
    """Return the resident memory of the writers' process, in KiB."""
    (writers,) = (
        process
        for process in psutil.Process().children(recursive=True)
        if "landfast.mysql.writers" in process.cmdline()
    )
    return int(writers.memory_info().rss) // 1024


if __name__ == "__main__":
    main()
