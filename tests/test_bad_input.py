"""Wrong invocations, typed as a user would: one sentence, exit code 4, nothing left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from landfast.cli import main

PROJECT = Path(__file__).parent.parent
SMOKE = [sys.executable, "-m", "pytest", "-p", "xdist", str(PROJECT / "suites/smoke")]
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
"""
EXISTING = ["--cluster", "existing", "--context", "x", "--nfs-server", "h:/p"]


def invoke(
    folder: Path, *argv: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command on a host whose cache and results are in `folder`, where no engine answers."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LANDFAST_", "PYTEST_"))}
    return subprocess.run(
        argv,
        cwd=folder,
        env={
            **clean,
            "PYTHONPATH": str(PROJECT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "500",
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "DOCKER_HOST": "unix:///nonexistent",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **(env or {}),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_one_sentence(result: subprocess.CompletedProcess[str], sentence: str) -> None:
    output = result.stdout + result.stderr
    assert sentence in output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert result.returncode == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bogus"], "landfast: No such command 'bogus'; see `landfast --help`"),
        (["up", "--bogus"], "No such option: --bogus"),
        (["up", "--cluster", "foo"], "--cluster 'foo': it must be 'kind' or 'existing'"),
        (["report", "a", "b"], "unexpected extra argument"),
        (["report", "nowhere"], "cannot read the journal nowhere/journal.jsonl: No such file"),
        (["report", "corrupt"], "line 1 is not a journal event: note.text: Field required"),
        (["up", "--cluster", "existing"], "`landfast up` creates a cluster, so it needs --cluster"),
        (["up"], "no Docker engine answers at DOCKER_HOST=unix:///nonexistent: start it, or unset"),
        (["kit"], "no Docker engine answers at DOCKER_HOST=unix:///nonexistent: start it, or uns"),
        (["doctor"], "a run cannot work on this host"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_landfast(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    (tmp_path / "corrupt").mkdir()
    (tmp_path / "corrupt" / "journal.jsonl").write_text('{"kind": "note"}\n{}\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    monkeypatch.setattr(sys, "argv", ["landfast", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    errors = capsys.readouterr().err
    assert sentence in errors
    assert errors.count("\n") == 1
    assert caught.value.code == 4
    assert not (tmp_path / "cache" / "landfast" / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "env", "sentence"),
    [
        (["--clutser=kind"], {}, "error: unrecognized arguments: --clutser=kind"),
        (["--cluster", "existing"], {}, "ERROR: --cluster existing needs --context"),
        ([*EXISTING, "--kubeconfig=dead"], {}, "the API server https://127.0.0.1:9 cannot be rea"),
        (["--out=/proc/x"], {}, "ERROR: --out /proc/x: cannot write there: No such file or direc"),
        ([], {"LANDFAST_CLUSTER": "foo"}, "ERROR: LANDFAST_CLUSTER 'foo': it must be 'kind' or"),
        (
            [],
            {},
            "ERROR: no Docker engine answers at DOCKER_HOST=unix:///nonexistent: start it, or",
        ),
        (
            [],
            {"XDG_CACHE_HOME": "/proc/x"},
            "ERROR: cannot write the cache /proc/x/landfast: No such",
        ),
    ],
)
def test_pytest(tmp_path: Path, arguments: list[str], env: dict[str, str], sentence: str) -> None:
    (tmp_path / "dead").write_text(KUBECONFIG)
    result = invoke(tmp_path, *SMOKE, *arguments, env=env)
    assert_one_sentence(result, sentence)
    assert not list((tmp_path / "cache").glob("landfast/runs/*"))


def test_up_refuses_an_existing_cluster_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in zip(("CLUSTER", "CONTEXT", "NFS_SERVER"), EXISTING[1::2], strict=True):
        monkeypatch.setenv(f"LANDFAST_{name}", value)
    monkeypatch.setattr(sys, "argv", ["landfast", "up"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 4
    assert "run `landfast conformance` on it" in capsys.readouterr().err
