"""The reclaim matrix of csi-driver-nfs: each cell has a claim and a twin that must go red."""

import pytest

from landfast.provisioning.contract import PvcMeta
from landfast.provisioning.csi_deletion import fate
from suites.conformance.csi.matrix import CELLS, CsiCell

PROVISIONED = [cell for cell in CELLS if cell.refusal is None]


def test_no_two_cells_are_alike() -> None:
    assert len(CELLS) == len({cell.claim.id for cell in CELLS})
    assert len(CELLS) == len({cell.settings for cell in CELLS})
    assert len(CELLS) - len(PROVISIONED) == 3


@pytest.mark.parametrize("cell", PROVISIONED, ids=lambda cell: cell.slug)
def test_twin_is_one_input_away_and_ends_otherwise(cell: CsiCell) -> None:
    twin = cell.twin()
    names = ("reclaim_policy", "on_delete", "sub_dir", "mount_permissions")
    assert sum(getattr(twin, name) != getattr(cell.settings, name) for name in names) == 1
    assert fate(twin, PvcMeta("NAMESPACE", "PVC"), "VOLUME") != cell.end
    assert not cell.end.hazard


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.slug)
def test_claim_says_the_parameters_and_the_end(cell: CsiCell) -> None:
    text = cell.claim.text
    assert "MUST" in text
    assert "SERVER" not in text
    assert (str(cell.end) in text) == (cell.refusal is None)
