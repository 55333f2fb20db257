"""One stack for every change that is only asked for and refused."""

from collections.abc import Iterator

import pytest

from fixtures.verdicts import Judgement
from landfast.environment import Environment
from landfast.stack import Stack, temporary_stack, throw_away_overlay
from suites.conformance.protection.objects import bound_pvc, statefulset


@pytest.fixture(scope="session")
def settled_stack(env: Environment) -> Iterator[Stack]:
    """A stack with the class, a PV, the Bound PVC `data`, and a StatefulSet without pods."""
    overlay = throw_away_overlay(env, "settled")
    with temporary_stack(env, overlay) as stack:
        stack.create_namespace()
        stack.create("storageclass")
        bound_pvc(stack)
        stack.make(statefulset(0))
        yield stack


@pytest.fixture
def settled(settled_stack: Stack, judgement: Judgement) -> Stack:
    """That stack, its state kept as evidence if the test fails."""
    judgement.stacks.append(settled_stack)
    return settled_stack
