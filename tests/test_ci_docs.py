"""docs/ci.md and the README's section on CI: what can be copied from them exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from landfast import cli

PROJECT = Path(__file__).parent.parent
ACTION = yaml.safe_load((PROJECT / "action.yml").read_text())
TEXTS = [PROJECT / name for name in ("docs/ci.md", "README.md")]
EXCERPTS = [
    (f"{path.name}-{number}", yaml.safe_load(excerpt))
    for path in TEXTS
    for number, excerpt in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL))
]
COMMANDS = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
_EXIT_CODES = {"0", "1", "2", "3", "4", "130"}


def values(found: Any, key: str) -> Iterator[Any]:
    """Yield what stands under a key, anywhere in an excerpt."""
    match found:
        case dict():
            if key in found:
                yield found[key]
            for value in found.values():
                yield from values(value, key)
        case list():
            for value in found:
                yield from values(value, key)


def texts(found: Any) -> Iterator[str]:
    match found:
        case dict():
            for value in found.values():
                yield from texts(value)
        case list():
            for value in found:
                yield from texts(value)
        case str():
            yield found


def check(command: str, arguments: list[str]) -> None:
    """Check that `landfast` has a command with these flags."""
    assert command in COMMANDS
    known = {flag for parameter in COMMANDS[command].params for flag in parameter.opts}
    assert {a.partition("=")[0] for a in arguments if a.startswith("-") and a != "-"} <= known


@pytest.mark.parametrize(("name", "excerpt"), EXCERPTS, ids=[name for name, _ in EXCERPTS])
def test_what_an_excerpt_runs_exists(name: str, excerpt: Any) -> None:
    for inputs in values(excerpt, "with"):
        if "command" in inputs:
            assert set(inputs) <= set(ACTION["inputs"])
            check(inputs["command"], shlex.split(inputs.get("arguments", "")))
    for text in texts(excerpt):
        for line in re.findall(r"(?:^|bin/|&& )landfast ([^&|>]+)", text):
            check(*(lambda words: (words[0], words[1:]))(shlex.split(line)))
        for output in re.findall(r"steps\.\w+\.outputs\.([\w-]+)", text):
            assert output in ACTION["outputs"]


def test_there_is_something_to_check() -> None:
    used = [inputs for _, excerpt in EXCERPTS for inputs in values(excerpt, "with")]
    assert {"audit", "chaos", "conformance"} <= {inputs.get("command") for inputs in used}
    jobs = [script for _, excerpt in EXCERPTS for script in values(excerpt, "script")]
    assert len(jobs) == 3


def first_column(head: str) -> list[str]:
    """Return the first column of the table of docs/ci.md whose head begins so."""
    text = (PROJECT / "docs/ci.md").read_text()
    (table,) = re.findall(rf"^\| {head} \|.*\n\|---.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [line.split("|")[1].strip().strip("`") for line in table.splitlines()]


def test_the_tables_name_every_input_and_output() -> None:
    assert first_column("input") == list(ACTION["inputs"])
    assert first_column("output") == list(ACTION["outputs"])


def test_the_exit_codes_are_those_of_the_readme() -> None:
    assert set(first_column("exit code")) == _EXIT_CODES
    results = (PROJECT / "README.md").read_text().partition("## Results")[2]
    assert set(re.findall(r"^\| (\d+) \|", results, re.MULTILINE)) == _EXIT_CODES


def test_defaults_in_the_table_are_the_action_s() -> None:
    text = (PROJECT / "docs/ci.md").read_text()
    for name in ("working-directory", "upload"):
        assert f"| `{name}` | `{ACTION['inputs'][name]['default']}` |" in text
