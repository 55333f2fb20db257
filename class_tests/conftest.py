"""The cluster of others, one for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from class_tests.foreign import Foreign, install_class, user
from landfast.environment import environment
from landfast.progress import Progress
from landfast.settings import load_settings


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """A kind cluster with a provisioner and a class that Landfast did not make, and a user."""
    folder: Path = tmp_path_factory.mktemp("foreign")
    with environment(load_settings({}), Progress()) as env:
        install_class(env)
        yield Foreign(env, user(env, "landfast-class", folder / "kubeconfig"))
