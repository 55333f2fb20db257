"""Run tests of the suites in a separate process and read their journal."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

from landfast import paths, process, timeouts
from landfast.errors import LandfastError
from landfast.journal import Event, read_journal

SIDE_BY_SIDE = ("-n", "auto", "--dist", "loadgroup")  # options of pytest-xdist
_LINES = ("-v", "--tb=no", "-rN")  # a line as each test ends; the journal has the reasons


def command(tests: Iterable[object], out: Path, *options: str) -> list[str]:
    """Return the command that runs tests (files, folders, or single tests) and reports to `out`."""
    return [sys.executable, "-m", "pytest", *map(str, tests), "--out", str(out), *options]


def journal(out: Path) -> Path:
    """Return the journal of the newest run that reported to `out`."""
    return paths.PROJECT / out / "latest" / "journal.jsonl"


def run(tests: Iterable[object], out: Path, *options: str) -> list[Event]:
    """Run tests, with a line as each ends, and return the events of their journal.

    Raises:
        LandfastError: they did not start, so that the newest journal is an earlier run's.
    """
    asked, earlier = command(tests, out, *_LINES, *options), journal(out).resolve()
    process.run(asked, timeout=timeouts.RUN, check=False, live=True, cwd=paths.PROJECT)
    if journal(out).resolve() == earlier:
        raise LandfastError("the tests wrote no journal; pytest has said why")
    return list(read_journal(journal(out)))


def exit_with(main: Callable[[], int]) -> NoReturn:
    """End the program with the code that `main` returns; say in a line what stopped it."""
    try:
        sys.exit(main())
    except LandfastError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
