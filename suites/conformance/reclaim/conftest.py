"""What the cells of the reclaim matrix tell the report."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fixtures.session import Run
from landfast.journal import MatrixCell
from suites.conformance.reclaim.matrix import CELLS, Cell


@dataclass
class Record:
    """What a cell's test has found out; whatever it ended in, the report shows it."""

    expected: str = "not known: the test ended before"
    observed: str = "nothing: the test ended before"
    hazard: bool = False
    """whether the data is lost to those whose it was, or costs space unseen"""


@pytest.fixture
def record(row: Cell, run: Run, request: pytest.FixtureRequest) -> Iterator[Record]:
    """Take what was expected and observed of the cell into the journal."""
    found = Record()
    yield found
    run.journal.write(
        MatrixCell(
            test=request.node.nodeid,
            place=CELLS.index(row),
            axes=row.axes,
            expected=found.expected,
            observed=found.observed,
            hazard=found.hazard,
        )
    )
