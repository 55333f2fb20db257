"""The table of binding rules: each row is tried on the cluster and held to its expectation."""

import contextlib
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.verdicts import Judgement
from landfast.binding.model import Outcome
from landfast.binding.objects import as_yaml
from landfast.binding.trial import Trial
from landfast.waiting import NotStable, stays_true
from suites.conformance.binding.rules import RULES
from suites.conformance.binding.show import show
from suites.conformance.binding.table import Rule

_STAYS_SECONDS = 2


@dataclass(frozen=True)
class Tried:
    """What became of a row's scenario: settled, and after the controller has gone on looking."""

    yaml: str
    settled: Outcome
    later: Outcome
    said: list[str]


def rows(*, default_class: bool) -> list[Any]:
    """Give the rows that need the cluster's default classes for themselves, or the others."""
    return [
        pytest.param(rule, id=rule.claim.id.partition(".")[2], marks=pytest.mark.claim(rule.claim))
        for rule in RULES
        if rule.default_class == default_class
    ]


@pytest.fixture(scope="module")
def side_by_side(trial: Trial, request: pytest.FixtureRequest) -> dict[str, Tried]:
    """Every row of this run that goes with others, tried in one batch: each in names of its own."""
    items = [i for i in request.session.items if isinstance(i, pytest.Function)]
    rules: Any = [i.callspec.params["rule"] for i in items if i.originalname == "test_rule"]
    return try_rules(trial, rules, sabotaged=bool(request.config.getoption("--sabotage")))


@pytest.mark.xdist_group("binding-rules")  # one process tries the whole batch
@pytest.mark.parametrize("rule", rows(default_class=False))
def test_rule(rule: Rule, side_by_side: dict[str, Tried], judgement: Judgement) -> None:
    hold(rule, side_by_side[rule.claim.id], judgement)


@pytest.mark.xdist_group("default-class")
@pytest.mark.usefixtures("own_default_classes")
@pytest.mark.parametrize("rule", rows(default_class=True))
def test_default_class_rule(
    rule: Rule, trial: Trial, sabotaged: bool, judgement: Judgement
) -> None:
    with judgement.steps.step("create and delete, stage by stage"):
        tried = try_rules(trial, [rule], sabotaged=sabotaged)
    hold(rule, tried[rule.claim.id], judgement)


def try_rules(trial: Trial, rules: list[Rule], *, sabotaged: bool) -> dict[str, Tried]:
    """Give by claim what becomes of rows, or of their sabotaged twins."""
    scenarios = [rule.twin_scenario if sabotaged else rule.scenario for rule in rules]
    with trial.applied(scenarios) as batch:
        settled = batch.outcomes()
        with contextlib.suppress(NotStable):  # the row that changed says so itself
            stays_true(
                "what has settled stays so while the controller goes on looking",
                batch.look_again,
                holds=settled.__eq__,
                seconds=_STAYS_SECONDS if any(rule.pending for rule in rules) else 0,
            )
        tried = zip(map(as_yaml, scenarios), settled, batch.outcomes(), batch.said(), strict=True)
        return {rule.claim.id: Tried(*seen) for rule, seen in zip(rules, tried, strict=True)}


def hold(rule: Rule, tried: Tried, judgement: Judgement) -> None:
    """Hold what became of a row to what it expects."""
    observe = judgement.steps.observe
    judgement.steps.attach("scenario", tried.yaml)
    for state in show(tried.settled):
        observe(state)
    for said in tried.said:
        observe(f"event: {said}")
    difference = rule.holds(tried.settled)
    assert difference is None, difference
    assert tried.later == tried.settled, f"it did not stay so: {', '.join(show(tried.later))}"
