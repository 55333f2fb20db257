"""The matrix, one test per cell: the API and the server must agree with the contract."""

import pytest

from fixtures.csi import CsiBench
from landfast.steps import Steps
from suites.conformance.csi.matrix import CELLS, CsiCell
from suites.refusals import refused
from suites.tables import each

pytestmark = pytest.mark.xdist_group("csi")


@each("cell", [cell for cell in CELLS if cell.refusal is None])
def test_volume_ends_as_its_policy_and_class_say(
    cell: CsiCell, csi: CsiBench, sabotaged: bool
) -> None:
    settings = csi.placed(cell.settings)
    made = csi.placed(cell.twin()) if sabotaged else settings
    with csi.volume(cell.slug, made) as volume:
        assert not (misplaced := csi.misplaced(volume, settings)), misplaced
        csi.reclaim(volume, csi.fate(volume, settings))


@each("cell", [cell for cell in CELLS if cell.refusal])
def test_class_that_the_driver_cannot_read_makes_no_volume(
    cell: CsiCell, csi: CsiBench, sabotaged: bool, test: Steps
) -> None:
    settings = csi.placed(cell.twin() if sabotaged else cell.settings)
    messages = refused(csi.stack, cell.slug, settings, test)
    made = csi.stack.export.list(depth=1)
    test.observe(f"the server has {[*made] or 'no directory'}")
    assert cell.refusal is not None
    assert cell.refusal in messages[-1]
    assert not made, "a directory was made for a PVC that was refused"
