"""What the cells of the reclaim matrix report."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fixtures.session import Run
from landfast.journal import MatrixCell
from suites.conformance.reclaim.matrix import CELLS, ReclaimCell


@dataclass
class Record:
    """What the test of a cell found; the report shows it whatever the verdict is."""

    expected: str = "not known: the test ended before"
    observed: str = "nothing: the test ended before"
    hazard: bool = False
    """whether the data is orphaned, cannot be deleted, or belongs to someone else"""


@pytest.fixture
def record(cell: ReclaimCell, run: Run, request: pytest.FixtureRequest) -> Iterator[Record]:
    """Write into the journal what a cell's test expected and observed."""
    found = Record()
    yield found
    run.journal.write(
        MatrixCell(
            test=request.node.nodeid,
            place=CELLS.index(cell),
            axes=cell.axes,
            expected=found.expected,
            observed=found.observed,
            hazard=found.hazard,
        )
    )
