"""Binding cases that nobody thought of: drawn by hypothesis, tried on the cluster, and compared."""

import time

import pytest

from fixtures.verdicts import Judgement
from landfast.binding.oracle import expect
from landfast.binding.trial import Trial
from landfast.settings import Settings
from suites.conformance.binding.cases import cases, default_class_cases
from suites.conformance.binding.comparison import Comparison
from suites.conformance.binding.generation import BindingCases, draw
from suites.conformance.binding.sabotage import default_blind, size_blind

_ONE_IN = 30  # cases with default classes run one at a time, two seconds each


@pytest.mark.slow
@pytest.mark.claim("binding.generated-scenarios-agree-with-the-oracle")
def test_generated_cases_agree_with_the_oracle(
    trial: Trial, settings: Settings, judgement: Judgement, sabotaged: bool
) -> None:
    count = settings.binding_cases - _with_default_class(settings)
    comparison = Comparison(trial, size_blind if sabotaged else expect)
    compare(cases(), count, comparison, settings, judgement)


@pytest.mark.xdist_group("default-class")
@pytest.mark.usefixtures("own_default_classes")
@pytest.mark.claim("binding.generated-default-classes-agree-with-the-oracle")
def test_generated_default_classes_agree_with_the_oracle(
    trial: Trial, settings: Settings, judgement: Judgement, sabotaged: bool
) -> None:
    count = _with_default_class(settings)
    comparison = Comparison(trial, default_blind if sabotaged else expect)
    compare(default_class_cases(), count, comparison, settings, judgement)


def _with_default_class(settings: Settings) -> int:
    return settings.binding_cases // _ONE_IN or 1


def compare(
    strategy: BindingCases,
    count: int,
    comparison: Comparison,
    settings: Settings,
    judgement: Judgement,
) -> None:
    """Try cases on the cluster and compare each outcome with the oracle's."""
    step, observe = judgement.steps.step, judgement.steps.observe
    seed = settings.seed or 0
    with step(f"draw {count} binding cases with seed {seed}"):
        drawn = draw(strategy, count, seed)
    started = time.monotonic()
    with step("try them on the cluster"):
        comparison.try_all(drawn)
    rate = len(drawn) / (time.monotonic() - started)
    wrong = comparison.disagreements()
    observe(f"{len(drawn) - len(wrong)} of {len(drawn)} agree (seed {seed}; {rate:.1f} a second)")
    if wrong:
        with step("shrink the first one that disagrees"):
            smallest = comparison.smallest(strategy, count, seed)
        described = comparison.describe(smallest)
        judgement.steps.attach("disagreement", described)
        again = f"--binding-cases {settings.binding_cases} --seed {seed}"
        raise AssertionError(
            f"{len(wrong)} binding cases disagree ({again}); the smallest one:\n{described}"
        )
