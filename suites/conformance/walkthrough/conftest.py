"""What the steps of the walkthrough pass on: what they saw, and that one did not pass."""

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
    """What earlier steps on the reference stack saw."""

    done: int = 0
    """how many steps this process ran"""
    identity: Identity | None = None
    """MySQL, as it was when it was new"""
    files: set[str] = field(default_factory=set)
    """MySQL's data files on the server, below its folder"""
    failed: str = ""
    """the first step that did not pass, and its verdict"""

    @property
    def server_uuid(self) -> str:
        """The data directory that MySQL began with."""
        if self.identity is None:
            raise Unknown("the step that creates MySQL did not run")
        return self.identity.server_uuid


@pytest.fixture(scope="session")
def walk() -> Walk:
    return Walk()


@pytest.fixture(autouse=True)
def earlier_steps(
    request: pytest.FixtureRequest, judgement: Judgement, walk: Walk
) -> Iterator[None]:
    """Refuse a verdict on a step of the one stack after an earlier one that did not pass."""
    claim = claim_of(request.node)
    if claim.id not in IN_ORDER:
        yield
        return
    if walk.done != list(IN_ORDER).index(claim.id):
        raise Unknown(
            "earlier steps did not run in this worker; add --dist loadgroup and select all of them"
        )
    walk.done += 1
    if walk.failed:
        raise Unknown(walk.failed)
    yield
    if judgement.verdict is not Verdict.PASS:
        walk.failed = f"an earlier step was {judgement.verdict}: {claim.id}"
