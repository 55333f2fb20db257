"""A seed repeats its binding cases, and a case that fails is shrunk."""

import pytest
from hypothesis.strategies import just

from landfast.binding.model import BindingCase, Create, Pvc
from suites.conformance.binding.cases import cases
from suites.conformance.binding.generation import draw, shrink

BLOCK = "Block"


def asks_for_a_device(case: BindingCase) -> bool:
    return any(isinstance(o, Pvc) and o.volume_mode == BLOCK for o in case.objects())


def test_a_seed_repeats_its_cases() -> None:
    first = draw(cases(), 20, seed=7)
    assert len(first) == len(set(first)) == 20
    assert draw(cases(), 20, seed=7) == first
    assert draw(cases(), 20, seed=8) != first


def test_repeated_cases_are_not_counted() -> None:
    with pytest.raises(ValueError, match="drew only 1 different cases"):
        draw(just(BindingCase(())), 2, seed=7)


def test_a_failing_case_is_shrunk_to_what_makes_it_fail() -> None:
    drawn = draw(cases(), 20, seed=7)
    assert any(map(asks_for_a_device, drawn))
    smallest = shrink(cases(), 20, 7, lambda case: not asks_for_a_device(case))
    assert asks_for_a_device(smallest)
    pvcs = [o for o in smallest.objects() if isinstance(o, Pvc)]
    assert len(pvcs) == 1
    assert all(isinstance(op, Create) for stage in smallest.stages for op in stage)
    assert len(list(smallest.objects())) <= 3


def test_the_first_to_fail_is_one_of_those_drawn() -> None:
    drawn = draw(cases(), 20, seed=7)
    asked: list[BindingCase] = []

    def agrees(case: BindingCase) -> bool:
        asked.append(case)
        return not asks_for_a_device(case)

    shrink(cases(), 20, 7, agrees)
    before = asked[: next(n for n, s in enumerate(asked) if asks_for_a_device(s)) + 1]
    different = list(dict.fromkeys(before))
    assert different == drawn[: len(different)]


def test_what_agrees_cannot_be_shrunk() -> None:
    with pytest.raises(ValueError, match="all of these cases agree"):
        shrink(cases(), 10, 7, lambda _case: True)
