"""The table of binding rules: each row tried on the cluster and compared with its expectation."""

import contextlib
from dataclasses import dataclass
from typing import Any

import pytest

from landfast.binding.model import Outcome, PvcPhase
from landfast.binding.objects import as_yaml
from landfast.binding.trial import Trial
from landfast.steps import Steps
from landfast.waiting import NotStable, stays_true
from suites.conformance.binding.comparison import show
from suites.conformance.binding.rules import RULES
from suites.conformance.binding.table import BindingRule
from suites.tables import each

_STAYS_SECONDS = 2  # a Pending PVC has to stay Pending through many looks of the controller


@dataclass(frozen=True)
class Tried:
    """What became of a row's case: once settled, and after the controller has kept looking."""

    yaml: str
    settled: Outcome
    later: Outcome
    events: list[str]


@pytest.fixture(scope="module")
def side_by_side(trial: Trial, request: pytest.FixtureRequest) -> dict[str, Tried]:
    """All selected rows of `test_rule`, tried in one batch, each under its own names."""
    items = [i for i in request.session.items if isinstance(i, pytest.Function)]
    rules: Any = [i.callspec.params["rule"] for i in items if i.originalname == "test_rule"]
    return try_rules(trial, rules, sabotaged=bool(request.config.getoption("--sabotage")))


@pytest.mark.xdist_group("binding-rules")  # one process tries the whole batch
@each("rule", [rule for rule in RULES if not rule.default_class])
def test_rule(rule: BindingRule, side_by_side: dict[str, Tried], test: Steps) -> None:
    judge(rule, side_by_side[rule.name], test)


@pytest.mark.xdist_group("default-class")
@pytest.mark.usefixtures("own_default_classes")
@each("rule", [rule for rule in RULES if rule.default_class])
def test_default_class_rule(rule: BindingRule, trial: Trial, sabotaged: bool, test: Steps) -> None:
    with test.step("create and delete, stage by stage"):
        tried = try_rules(trial, [rule], sabotaged=sabotaged)
    judge(rule, tried[rule.name], test)


def try_rules(trial: Trial, rules: list[BindingRule], *, sabotaged: bool) -> dict[str, Tried]:
    """Return by name what becomes of rows, or of their sabotaged twins."""
    cases = [rule.twin_case if sabotaged else rule.case for rule in rules]
    with trial.applied(cases) as batch:
        settled = batch.outcomes()
        is_pending = any(pvc.phase == PvcPhase.PENDING for o in settled for pvc in o.pvcs)
        with contextlib.suppress(NotStable):  # each row compares its own two outcomes
            stays_true(
                "what has settled stays so while the controller keeps looking",
                batch.look_again,
                holds=settled.__eq__,
                seconds=_STAYS_SECONDS if is_pending else 0,
            )
        tried = zip(map(as_yaml, cases), settled, batch.outcomes(), batch.events(), strict=True)
        return {rule.name: Tried(*seen) for rule, seen in zip(rules, tried, strict=True)}


def judge(rule: BindingRule, tried: Tried, test: Steps) -> None:
    """Compare what became of a row with what it expects."""
    test.attach("binding case", tried.yaml)
    for state in show(tried.settled):
        test.observe(state)
    for event in tried.events:
        test.observe(f"event: {event}")
    difference = rule.difference(tried.settled)
    assert difference is None, difference
    assert tried.later == tried.settled, f"it did not stay so: {', '.join(show(tried.later))}"
