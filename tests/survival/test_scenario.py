"""A scenario's words, and which ones are taken for a budget."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from survival_fakes import fake_scenario

from landfast.faults.nfs_server import NfsFreeze
from landfast.results import ScenarioSummary
from landfast.survival.scenario import Expected, within

Item = Mapping[str, Any]
"""A scenario as `within` sees it."""


def item(seconds: int, telling: int) -> Item:
    return {"seconds": seconds, "telling": telling}


ITEMS = st.lists(st.builds(item, st.integers(1, 60), st.integers(0, 5)), max_size=12)
BUDGETS = st.integers(0, 200)


def choose(items: list[Item], budget: float) -> list[int]:
    """Return the places of the items that are chosen."""
    numbered: list[Item] = [{**row, "place": place} for place, row in enumerate(items)]
    return [row["place"] for row in within(numbered, budget)]


@given(ITEMS, BUDGETS)
def test_never_over_budget(items: list[Item], budget: int) -> None:
    assert sum(row["seconds"] for row in within(items, budget)) <= budget


@given(ITEMS, BUDGETS)
def test_scenarios_keep_their_order(items: list[Item], budget: int) -> None:
    places = choose(items, budget)
    assert places == sorted(set(places))
    assert [items[place] for place in places] == within(items, budget)


@given(ITEMS, BUDGETS)
def test_what_is_left_out_does_not_fit_beside_the_more_telling(
    items: list[Item], budget: int
) -> None:
    places = choose(items, budget)
    for place in set(range(len(items))) - set(places):
        out = items[place]
        better = [items[p]["seconds"] for p in places if items[p]["telling"] >= out["telling"]]
        assert out["seconds"] > budget - sum(better)


@given(ITEMS)
def test_everything_is_taken_if_there_is_time(items: list[Item]) -> None:
    assert within(items, sum(row["seconds"] for row in items)) == items


def test_a_telling_scenario_is_taken_before_two_that_tell_less() -> None:
    items = [item(5, 1), item(5, 1), item(10, 2)]
    assert within(items, 10) == [item(10, 2)]


def test_of_equally_telling_ones_the_shorter_comes_first() -> None:
    assert within([item(9, 1), item(4, 1)], 10) == [item(4, 1)]


def test_two_that_look_alike_are_two() -> None:
    assert within([item(6, 1), item(6, 1)], 10) == [item(6, 1)]
    assert within([item(6, 1), item(6, 1)], 12) == [item(6, 1)] * 2


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (Expected(gap=40), "nothing acknowledged is lost, no gap over 40 s"),
        (Expected(gap=2.5, errors=False), "nothing acknowledged is lost, no error, no gap over 2."),
        (
            Expected(gap=5, errors=False, during=True),
            "nothing acknowledged is lost, no error, writes go on, no gap over 5 s",
        ),
        (
            Expected(gap=5, ends=True),
            "nothing acknowledged is lost, mysqld notices and ends, no gap over 5 s",
        ),
    ],
)
def test_an_expectation_in_words(expected: Expected, text: str) -> None:
    assert str(expected).startswith(text)


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({}, ""),
        ({"variables": {"innodb_x": "0"}}, " (innodb_x=0)"),
        ({"mode": "lying"}, " (the server lies about stable storage)"),
        ({"mode": "clock"}, ""),
        ({"when": "recovering"}, " (while MySQL recovers)"),
        (
            {"when": "recovering", "mode": "lying", "variables": {"a": "1", "b": "2"}},
            " (a=1, b=2, the server lies about stable storage, while MySQL recovers)",
        ),
    ],
)
def test_what_is_broken_in_words(changes: dict[str, Any], how: str) -> None:
    assert fake_scenario(**changes).text == f"nothing is broken{how}"


def test_a_scenario_is_a_claim_with_its_source() -> None:
    scenario = fake_scenario(tier="L4")
    assert scenario.claim == (
        "MySQL MUST survive when this breaks: nothing is broken; "
        "nothing acknowledged is lost, no gap over 5 s."
    )
    assert scenario.source.startswith("crash tier L4; nfs(5)")
    assert fake_scenario().source.startswith("nfs(5)")


def test_a_control_must_be_found_out() -> None:
    scenario = fake_scenario(control=True, tier="L2")
    assert scenario.claim == "Landfast MUST find what is lost when this breaks: nothing is broken."
    assert scenario.requirement == "a FAIL: Landfast finds what is lost"
    assert scenario.source.startswith("a negative control")


def test_the_journal_has_the_scenario() -> None:
    assert fake_scenario(tier="L1").summary() == ScenarioSummary(
        name="fake-scenario",
        fault="fake",
        tier="L1",
        text="nothing is broken",
        expected="nothing acknowledged is lost, no gap over 5 s",
        hold=0,
        control=False,
    )


def test_what_does_not_last_is_not_held_and_what_lasts_is() -> None:
    with pytest.raises(ValueError, match="^fake-scenario: faults that last, and only those"):
        fake_scenario(hold=1)
    with pytest.raises(ValueError, match="and only those, have a hold$"):
        fake_scenario(NfsFreeze)
    assert fake_scenario(NfsFreeze, hold=1).hold == 1
