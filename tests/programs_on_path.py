"""Programs that a test puts on PATH, before those of the host."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Return a function that puts a shell script on PATH; each notes its calls in `calls`."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(name: str, script: str = "exit 0") -> None:
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/calls\n{script}\n')
        program.chmod(0o755)

    return put


INFO: dict[str, Any] = {
    "ID": "one-of-many",
    "OperatingSystem": "Debian",
    "KernelVersion": "6.1",
    "Architecture": "x86_64",
    "NCPU": 2,
    "MemTotal": 8 << 30,
    "CgroupVersion": "2",
    "DockerRootDir": "/var/lib/docker",
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
}
"""What an engine says of itself."""


def docker(
    *others: str,
    cli: str = "Docker version 28.2.2, build e6534b4",
    component: str = "Engine",
    options: Sequence[str] = (),
) -> str:
    """Return a script that answers as `docker` does; `others` are more cases."""
    server = json.dumps({"Version": "28.2.2", "Components": [{"Name": component}]})
    info = json.dumps({**INFO, "SecurityOptions": [*INFO["SecurityOptions"], *options]})
    return "\n".join(
        [
            'case "$1" in',
            f"-v) echo '{cli}' ;;",
            f"version) echo '{server}' ;;",
            f"info) echo '{info}' ;;",
            'context) echo "${DOCKER_HOST:-unix:///var/run/docker.sock}" ;;',
            *others,
            "esac",
        ]
    )


def calls(folder: Path) -> list[str]:
    """Return the calls of programs that `put` made, each as a line."""
    file = folder / "calls"
    return file.read_text().splitlines() if file.exists() else []
