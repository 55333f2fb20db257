"""The wheel: one package, which works outside the repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from landfast.kit.python import copy_landfast

PROJECT = Path(__file__).parent.parent
pytestmark = pytest.mark.xdist_group("wheel")  # built once
FOLDERS = ("fixtures", "kit", "manifests", "reports", "suites")


def run(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that knows nothing of the repository."""
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("LANDFAST_", "PYTEST_", "COV"))
    }
    clean.pop("PYTHONPATH", None)
    changes = {"HOME": str(cwd), "XDG_CACHE_HOME": str(cwd / "cache"), "COLUMNS": "200"}
    return subprocess.run(
        argv, cwd=cwd, env=clean | changes, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(
        *[sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"],
        *["--wheel-dir", str(folder), str(PROJECT)],
        cwd=folder,
    )
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("landfast-*.whl")
    return path


@pytest.fixture(scope="session")
def landfast(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel; its dependencies are those of this environment."""
    venv = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=venv)
    installed = run(
        *[sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")],
        *["install", "--quiet", "--no-deps", str(wheel)],
        cwd=venv,
    )
    assert installed.returncode == 0, installed.stderr
    (packages,) = venv.glob("lib/*/site-packages")
    there = {path.name for path in packages.iterdir() if "dist-info" not in path.name}
    assert there == {"landfast"}
    dependencies = Path(pytest.__file__).parent.parent
    (packages / "dependencies.pth").write_text(f"{dependencies}\n")
    return venv / "bin" / "landfast"


def test_the_wheel_has_every_file_of_the_project(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "-C", PROJECT, "ls-files", *FOLDERS, "conftest.py"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    there = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {f"landfast/project/{name}" for name in listed if not name.endswith(".gitignore")}
    assert wanted <= there
    assert all(name.startswith("landfast/") for name in there)


def test_image_of_landfast_has_what_the_wheel_has(wheel: Path, tmp_path: Path) -> None:
    copy_landfast(tmp_path)
    copied = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    there = set(zipfile.ZipFile(wheel).namelist())
    (version,) = (name for name in there if name.endswith("/METADATA"))
    files = {name for name in there if ".dist-info/" not in name}
    assert files | {version} <= copied


def test_an_installed_landfast_needs_no_repository(landfast: Path, tmp_path: Path) -> None:
    listed = run(landfast, "chaos", "--list", cwd=tmp_path)
    assert "pod-delete" in listed.stdout, listed.stderr
    doctor = run(landfast, "doctor", cwd=tmp_path)
    assert doctor.returncode in (0, 4), doctor.stderr
    assert "a run will take" in doctor.stdout
    (tmp_path / "pv.yaml").write_text(
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: a}\n"
    )
    audit = run(landfast, "audit", tmp_path, cwd=tmp_path)
    assert "1 object" in audit.stdout, audit.stderr
    assert "Traceback" not in listed.stderr + doctor.stderr + audit.stderr
    assert not (tmp_path / "out").exists()
    written = list(landfast.parent.parent.glob("lib/*/site-packages/landfast/**/*pytest*.pyc"))
    assert not written, "pytest wrote into site-packages"
