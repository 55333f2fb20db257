"""A proxy, as companies have them."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from landfast.waiting import wait_until


@contextmanager
def proxy(folder: Path, address: str) -> Iterator[tuple[str, Callable[[], set[str]]]]:
    """Run a proxy; give its URL, and a function that returns the hosts it was asked for."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port = probe.getsockname()[1]
    log = folder / "proxy.log"
    command = [sys.executable, "-m", "proxy", "--hostname", address, "--port", str(port)]
    with subprocess.Popen([*command, "--num-workers", "1", "--log-file", str(log)]) as process:
        try:
            wait_until("the proxy to listen", lambda: _listens(address, port), timeout=30)
            yield (
                f"http://{address}:{port}",
                lambda: set(re.findall(r"(?:CONNECT|GET|POST) ([\w.-]+):", log.read_text())),
            )
        finally:
            process.terminate()


def _listens(address: str, port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((address, port)) == 0
