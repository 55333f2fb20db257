"""What the steps of the walkthrough pass on to the next ones: the state, and that one failed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from fixtures.claims import claim_of
from fixtures.verdicts import Judgement
from landfast.mysql.client import Identity
from landfast.verdict import Unknown, Verdict
from suites.conformance.walkthrough.sabotage import IN_ORDER


@dataclass
class Walk:
    """What earlier steps on the reference stack have seen."""

    done: int = 0
    """how many steps this process has run"""
    identity: Identity | None = None
    """MySQL, as it was when it was new"""
    files: set[str] = field(default_factory=set)
    """MySQL's data files on the server, below its folder"""
    failed: str = ""
    """the first step that did not pass, and its verdict"""

    @property
    def server_uuid(self) -> str:
        """Which data directory MySQL began with."""
        if self.identity is None:
            raise Unknown("the step in which MySQL is created was not run")
        return self.identity.server_uuid


@pytest.fixture(scope="session")
def walk() -> Walk:
    """What earlier steps have seen."""
    return Walk()


@pytest.fixture(autouse=True)
def earlier_steps(
    request: pytest.FixtureRequest, judgement: Judgement, walk: Walk
) -> Iterator[None]:
    """Give no verdict on a step of the one stack once an earlier one has failed there."""
    claim = claim_of(request.node)
    if claim.id not in IN_ORDER:
        yield
        return
    if walk.done != list(IN_ORDER).index(claim.id):
        raise Unknown(
            "not every step before it was run in this process; does --dist loadgroup lack?"
        )
    walk.done += 1
    if walk.failed:
        raise Unknown(walk.failed)
    yield
    if judgement.verdict is not Verdict.PASS:
        walk.failed = f"{claim.source.partition(';')[0]} was {judgement.verdict} before: {claim.id}"
