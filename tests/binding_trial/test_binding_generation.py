"""Scenarios come again from their seed, and one that fails becomes small."""

import pytest
from hypothesis.strategies import just

from landfast.binding.model import Create, Pvc, Scenario
from suites.conformance.binding.generation import draw, shrink
from suites.conformance.binding.scenarios import scenarios

BLOCK = "Block"


def asks_for_a_device(scenario: Scenario) -> bool:
    return any(isinstance(o, Pvc) and o.volume_mode == BLOCK for o in scenario.objects())


def test_one_seed_gives_the_same_scenarios() -> None:
    first = draw(scenarios(), 40, seed=7)
    assert len(first) == len(set(first)) == 40
    assert draw(scenarios(), 40, seed=7) == first
    assert draw(scenarios(), 40, seed=8) != first


def test_scenarios_that_are_not_there_are_not_counted() -> None:
    with pytest.raises(ValueError, match="only 1 different scenarios"):
        draw(just(Scenario(())), 2, seed=7)


def test_a_scenario_that_fails_is_shrunk_to_what_makes_it_fail() -> None:
    drawn = draw(scenarios(), 40, seed=7)
    assert any(map(asks_for_a_device, drawn))
    smallest = shrink(scenarios(), 40, 7, lambda scenario: not asks_for_a_device(scenario))
    assert asks_for_a_device(smallest)
    claims = [o for o in smallest.objects() if isinstance(o, Pvc)]
    assert len(claims) == 1
    assert all(isinstance(op, Create) for stage in smallest.stages for op in stage)
    assert len(list(smallest.objects())) <= 3


def test_the_first_to_fail_is_one_of_those_drawn() -> None:
    drawn = draw(scenarios(), 40, seed=7)
    asked: list[Scenario] = []

    def agrees(scenario: Scenario) -> bool:
        asked.append(scenario)
        return not asks_for_a_device(scenario)

    shrink(scenarios(), 40, 7, agrees)
    before = asked[: next(n for n, s in enumerate(asked) if asks_for_a_device(s)) + 1]
    different = list(dict.fromkeys(before))
    assert different == drawn[: len(different)]


def test_what_agrees_cannot_be_shrunk() -> None:
    with pytest.raises(ValueError, match="all of these scenarios agree"):
        shrink(scenarios(), 10, 7, lambda _scenario: True)
