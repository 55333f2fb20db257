"""Every scenario of the table: break it under load, heal it, and count what was lost."""

import pytest

from landfast.results import Survival
from landfast.verdict import Unknown, Verdict
from suites.chaos.marks import rows
from suites.chaos.scenarios import SCENARIOS

pytestmark = pytest.mark.xdist_group("chaos")


@pytest.mark.parametrize("scenario", rows(SCENARIOS))
def test_mysql_survives(shown: Survival) -> None:
    conclude(shown)


def conclude(shown: Survival) -> None:
    """Judge a test by what its scenario showed."""
    said = "; ".join(shown.reasons)
    if shown.verdict is Verdict.UNKNOWN:
        raise Unknown(said)
    passed = shown.verdict is Verdict.PASS
    assert passed, said
