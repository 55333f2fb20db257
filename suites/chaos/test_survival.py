"""Every scenario of the table: break it under load, heal it, and count what was lost."""

from typing import Any

import pytest

from landfast.claims import Claim
from landfast.survival.model import Survival
from landfast.survival.plan import Plan
from landfast.verdict import Unknown, Verdict
from suites.chaos.scenarios import PLANS

pytestmark = pytest.mark.xdist_group("chaos")


def rows(plans: list[Plan]) -> list[Any]:
    """Give the scenarios as parameters, each with its claim."""
    return [
        pytest.param(
            plan,
            id=plan.name,
            marks=[
                pytest.mark.claim(
                    Claim(id=f"chaos.{plan.name}", text=plan.claim, source=plan.source)
                ),
                pytest.mark.scenario(
                    name=plan.name,
                    expected=plan.outcome,
                    seconds=plan.seconds,
                    telling=plan.telling,
                    tier=plan.tier,
                ),
            ],
        )
        for plan in plans
    ]


@pytest.mark.parametrize("plan", rows(PLANS))
def test_mysql_survives(shown: Survival) -> None:
    conclude(shown)


def conclude(shown: Survival, because: str = "") -> None:
    """Hold a test to what its scenario showed; `because` is added to the reasons."""
    said = "; ".join(shown.reasons) + because
    if shown.verdict is Verdict.UNKNOWN:
        raise Unknown(said)
    passed = shown.verdict is Verdict.PASS
    assert passed, said
