"""Binding cases from hypothesis: the same ones for the same seed, and the smallest that fails."""

from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis.strategies import SearchStrategy

from landfast.binding.model import BindingCase

BindingCases = SearchStrategy[BindingCase]

_DRAWN = 2  # times as many as wanted: about a fifth are repetitions


def draw(cases: BindingCases, count: int, seed: int) -> list[BindingCase]:
    """Return `count` different cases; the same ones for the same seed.

    Raises:
        ValueError: the strategy does not have that many.
    """
    drawn: list[BindingCase] = []
    _for_each(cases, count, seed, drawn.append, Phase.generate)
    different = list(dict.fromkeys(drawn))[:count]
    if len(different) < count:
        raise ValueError(f"drew only {len(different)} different cases, not {count}")
    return different


def shrink(
    cases: BindingCases, count: int, seed: int, agrees: Callable[[BindingCase], bool]
) -> BindingCase:
    """Return the smallest case found that does not agree.

    Hypothesis draws the same cases again, and shrinks the first for which `agrees` is false. It
    asks several times about the same case: the answer must stay the same.
    """
    failing: list[BindingCase] = []

    def check(case: BindingCase) -> None:
        if not agrees(case):
            failing.append(case)
            raise _DisagreesError

    try:
        _for_each(cases, count, seed, check, Phase.generate, Phase.shrink)
    except _DisagreesError:
        return failing[-1]  # hypothesis ends with the smallest
    raise ValueError("all of these cases agree")


class _DisagreesError(Exception):
    """What hypothesis looks for."""


def _for_each(
    cases: BindingCases, count: int, seed: int, do: Callable[[BindingCase], None], *phases: Phase
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
    @given(cases)
    def each(case: BindingCase) -> None:
        do(case)

    each()
