"""Programs that a test puts on PATH, before those of the host."""

from collections.abc import Callable
from pathlib import Path

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


def calls(folder: Path) -> list[str]:
    """Return the calls of programs that `put` made, each as a line."""
    file = folder / "calls"
    return file.read_text().splitlines() if file.exists() else []
