"""Run tests of the suites in a separate process and read their journal."""

import sys
from collections.abc import Iterable
from pathlib import Path

from landfast import paths, process, timeouts
from landfast.errors import LandfastError
from landfast.journal import Event, read_journal

SIDE_BY_SIDE = ("-n", "auto", "--dist", "loadgroup")  # options of pytest-xdist


def command(tests: Iterable[object], out: Path, *options: str) -> list[str]:
    """Return the command that runs tests (files, folders, or single tests) and reports to `out`."""
    return [sys.executable, "-m", "pytest", *map(str, tests), "--out", str(out), *options]


def journal(out: Path) -> Path:
    """Return the journal of the newest run that reported to `out`."""
    return paths.PROJECT / out / "latest" / "journal.jsonl"


def run(tests: Iterable[object], out: Path, *options: str) -> list[Event]:
    """Run tests and return the events of their journal.

    Raises:
        LandfastError: they did not start, so that the newest journal is an earlier run's.
    """
    asked, earlier = command(tests, out, *options), journal(out).resolve()
    ended = process.run(asked, timeout=timeouts.RUN, check=False, cwd=paths.PROJECT)
    if journal(out).resolve() == earlier:
        said = (ended.stdout + ended.stderr).strip().splitlines()[-1:]
        raise LandfastError(f"the tests wrote no journal: {' '.join(said) or 'pytest was silent'}")
    return list(read_journal(journal(out)))
