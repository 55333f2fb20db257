"""Reports for people and CI, rendered from a run's journal alone."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from landfast.errors import BadInput
from landfast.files import write_atomically
from landfast.journal import read_journal
from reports.github import outputs
from reports.html import render_html
from reports.junit import render_junit
from reports.markdown import render_markdown
from reports.model import Summary
from reports.summarise import summarise_events


def summarise(run_folder: Path) -> Summary:
    """Return what a run's journal adds up to, even while the run is still writing it.

    Raises:
        BadInput: the journal cannot be read, or has no run.
    """
    return summarise_events(read_journal(run_folder / "journal.jsonl"))


def render(run_folder: Path) -> list[Path]:
    """Write report.html, junit.xml and summary.md beside journal.jsonl, and return their paths.

    In a step of GitHub Actions, the summary is also appended to the file that $GITHUB_STEP_SUMMARY
    names, and the outputs `report` and `grade` to that of $GITHUB_OUTPUT. Works for a run that was
    killed or is still running, too.

    Raises:
        BadInput: the journal cannot be read, or a report cannot be written.
    """
    summary = summarise(run_folder)
    texts = {
        "report.html": render_html(summary, run_folder),
        "junit.xml": render_junit(summary),
        "summary.md": render_markdown(summary),
    }
    for name, text in texts.items():
        with _writing(run_folder / name) as path:
            write_atomically(path, text)
    _append("GITHUB_STEP_SUMMARY", texts["summary.md"])
    _append("GITHUB_OUTPUT", outputs(summary, run_folder))
    return [run_folder / name for name in texts]


def _append(variable: str, text: str) -> None:
    """Append a text to the file that a variable names, if it is set."""
    if name := os.environ.get(variable):
        with _writing(Path(name)) as path, path.open("a", encoding="utf-8") as file:
            file.write(text)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[Path]:
    try:
        yield path
    except OSError as error:
        raise BadInput(f"cannot write the report {path}: {error.strerror}") from error
