"""The cluster of others, one for all tests."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from class_tests.foreign import TEAM, Foreign, give_namespace, install_class, taint, user
from class_tests.in_cluster import Administrator
from class_tests.windows import windows
from landfast.cluster import kind
from landfast.environment import environment
from landfast.progress import Progress
from landfast.settings import load_settings


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """A kind cluster with a provisioner and a class that Landfast did not make, and a user.

    Pods may run on two of its nodes: one is tainted, and one says that it runs Windows.
    """
    folder: Path = tmp_path_factory.mktemp("foreign")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "WORKERS", 3)
        with environment(load_settings({}), Progress()) as env:
            tainted, *_, of_windows = sorted(env.cluster.nodes)
            taint(env, tainted)
            with windows(env, of_windows):
                install_class(env)
                someone = user(env, "landfast-class", folder / "kubeconfig")
                yield Foreign(env, someone, (tainted, of_windows))


@pytest.fixture(scope="session")
def administrator(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> Administrator:
    """The cluster's administrator, with their programs."""
    return Administrator(foreign.env, tmp_path_factory.mktemp("administrator"))


@pytest.fixture(scope="session")
def image(administrator: Administrator) -> str:
    """Landfast's own image; every node has it."""
    return administrator.bring_landfast()


@pytest.fixture(scope="session")
def guest(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """The cluster, with a user who may work in one namespace, which is strict and has a quota."""
    give_namespace(foreign.env)
    file = tmp_path_factory.mktemp("guest") / "kubeconfig"
    return replace(foreign, kubeconfig=user(foreign.env, "landfast-namespace", file, TEAM))
