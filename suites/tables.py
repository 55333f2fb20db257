"""Tests that are parametrized by the rows of a table, each row with its own claim."""

from collections.abc import Iterable
from typing import Protocol

import pytest

from landfast.claims import Claim


class Row(Protocol):
    """What a table consists of."""

    @property
    def claim(self) -> Claim: ...


def each(name: str, rows: Iterable[Row]) -> pytest.MarkDecorator:
    """Run a test for each row, its argument `name`; the ids are the claims' without the suite."""
    found = [
        pytest.param(row, id=row.claim.id.partition(".")[2], marks=pytest.mark.claim(row.claim))
        for row in rows
    ]
    return pytest.mark.parametrize(name, found)
