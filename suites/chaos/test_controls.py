"""Controls: what must not pass does not. A checker that never says no proves nothing."""

import pytest

from fixtures.session import Run
from landfast.errors import LandfastError
from landfast.faults.base import Site
from landfast.faults.rollback import Rollback
from landfast.mysql.history import FinalReading
from landfast.mysql.ledger import Ledger
from landfast.results import Survival
from landfast.steps import Steps
from landfast.survival.run import survive
from landfast.verdict import Unknown, Verdict
from suites.chaos.marks import rows, scenario
from suites.chaos.present import count_present
from suites.chaos.scenarios import LOSING, SCENARIOS, SWAPPED

pytestmark = pytest.mark.xdist_group("chaos")


@pytest.mark.parametrize("scenario", rows(LOSING))
def test_losses_are_found(shown: Survival, site: Site, test: Steps) -> None:
    if shown.verdict is Verdict.UNKNOWN:
        raise Unknown("; ".join(shown.reasons))
    assert shown.ledger.counts.lost > 0, "nothing was lost, or Landfast did not find it"
    assert shown.verdict is Verdict.FAIL
    present = count_present(site.stack.mysql, shown.ledger.lost)
    test.observe(f"queried one by one, {present} of the rows reported as lost exist")
    assert present == 0


@pytest.mark.parametrize("scenario", rows(SWAPPED))
def test_new_data_directory_is_noticed(shown: Survival, test: Steps) -> None:
    said = "; ".join(shown.reasons)
    if not shown.effect:
        raise Unknown(said)
    test.observe(f"{shown.verdict}: {said}")
    failed = shown.verdict is Verdict.FAIL
    assert failed, said
    assert "silently re-initialised" in said


@scenario("control-dropped-reads", "UNKNOWN, as nothing was read", seconds=25, telling=15)
def test_ledger_that_is_not_read_is_unknown(
    site: Site, rollback: Rollback, run: Run, test: Steps, sabotaged: bool
) -> None:
    killed = next(row for row in SCENARIOS if row.name == "mysqld-sigkill")
    folder = run.folder / "survival" / "control-dropped-reads"
    read = Ledger.read if sabotaged else _drop
    survival = survive(killed, site, rollback, folder, test.step, read=read)
    test.observe(f"{survival.verdict}: {'; '.join(survival.reasons)}")
    assert survival.verdict is Verdict.UNKNOWN


def _drop(_ledger: Ledger) -> FinalReading:
    raise LandfastError("dropped on purpose")
