"""Run tests of the suites in a separate process and read their journal."""

import sys
from collections.abc import Iterable
from pathlib import Path

from landfast import paths, process, timeouts
from landfast.journal import Event, read_journal

SIDE_BY_SIDE = ("-n", "auto", "--dist", "loadgroup")  # options of pytest-xdist


def command(tests: Iterable[object], out: Path, *options: str) -> list[str]:
    """Return the command that runs tests (files, folders, or single tests) and reports to `out`."""
    return [sys.executable, "-m", "pytest", *map(str, tests), "--out", str(out), *options]


def journal(out: Path) -> Path:
    """Return the journal of the newest run that reported to `out`."""
    return paths.PROJECT / out / "latest" / "journal.jsonl"


def run(tests: Iterable[object], out: Path, *options: str) -> list[Event]:
    """Run tests and return their journal's events; `LandfastError` if they leave none."""
    asked = command(tests, out, *options)
    process.run(asked, timeout=timeouts.RUN, check=False, cwd=paths.PROJECT)
    return list(read_journal(journal(out)))
