"""Every scenario of the table: break it under load, heal it, and count what was lost."""

from dataclasses import replace
from typing import Any

import pytest

from fixtures.session import Run
from landfast.claims import Claim
from landfast.faults.base import Fault, Site
from landfast.faults.rollback import Rollback
from landfast.journal import SurvivalShown
from landfast.steps import ObserveFunction, StepFunction
from landfast.survival.model import Survival
from landfast.survival.plan import Plan
from landfast.survival.run import survive
from landfast.verdict import Unknown, Verdict
from suites.chaos.present import count_present
from suites.chaos.scenarios import CONTROLS, PLANS

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


def without_effect(fault: type[Fault]) -> type[Fault]:
    """Give the fault whose injection does nothing: it must not be taken for one that works."""
    return type(f"{fault.__name__}WithoutEffect", (fault,), {"inject": lambda _self: None})


@pytest.fixture
def shown(
    plan: Plan,
    site: Site,
    rollback: Rollback,
    run: Run,
    step: StepFunction,
    observe: ObserveFunction,
    sabotaged: bool,
    request: pytest.FixtureRequest,
) -> Survival:
    """What the scenario showed; it is in the journal, and its history in the run's folder."""
    if sabotaged:
        plan = replace(plan, fault=without_effect(plan.fault))
    survival = survive(plan, site, rollback, run.folder / "survival" / plan.name, step)
    run.journal.write(SurvivalShown(test=request.node.nodeid, survival=survival))
    observe(f"effect: {survival.effect or 'none was proven'}")
    observe(f"healed: {survival.healing or 'that was not proven'}")
    counts, seen = survival.ledger.counts, survival.availability
    observe(
        f"{counts.acknowledged} writes acknowledged, {counts.lost} lost, {counts.recovered} of "
        f"{counts.uncertain} uncertain ones recovered; longest gap {seen.gap:.1f} s, "
        f"{seen.errors} errors"
    )
    for line in survival.identity:
        observe(line)
    return survival


@pytest.mark.parametrize("plan", rows(PLANS))
def test_mysql_survives(shown: Survival) -> None:
    if shown.verdict is Verdict.UNKNOWN:
        raise Unknown("; ".join(shown.reasons))
    assert shown.verdict is Verdict.PASS, "; ".join(shown.reasons)


@pytest.mark.parametrize("plan", rows(CONTROLS))
def test_losses_are_found(shown: Survival, site: Site, observe: ObserveFunction) -> None:
    if shown.verdict is Verdict.UNKNOWN:
        raise Unknown("; ".join(shown.reasons))
    assert shown.ledger.counts.lost > 0, "nothing was lost, or Landfast did not find it"
    assert shown.verdict is Verdict.FAIL
    present = count_present(site.stack.mysql, shown.ledger.lost)
    observe(f"asked for one by one, {present} of the rows that are said to be lost are there")
    assert present == 0
