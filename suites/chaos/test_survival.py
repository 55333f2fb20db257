"""Every scenario of the table: break it under load, heal it, and count what was lost."""

from typing import Any

import pytest

from landfast.claims import Claim
from landfast.results import Survival
from landfast.survival.scenario import Scenario
from landfast.verdict import Unknown, Verdict
from suites.chaos.scenarios import SCENARIOS

pytestmark = pytest.mark.xdist_group("chaos")


def rows(scenarios: list[Scenario]) -> list[Any]:
    """Return the scenarios as parameters, each with its claim."""
    return [
        pytest.param(
            row,
            id=row.name,
            marks=[
                pytest.mark.claim(Claim(id=f"chaos.{row.name}", text=row.claim, source=row.source)),
                pytest.mark.scenario(
                    name=row.name,
                    expected=row.requirement,
                    seconds=row.seconds,
                    telling=row.telling,
                    tier=row.tier,
                ),
            ],
        )
        for row in scenarios
    ]


@pytest.mark.parametrize("scenario", rows(SCENARIOS))
def test_mysql_survives(shown: Survival) -> None:
    conclude(shown)


def conclude(shown: Survival, because: str = "") -> None:
    """Judge a test by what its scenario showed; `because` is added to the reasons."""
    said = "; ".join(shown.reasons) + because
    if shown.verdict is Verdict.UNKNOWN:
        raise Unknown(said)
    passed = shown.verdict is Verdict.PASS
    assert passed, said
