"""Landfast's own tests: the same examples everywhere, and no deadline on a machine that is busy."""

from collections.abc import Iterator

import hypothesis
import pytest
from programs_on_path import put  # noqa: F401 - a fixture

from landfast import timeouts

hypothesis.settings.register_profile("landfast", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("landfast")


@pytest.fixture
def impatient() -> Iterator[None]:
    """Let no wait last longer than a moment."""
    timeouts.set_patience(0.001)
    yield
    timeouts.set_patience(1)
