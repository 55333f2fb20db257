"""How a test of the chaos suite says which scenario it runs and which claim that proves."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from landfast.claims import Claim
from landfast.results import Tier
from landfast.survival.scenario import Scenario

T = TypeVar("T", bound=Callable[..., object])


def scenario(name: str, expected: str, *, seconds: int, telling: int) -> Callable[[T], T]:
    """Mark a test as the scenario `name`, which proves the claim `chaos.<name>`."""
    row = _row(name, expected, seconds, telling, None)
    return lambda test: row(pytest.mark.claim(f"chaos.{name}")(test))


def rows(scenarios: list[Scenario]) -> list[Any]:
    """Return the scenarios of a table as parameters."""
    found = []
    for one in scenarios:
        claim = Claim(id=f"chaos.{one.name}", text=one.claim, source=one.source)
        row = _row(one.name, one.requirement, one.seconds, one.telling, one.tier)
        found.append(pytest.param(one, id=one.name, marks=[pytest.mark.claim(claim), row]))
    return found


def _row(
    name: str, expected: str, seconds: int, telling: int, tier: Tier | None
) -> pytest.MarkDecorator:
    return pytest.mark.scenario(
        name=name, expected=expected, seconds=seconds, telling=telling, tier=tier
    )
