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

    def mark(test: T) -> T:
        for one in _marks(f"chaos.{name}", name, expected, seconds, telling, None):
            test = one(test)
        return test

    return mark


def rows(scenarios: list[Scenario]) -> list[Any]:
    """Return the scenarios of a table as parameters."""
    found = []
    for row in scenarios:
        claim = Claim(id=f"chaos.{row.name}", text=row.claim, source=row.source)
        marks = _marks(claim, row.name, row.requirement, row.seconds, row.telling, row.tier)
        found.append(pytest.param(row, id=row.name, marks=marks))
    return found


def _marks(
    claim: Claim | str, name: str, expected: str, seconds: int, telling: int, tier: Tier | None
) -> list[pytest.MarkDecorator]:
    row = {"name": name, "expected": expected, "seconds": seconds, "telling": telling, "tier": tier}
    return [pytest.mark.claim(claim), pytest.mark.scenario(**row)]
