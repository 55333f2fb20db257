"""The README says of each kind of host what proves that Landfast works there."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parent.parent
ROWS: list[dict[str, Any]] = yaml.safe_load((PROJECT / "host_tests/hosts.yaml").read_text())
FOLDERS = {
    session: session.replace("-", "_")
    for session in ("host-tests", "action-tests", "class-tests", "tests")
}
"""Where the tests of a session are; the others run the suites."""


def table() -> str:
    lines = ["| host | Docker engine | NFS in the kernel | proved by |", "|---|---|---|---|"]
    for row in ROWS:
        match row["proved_by"]:
            case {"report": link}:
                proof = f"[a user's report]({link})"
            case {"session": name}:
                proof = f"`nox -s {name}`"
            case "never":
                proof = "**never**"
            case wrong:
                pytest.fail(f"hosts.yaml: proved_by: {wrong}")
        if note := row.get("note"):
            proof += f": {note}"
        lines.append(f"| {row['host']} | {row['engine']} | {row['kernel_nfs']} | {proof} |")
    return "\n".join(lines)


def sessions() -> set[str]:
    """Return the names of the sessions of noxfile.py."""
    tree = ast.parse((PROJECT / "noxfile.py").read_text())
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {str(name) for name in named if re.fullmatch(r"[a-z-]+", str(name))}


def functions_in(folder: Path) -> set[str]:
    trees = [ast.parse(path.read_text()) for path in folder.rglob("test_*.py")]
    found = [node for tree in trees for node in ast.walk(tree)]
    return {node.name for node in found if isinstance(node, ast.FunctionDef)}


def test_the_readme_has_the_table() -> None:
    assert table() in (PROJECT / "README.md").read_text(), f"put this into README.md:\n{table()}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["host"])
def test_what_proves_a_row_exists(row: dict[str, Any]) -> None:
    proved_by = row["proved_by"]
    if isinstance(proved_by, dict) and (session := proved_by.get("session")):
        assert session in sessions()
        if session in FOLDERS:
            assert proved_by["test"] in functions_in(PROJECT / FOLDERS[session])
