"""Matrices of settings: the cells of a run in rows and columns. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from landfast.journal import MatrixCell
from reports.model import ClaimSummary, SuiteSummary, Summary


class CellSummary(NamedTuple):
    """One combination of settings: its claim, and what was seen."""

    claim: ClaimSummary
    seen: MatrixCell


@dataclass(frozen=True)
class MatrixRow:
    """The cells of one combination of all settings but the last, by column; None is no cell."""

    settings: tuple[str, ...]
    cells: tuple[CellSummary | None, ...]


@dataclass(frozen=True)
class RowGroup:
    """Rows with the same first settings."""

    settings: tuple[tuple[str, str], ...]
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True)
class Matrix:
    """The cells of one suite."""

    suite: str
    row_axes: tuple[str, ...]
    column_axis: str
    columns: tuple[str, ...]
    groups: tuple[RowGroup, ...]

    @property
    def cells(self) -> tuple[CellSummary, ...]:
        """All cells."""
        rows = (row for group in self.groups for row in group.rows)
        return tuple(cell for row in rows for cell in row.cells if cell is not None)

    @property
    def hazards(self) -> int:
        """How many cells cost data or space."""
        return sum(cell.seen.hazard for cell in self.cells)


_IN_ROW = 2  # settings that head a row; the ones before head a group of rows


def matrices(summary: Summary) -> tuple[Matrix, ...]:
    """Return the matrix of each suite that has one; all cells of a suite share their axes."""
    found = (_matrix(suite) for suite in summary.suites)
    return tuple(matrix for matrix in found if matrix is not None)


def _matrix(suite: SuiteSummary) -> Matrix | None:
    tests = ((claim, test.cell) for claim in suite.claims for test in claim.tests)
    placed = sorted(
        (CellSummary(claim, cell) for claim, cell in tests if cell is not None),
        key=lambda found: found.seen.place,
    )
    if not placed:
        return None
    *row_axes, column_axis = placed[0].seen.axes
    cells = {tuple(cell.seen.axes.items()): cell for cell in placed}
    columns = tuple(dict.fromkeys(axes[-1] for axes in cells))
    rows: dict[tuple[tuple[str, str], ...], MatrixRow] = {}
    for axes in cells:
        settings = axes[:-1]
        values = tuple(value for _, value in settings[-_IN_ROW:])
        rows[settings] = MatrixRow(
            values, tuple(cells.get((*settings, column)) for column in columns)
        )
    groups: dict[tuple[tuple[str, str], ...], list[MatrixRow]] = {}
    for settings, row in rows.items():
        groups.setdefault(settings[:-_IN_ROW], []).append(row)
    return Matrix(
        suite=suite.name,
        row_axes=tuple(row_axes[-_IN_ROW:]),
        column_axis=column_axis,
        columns=tuple(value for _, value in columns),
        groups=tuple(RowGroup(head, tuple(found)) for head, found in groups.items()),
    )
