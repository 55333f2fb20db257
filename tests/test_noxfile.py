"""What the sessions start, and what they do not."""

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

NOXFILE = Path(__file__).parent.parent / "noxfile.py"


@pytest.fixture
def noxfile(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names in the noxfile; nox itself is not installed for these tests."""
    nox: Any = ModuleType("nox")
    nox.options, nox.Session = SimpleNamespace(), object
    nox.session = lambda *made, **_: made[0] if made else lambda session: session
    monkeypatch.setitem(sys.modules, "nox", nox)
    return runpy.run_path(str(NOXFILE))


def test_with_install_only_a_session_starts_nothing(
    noxfile: dict[str, Any], tmp_path: Path
) -> None:
    program = tmp_path / "landfast"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    session = SimpleNamespace(bin=tmp_path, posargs=[], run=lambda *_, **__: None)
    noxfile["run"](session, "landfast", "smoke")
    assert not (tmp_path / "started").exists()
