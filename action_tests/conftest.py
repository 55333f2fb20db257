"""act, and what a workflow needs of GitHub: the action's repository and actions/upload-artifact."""

import shutil
from pathlib import Path

import pytest
import yaml

from action_tests.runner import ACTION, Runner
from landfast import paths, process, timeouts
from landfast.kit.build import kit_lock
from landfast.kit.cache import Cache
from landfast.kit.programs import Programs
from landfast.progress import Progress

_ACT = "github.com/nektos/act@v0.2.89"


@pytest.fixture(scope="session")
def act(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled here."""
    progress, folder = Progress(), tmp_path_factory.mktemp("act")
    with kit_lock(progress):
        go = Programs(Cache(paths.cache()), progress).toolchain()
    with progress.phase(f"compile {_ACT}"):
        env = {"GOBIN": str(folder), "CGO_ENABLED": "0"}
        process.run([go, "install", _ACT], env=env, timeout=timeouts.BUILD)
    return folder / "act"


@pytest.fixture(scope="session")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in for actions/upload-artifact, with its library."""
    packages, folder = tmp_path_factory.mktemp("npm"), tmp_path_factory.mktemp("upload")
    source = Path(__file__).parent / "upload-artifact"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    shutil.copy(source / "package.json", packages)
    process.run(["npm", "install", "--no-audit", "--no-fund"], cwd=packages, timeout=timeouts.APT)
    (folder / "node_modules").symlink_to(packages / "node_modules")  # act copies the folder
    return folder


@pytest.fixture
def action(tmp_path: Path) -> Path:
    """A copy of the action's repository, as a runner would clone it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = process.run(command, cwd=paths.PROJECT, timeout=timeouts.COMMAND).stdout
    for name in filter(None, listed.split("\0")):
        target = tmp_path / "action" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.PROJECT / name, target, follow_symlinks=False)
    return tmp_path / "action"


@pytest.fixture
def runner(act: Path, upload: Path, action: Path, tmp_path: Path) -> Runner:
    """A runner that finds both actions on this machine."""
    wanted = yaml.safe_load((action / "action.yml").read_text())["runs"]["steps"][-1]["uses"]
    return Runner(act, tmp_path / "runner", {ACTION: action, wanted: upload})
