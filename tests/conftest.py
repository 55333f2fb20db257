"""Landfast's own tests: the same examples everywhere, and no deadline on a machine that is busy."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
from programs_on_path import put  # noqa: F401 - a fixture

from landfast import timeouts

hypothesis.settings.register_profile("landfast", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("landfast")


@pytest.fixture(autouse=True)
def _outside_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of GitHub Actions that runs these tests is told nothing of the runs in them."""
    for name in [name for name in os.environ if name.startswith("GITHUB_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def impatient() -> Iterator[None]:
    """Let no wait last longer than a moment."""
    timeouts.set_patience(0.001)
    yield
    timeouts.set_patience(1)
