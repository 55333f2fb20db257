"""Scenarios drawn by hypothesis: the same ones from the same seed, and the smallest that fails."""

from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis.strategies import SearchStrategy

from landfast.binding.model import Scenario

Scenarios = SearchStrategy[Scenario]

_DRAWN = 2  # times as many as are wanted: about a fifth have been drawn before


def draw(scenarios: Scenarios, count: int, seed: int) -> list[Scenario]:
    """Give `count` scenarios, no two alike; the same ones for the same seed.

    Raises:
        ValueError: there are not as many.
    """
    drawn: list[Scenario] = []
    _for_each(scenarios, count, seed, drawn.append, Phase.generate)
    different = list(dict.fromkeys(drawn))[:count]
    if len(different) < count:
        raise ValueError(f"only {len(different)} different scenarios were drawn, not {count}")
    return different


def shrink(
    scenarios: Scenarios, count: int, seed: int, agrees: Callable[[Scenario], bool]
) -> Scenario:
    """Give the smallest scenario found that does not agree.

    Hypothesis draws the same scenarios once more, and shrinks the first for which `agrees` is not
    true. It asks several times for one scenario: the answer must stay the same.
    """
    failing: list[Scenario] = []

    def check(scenario: Scenario) -> None:
        if not agrees(scenario):
            failing.append(scenario)
            raise _DisagreesError

    try:
        _for_each(scenarios, count, seed, check, Phase.generate, Phase.shrink)
    except _DisagreesError:
        return failing[-1]  # hypothesis ends with the smallest
    raise ValueError("all of these scenarios agree")


class _DisagreesError(Exception):
    """What hypothesis looks for."""


def _for_each(
    scenarios: Scenarios,
    count: int,
    seed: int,
    do: Callable[[Scenario], None],
    *phases: Phase,
) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=_DRAWN * count,
        phases=phases,
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(scenarios)
    def each(scenario: Scenario) -> None:
        do(scenario)

    each()
