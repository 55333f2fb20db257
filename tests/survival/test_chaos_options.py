"""The chaos suite's options, typed as a user would: no cluster is made for an answer."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures import chaos
from landfast.settings import Settings
from suites.chaos.scenarios import SCENARIOS

PROJECT = Path(__file__).parents[2]
CHAOS = [sys.executable, "-c", "from landfast.cli import main; main()", "chaos"]


def ask(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite with arguments, on a host where no engine answers."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LANDFAST_", "PYTEST_"))}
    changes = {
        "PYTHONPATH": str(PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "500",
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "DOCKER_HOST": "unix:///nonexistent",
    }
    return subprocess.run(
        [*CHAOS, *arguments],
        cwd=folder,
        env=clean | changes,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_refused(result: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert sentence in result.stderr
    assert result.stderr.count("ERROR") == 1
    assert "Traceback" not in result.stdout + result.stderr
    assert "INTERNALERROR" not in result.stdout + result.stderr
    assert result.returncode == 4


def test_list_shows_every_scenario_without_a_cluster(tmp_path: Path) -> None:
    result = ask(tmp_path, "--list")
    assert result.returncode == 0, result.stdout + result.stderr
    head, *lines = filter(str.strip, result.stdout.splitlines())
    assert head.split() == ["scenario", "tier", "s", "what", "it", "must", "show"]
    shown = {line.split()[0]: line for line in lines}
    for row in SCENARIOS:
        assert f" {row.seconds} " in shown[row.name]
        assert shown[row.name].rstrip().endswith(row.requirement)
        assert f" {row.tier or ''} " in shown[row.name]
    last = lines[-1].split()
    assert last[1:3] == ["scenarios,", "about"]
    assert int(last[3]) <= 43, "a full run takes more than 45 minutes"
    assert result.stderr == ""
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "cache").exists()


def test_an_unknown_scenario_is_told_those_there_are(tmp_path: Path) -> None:
    result = ask(tmp_path, "--scenario", "pod-delte,pod-delete")
    assert_refused(result, "ERROR: --scenario pod-delte: no such scenario; there are ")
    for row in SCENARIOS:
        assert f" {row.name}" in result.stderr
    assert not list((tmp_path / "out").iterdir())  # nothing has begun


def test_a_budget_that_is_not_a_time_is_one_sentence(tmp_path: Path) -> None:
    result = ask(tmp_path, "--budget", "10")
    assert "landfast: --budget '10': it must be a time such as 600s" in result.stderr
    assert result.returncode == 4


def test_what_is_chosen_is_collected(tmp_path: Path) -> None:
    few = ("--scenario", "nfs-kill,pod-evict,pod-delete", "--budget", "70s")
    result = ask(tmp_path, *few, "--", "--collect-only", "-qq")
    assert result.returncode == 0, result.stdout + result.stderr
    names = [line.partition("[")[2] for line in result.stdout.splitlines() if "::" in line]
    assert names == ["pod-delete]", "nfs-kill]"]


ROWS = [
    {"name": "a", "seconds": 30, "telling": 1},
    {"name": "b", "seconds": 60, "telling": 9},
    {"name": "c", "seconds": 40, "telling": 5},
]


def choose(
    scenario: str | None = None, budget: str | None = None, rows: list[dict[str, Any]] = ROWS
) -> str:
    settings = Settings(scenario=scenario, budget=budget)
    return "".join(row["name"] for row in chaos.choose(settings, list(rows)))


def test_scenarios_are_chosen_by_name_and_by_what_they_tell() -> None:
    assert choose() == "abc"
    assert choose("c,a") == "ac"
    assert choose(budget="100s") == "bc"
    assert choose("c,a", budget="50s") == "c"


@pytest.mark.parametrize(
    ("scenario", "budget", "said"),
    [
        ("d,a,e", None, "--scenario d, e: no such scenario; there are a, b, c"),
        ("", None, "--scenario : no such scenario; there are a, b, c"),
        (None, "29s", "--budget 29s: no scenario is that short; see --list"),
        ("b", "59s", "--budget 59s: no scenario is that short; see --list"),
    ],
)
def test_a_choice_of_nothing_is_refused(
    scenario: str | None, budget: str | None, said: str
) -> None:
    with pytest.raises(pytest.UsageError) as refused:
        choose(scenario, budget)
    assert str(refused.value) == said


def test_where_there_are_no_scenarios_that_is_said() -> None:
    with pytest.raises(pytest.UsageError, match="there are none here$"):
        choose("a", rows=[])
