"""The reclaim matrix: enough cells, each with a claim and a twin that must go red."""

import pytest

from landfast.provisioning.contract import Line, PvcMeta, directory, fate
from suites.conformance.reclaim.matrix import CELLS, DYNAMIC, STATIC, ReclaimCell


def test_there_are_enough_cells_and_no_two_alike() -> None:
    assert len(CELLS) == len({cell.claim.id for cell in CELLS}) >= 60
    assert len({tuple(cell.axes.items()) for cell in CELLS}) == len(CELLS)


@pytest.mark.parametrize("line", Line)
@pytest.mark.parametrize("cell", DYNAMIC, ids=lambda cell: cell.slug)
def test_twin_is_one_input_away_and_ends_otherwise(cell: ReclaimCell, line: Line) -> None:
    twin = cell.twin(line)
    names = ("reclaim_policy", "archive_on_delete", "on_delete", "path_pattern")
    assert sum(getattr(twin, name) != getattr(cell.settings, name) for name in names) == 1

    def seen(settings: object) -> tuple[object, ...]:
        arguments = (line, settings, PvcMeta("ns", "pvc"), "pv")
        end = fate(*arguments, "/export")  # type: ignore[arg-type]
        return directory(*arguments), end.data, end.phase  # type: ignore[arg-type]

    assert seen(twin) != seen(cell.settings)


@pytest.mark.parametrize("cell", STATIC, ids=lambda cell: cell.slug)
def test_twin_of_a_prepared_volume_has_another_policy(cell: ReclaimCell) -> None:
    assert cell.twin(Line.V402).reclaim_policy != cell.settings.reclaim_policy


def test_claim_names_both_lines_where_they_differ() -> None:
    for cell in CELLS:
        assert cell.differs is ("(v4.0.2)" in cell.claim.text)
    assert sum(cell.differs for cell in CELLS) == 20
