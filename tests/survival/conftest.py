"""Fixtures of the tests of faults."""

import pytest
from fault_place import Place


@pytest.fixture
def place() -> Place:
    return Place()
