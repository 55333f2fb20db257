"""The step of action.yml that runs `landfast`. Inputs are variables, outputs lines of a file.

`python -m landfast.action` reads $COMMAND and $ARGUMENTS. The arguments are split as a shell would
split them, and nothing in them is expanded.
"""

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from landfast import cli
from landfast.verdict import EXIT_BAD_INPUT

_SUFFIXES = {"{": "json", "<?xml": "xml", "<!doctype": "html", "# ": "md"}
"""The suffix of a file by how its text begins; else it is text."""


def main() -> None:
    """Run the command and exit with its code, which is also the output `exit-code`.

    What `audit` prints is also in a file, which is the output `report`, and in the job's summary.
    """
    command = os.environ["COMMAND"]
    try:
        arguments = shlex.split(os.environ["ARGUMENTS"])
    except ValueError as error:
        sys.stderr.write(f"landfast: the input `arguments` cannot be split into words: {error}\n")
        _end(EXIT_BAD_INPUT)
    sys.argv = ["landfast", command, *arguments]
    with _kept() if command == "audit" else contextlib.nullcontext():
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    _end(code)


@contextlib.contextmanager
def _kept() -> Iterator[None]:
    """Keep what is printed meanwhile, and print it at the end."""
    kept = io.StringIO()
    with contextlib.redirect_stdout(kept):
        yield
    text = kept.getvalue()
    sys.stdout.write(text)
    if text:
        suffix = next((s for begin, s in _SUFFIXES.items() if text.startswith(begin)), "txt")
        file = Path(os.environ["RUNNER_TEMP"], f"landfast-audit.{suffix}")
        file.write_text(text, encoding="utf-8")
        _append("GITHUB_OUTPUT", f"report={file}\n")
        if suffix == "md":
            _append("GITHUB_STEP_SUMMARY", text)
        elif suffix == "txt":  # the others are for programs
            _append("GITHUB_STEP_SUMMARY", f"````text\n{text}````\n")


def _end(code: int) -> NoReturn:
    _append("GITHUB_OUTPUT", f"exit-code={code}\n")
    sys.exit(code)


def _append(variable: str, text: str) -> None:
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
