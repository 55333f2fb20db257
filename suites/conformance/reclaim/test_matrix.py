"""The reclaim matrix, one test per cell: the API and the server must agree with the contract."""

import pytest

from fixtures.provisioner import Bench
from landfast.kube.client import KubeError
from landfast.provisioning.contract import Line, static_fate
from landfast.provisioning.objects import storage_class
from landfast.provisioning.observed import ObservedVolume
from landfast.provisioning.volumes import prepared, provisioned
from suites.conformance.reclaim.conftest import Record
from suites.conformance.reclaim.matrix import DYNAMIC, REFUSED, STATIC, ReclaimCell
from suites.tables import each


@each("cell", [*STATIC, *DYNAMIC])
def test_volume_ends_as_its_policy_and_class_say(
    cell: ReclaimCell, bench: Bench, sabotaged: bool, record: Record
) -> None:
    static, settings = cell.how == "static", cell.settings
    with bench.volume(
        cell.slug,
        cell.twin(Line.V402 if static else bench.line) if sabotaged else settings,
        make=prepared if static else provisioned,
    ) as volume:
        misplaced = "" if static else volume.misplaced(bench.line, settings)
        assert volume.on_export, misplaced
        expected = (
            static_fate(settings.reclaim_policy, cell.slug)
            if static
            else volume.fate(bench.line, settings)
        )
        record.expected = volume.in_words(expected)

        def keep(seen: ObservedVolume) -> None:
            found = volume.observed_fate(settings, seen)
            record.observed, record.hazard = volume.in_words(found), found.hazard

        bench.reclaim(volume, expected, keep)
    assert not misplaced, misplaced


@each("cell", [REFUSED])
def test_class_with_policy_recycle_is_refused(
    cell: ReclaimCell, bench: Bench, sabotaged: bool, record: Record
) -> None:
    written = cell.twin(Line.V402) if sabotaged else cell.settings
    record.expected, record.observed = "the class is refused", "the class is accepted"
    with pytest.raises(KubeError, match="reclaimPolicy") as refusal:
        bench.stack.kube.create(bench.stack.fit(storage_class(cell.slug, written)), dry_run=True)
    record.observed = "the class is refused"
    bench.steps.observe(f"the API answers {refusal.value.code}: {refusal.value.message}")
