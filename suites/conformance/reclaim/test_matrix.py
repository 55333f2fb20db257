"""The reclaim matrix, a test a cell: the API and the server agree with the contract."""

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet

from landfast.kube.client import KubeError
from landfast.provisioning.contract import ClassSettings, Fate, Line, fate, static_fate
from landfast.provisioning.volumes import Volume, prepared, provisioned, storage_class
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from suites.conformance.reclaim.conftest import Record
from suites.conformance.reclaim.matrix import DYNAMIC, REFUSED, STATIC, Cell


def rows(cells: Iterable[Cell]) -> list[ParameterSet]:
    """Give cells as parameters, each with its claim."""
    return [pytest.param(c, id=c.slug, marks=pytest.mark.claim(c.claim)) for c in cells]


def reclaim(
    volume: Volume,
    settings: ClassSettings,
    expected: Fate,
    record: Record,
    step: StepFunction,
    observe: ObserveFunction,
) -> None:
    """Write into a volume, delete its claim, and fail if the end is not what is expected."""
    record.expected = volume.in_words(expected)
    observe(f"volume {volume.name}, path {volume.path}; expected: {expected}")
    with step("write a file into the volume, delete the claim"):
        volume.write()
        volume.delete_claim()
    try:
        with step(f"wait for the volume to be {expected.phase}"):
            volume.wait_for(expected.phase)
    finally:
        seen = volume.look()
        found = volume.end(settings, seen)
        record.observed, record.hazard = volume.in_words(found), found.hazard
        observe(f"{found.outcome}: {seen}; events: {list(seen.events)}")
    if difference := seen.difference(expected):
        pytest.fail(difference)


@pytest.mark.parametrize("row", rows(STATIC))
def test_prepared_volume_ends_as_its_policy_says(
    row: Cell,
    provisioner: Stack,
    contract_line: Line,
    sabotaged: bool,
    record: Record,
    step: StepFunction,
    observe: ObserveFunction,
) -> None:
    written = row.twin(contract_line) if sabotaged else row.settings
    expected = static_fate(row.settings.reclaim_policy, row.slug)
    with prepared(provisioner, row.slug, written) as volume:
        reclaim(volume, row.settings, expected, record, step, observe)


@pytest.mark.parametrize("row", rows(DYNAMIC))
def test_provisioned_volume_ends_as_its_class_says(
    row: Cell,
    provisioner: Stack,
    contract_line: Line,
    sabotaged: bool,
    record: Record,
    step: StepFunction,
    observe: ObserveFunction,
) -> None:
    written = row.twin(contract_line) if sabotaged else row.settings
    root = provisioner.overlay.root
    with provisioned(provisioner, row.slug, written) as volume:
        expected = fate(contract_line, row.settings, volume.pvc, volume.name, root)
        misplaced = volume.misplaced(contract_line, row.settings)
        assert volume.on_export, misplaced
        reclaim(volume, row.settings, expected, record, step, observe)
    assert not misplaced, misplaced


@pytest.mark.parametrize("row", rows([REFUSED]))
def test_class_with_policy_recycle_is_refused(
    row: Cell,
    provisioner: Stack,
    contract_line: Line,
    sabotaged: bool,
    record: Record,
    observe: ObserveFunction,
) -> None:
    written = row.twin(contract_line) if sabotaged else row.settings
    record.expected, record.observed = "the class is refused", "the class is accepted"
    refused = provisioner.fit(storage_class(row.slug, written))
    with pytest.raises(KubeError, match="reclaimPolicy") as refusal:
        provisioner.kube.create(refused, dry_run=True)
    record.observed = "the class is refused"
    observe(f"the API says {refusal.value.code}: {refusal.value.message}")
