"""Where there is no /proc, as on a Mac, every command ends in a result or a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_bad_input import EXISTING, KUBECONFIG

from landfast import paths

HIDE = ["unshare", "--mount", "--map-root-user", "sh", "-c", 'mount -t tmpfs x /proc && exec "$@"']
LANDFAST = [sys.executable, "-c", "from landfast.cli import main; main()"]
TWO_RUNS = """
import os, signal, subprocess, sys
from landfast.run import new_record, records
look = [sys.executable, "-c", "from landfast.run import *; print([r.alive for r in records()])"]
new_record("r1")
subprocess.run([*look], check=True)
if os.fork() == 0:
    new_record("r2")
    subprocess.run([*look], check=True)
    os.kill(os.getpid(), signal.SIGKILL)
os.wait()
subprocess.run([*look], check=True)
"""


def without_proc(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(paths.PROJECT),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "DOCKER_HOST": "unix:///nonexistent",
        "COLUMNS": "200",
    }
    return subprocess.run(
        [*HIDE, "sh", *argv],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(autouse=True)
def can_hide(tmp_path: Path) -> None:
    if sys.platform != "linux" or without_proc(tmp_path, "true").returncode:
        pytest.skip("this host lets nobody hide /proc")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["doctor"], 4, "no Docker engine answers at DOCKER_HOST=unix:///nonexistent"),
        (["cleanup"], 0, "nothing to remove"),
        (["images"], 4, "no Docker engine answers at DOCKER_HOST=unix:///nonexistent"),
        (["audit", str(paths.MANIFESTS)], 1, "the audit found"),
        (["audit", "--context=x", "--kubeconfig=dead"], 4, "cannot be reached"),
        (["smoke", *EXISTING, "--kubeconfig=dead"], 4, "cannot be reached"),
        (["smoke"], 4, "no Docker engine answers at DOCKER_HOST=unix:///nonexistent"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_ends_as_elsewhere(
    tmp_path: Path, command: list[str], code: int, said: str
) -> None:
    (tmp_path / "dead").write_text(KUBECONFIG)
    ended = without_proc(tmp_path, *LANDFAST, *command)
    output = ended.stdout + ended.stderr
    assert said in output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert ended.returncode == code


def test_a_run_is_alive_until_it_is_killed(tmp_path: Path) -> None:
    ended = without_proc(tmp_path, sys.executable, "-c", TWO_RUNS)
    assert ended.stdout == "[True]\n[True, True]\n[True, False]\n", ended.stderr
