"""Scenarios that nobody thought of: drawn by hypothesis, tried on the cluster, and compared."""

import time

import pytest

from fixtures.verdicts import Judgement
from landfast.binding.trial import Trial
from landfast.settings import Settings
from suites.conformance.binding.comparison import Comparison
from suites.conformance.binding.generation import Scenarios, draw
from suites.conformance.binding.scenarios import default_class_scenarios, scenarios

_ONE_IN = 30  # those with default classes go one at a time, two seconds each


@pytest.mark.claim("binding.generated-scenarios-agree-with-the-oracle")
def test_generated_scenarios_agree_with_the_oracle(
    trial: Trial, settings: Settings, judgement: Judgement
) -> None:
    count = settings.scenarios - _with_default_class(settings)
    compare(scenarios(), count, trial, settings, judgement)


@pytest.mark.xdist_group("default-class")
@pytest.mark.usefixtures("own_default_classes")
@pytest.mark.claim("binding.generated-default-classes-agree-with-the-oracle")
def test_generated_default_classes_agree_with_the_oracle(
    trial: Trial, settings: Settings, judgement: Judgement
) -> None:
    count = _with_default_class(settings)
    compare(default_class_scenarios(), count, trial, settings, judgement)


def _with_default_class(settings: Settings) -> int:
    return settings.scenarios // _ONE_IN or 1


def compare(
    strategy: Scenarios, count: int, trial: Trial, settings: Settings, judgement: Judgement
) -> None:
    """Try scenarios on the cluster and hold each outcome to the oracle."""
    step, observe = judgement.steps.step, judgement.steps.observe
    seed = settings.seed or 0
    comparison = Comparison(trial)
    with step(f"draw {count} scenarios with seed {seed}"):
        drawn = draw(strategy, count, seed)
    started = time.monotonic()
    with step("try them on the cluster"):
        comparison.try_all(drawn)
    rate = len(drawn) / (time.monotonic() - started)
    wrong = comparison.disagreements()
    observe(f"{len(drawn) - len(wrong)} of {len(drawn)} agree (seed {seed}; {rate:.1f} a second)")
    if wrong:
        with step("shrink the first that does not"):
            smallest = comparison.smallest(strategy, count, seed)
        said = comparison.describe(smallest)
        judgement.steps.attach("disagreement", said)
        again = f"--scenarios {settings.scenarios} --seed {seed}"
        raise AssertionError(f"{len(wrong)} scenarios disagree ({again}); the smallest:\n{said}")
