"""Matrices of settings: rows, columns, and how they stand in the HTML report."""

from datetime import timedelta
from pathlib import Path

from report_sample import BEGAN, sample_events, write_run
from test_report_html import ATTACK, Page

from landfast.journal import ClaimDeclared, Event, MatrixCell, TestFinished, TestStarted
from landfast.verdict import Verdict
from reports.html import render_html
from reports.matrix import Matrix, matrices
from reports.summarise import summarise_events

AXES = ("volume", "archive", "onDelete", "pattern")
CELLS = (
    ("dynamic", "absent", "delete", "none"),
    ("dynamic", "absent", "delete", "nested"),
    ("dynamic", "true", "absent", "none"),
    ("static", "absent", "absent", "none"),
)


def cell(place: int, verdict: Verdict = Verdict.PASS, **changes: object) -> list[Event]:
    """Give the journal of one cell's test."""
    test, claim = f"suites/conformance/reclaim/test_matrix.py::test[{place}]", f"reclaim.{place}"
    reason = "" if verdict is Verdict.PASS else "it went otherwise"
    fields = {"expected": f"kept {place}", "observed": f"kept {place}", "hazard": False, **changes}
    later = BEGAN + timedelta(seconds=place)
    return [
        ClaimDeclared(at=later, id=claim, text=f"Cell {place} MUST hold.", source="the contract"),
        TestStarted(at=later, test=test, claim=claim, worker="gw0"),
        MatrixCell(
            at=later,
            test=test,
            place=place,
            axes=dict(zip(AXES, CELLS[place], strict=True)),
            **fields,
        ),
        TestFinished(
            at=later,
            test=test,
            claim=claim,
            verdict=verdict,
            reason=reason,
            capability="",
            seconds=1,
        ),
    ]


def journal(*cells: list[Event]) -> list[Event]:
    """Give the sample's journal with cells in it."""
    *events, end = sample_events()
    return [*events, *(event for written in cells for event in written), end]


def only(events: list[Event]) -> Matrix:
    (found,) = matrices(summarise_events(events))
    return found


def page(folder: Path, *cells: list[Event]) -> Page:
    events = journal(*cells)
    write_run(folder, [])
    return Page(render_html(summarise_events(events), folder))


def test_rows_and_columns_come_by_place_whatever_ran_first() -> None:
    found = only(journal(cell(3), cell(1), cell(2), cell(0)))
    assert (found.suite, found.row_axes, found.column_axis) == (
        "reclaim",
        ("archive", "onDelete"),
        "pattern",
    )
    assert found.columns == ("none", "nested")
    assert [group.settings for group in found.groups] == [
        (("volume", "dynamic"),),
        (("volume", "static"),),
    ]
    rows = [row for group in found.groups for row in group.rows]
    assert [row.settings for row in rows] == [
        ("absent", "delete"),
        ("true", "absent"),
        ("absent", "absent"),
    ]
    claims = [[each and each.claim.id for each in row.cells] for row in rows]
    assert claims == [
        ["reclaim.0", "reclaim.1"],
        ["reclaim.2", None],
        ["reclaim.3", None],
    ]


def test_run_without_cells_has_no_matrix(tmp_path: Path) -> None:
    assert matrices(summarise_events(sample_events())) == ()
    assert "Matrix" not in page(tmp_path).text


def test_cell_shows_verdict_and_fate_and_leads_to_its_claim(tmp_path: Path) -> None:
    leaked = cell(1, hazard=True, observed="LEAKED, volume gone", expected="LEAKED, volume gone")
    found = page(tmp_path, cell(0), leaked)
    assert "Matrix: reclaim" in found.text
    assert "LEAKED, volume gone" in found.text
    assert "1 cell marked" in found.text
    assert "expected:" not in found.text
    assert {"#reclaim.0", "#reclaim.1"} <= set(found.having("href"))
    assert {"reclaim.0", "reclaim.1"} <= set(found.having("id"))
    classes = found.having("class")
    assert "pass" in classes
    assert "pass hazard" in classes


def test_cell_that_failed_shows_what_was_expected(tmp_path: Path) -> None:
    found = page(tmp_path, cell(0, Verdict.FAIL, observed="removed", expected="kept"))
    assert "expected: kept" in found.text
    assert "fail" in found.having("class")


def test_text_of_a_cell_is_text(tmp_path: Path) -> None:
    found = page(tmp_path, cell(0, observed=ATTACK, expected=f"\x1b[31m{ATTACK}"))
    assert found.text.count(ATTACK) == 1  # cleaned, both are alike: shown once
    assert found.named("img") == []
