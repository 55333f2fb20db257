"""Matrices of settings: which cells a run has, in rows and columns. Pure."""

from dataclasses import dataclass

from landfast.journal import MatrixCell
from landfast.verdict import Verdict
from reports.model import ClaimSummary, SuiteSummary, Summary
from reports.text import clean


@dataclass(frozen=True)
class Cell:
    """One combination of settings: the verdict on its claim, and what came of it."""

    claim: str
    verdict: Verdict
    expected: str
    observed: str
    hazard: bool


@dataclass(frozen=True)
class Row:
    """The cells of one combination of all settings but the last, by column; None is no cell."""

    settings: tuple[str, ...]
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Group:
    """Rows that have their first settings in common."""

    settings: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Matrix:
    """The cells of one suite."""

    suite: str
    row_axes: tuple[str, ...]
    column_axis: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells."""
        rows = (row for group in self.groups for row in group.rows)
        return tuple(cell for row in rows for cell in row.cells if cell is not None)

    @property
    def hazards(self) -> int:
        """How many cells cost data or space."""
        return sum(cell.hazard for cell in self.cells)


_IN_ROW = 2  # settings that head a row; those before them head a group of rows


def matrices(summary: Summary) -> tuple[Matrix, ...]:
    """Give the matrix of each suite that has one; all cells of a suite have the same axes."""
    found = (_matrix(suite) for suite in summary.suites)
    return tuple(matrix for matrix in found if matrix is not None)


def _matrix(suite: SuiteSummary) -> Matrix | None:
    placed = sorted(
        (
            (test.cell, claim)
            for claim in suite.claims
            for test in claim.tests
            if test.cell is not None
        ),
        key=lambda found: found[0].place,
    )
    if not placed:
        return None
    *row_axes, column_axis = placed[0][0].axes
    cells = {tuple(cell.axes.items()): _cell(cell, claim) for cell, claim in placed}
    columns = tuple(dict.fromkeys(axes[-1] for axes in cells))
    rows: dict[tuple[tuple[str, str], ...], Row] = {}
    for axes in cells:
        settings = axes[:-1]
        values = tuple(value for _, value in settings[-_IN_ROW:])
        rows[settings] = Row(values, tuple(cells.get((*settings, column)) for column in columns))
    heads = dict.fromkeys(settings[:-_IN_ROW] for settings in rows)
    return Matrix(
        suite=suite.name,
        row_axes=tuple(row_axes[-_IN_ROW:]),
        column_axis=column_axis,
        columns=tuple(value for _, value in columns),
        groups=tuple(
            Group(head, tuple(row for settings, row in rows.items() if settings[:-_IN_ROW] == head))
            for head in heads
        ),
    )


def _cell(cell: MatrixCell, claim: ClaimSummary) -> Cell:
    return Cell(
        claim=claim.id,
        verdict=claim.verdict,
        expected=clean(cell.expected),
        observed=clean(cell.observed),
        hazard=cell.hazard,
    )
