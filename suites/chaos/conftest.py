"""What the tests of the chaos suite share."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from landfast import faults
from landfast.faults.base import FAULTS, Fault, Site
from landfast.faults.health import wait_healthy
from landfast.faults.rollback import Rollback
from landfast.steps import ObserveFunction
from landfast.verdict import MissingCapability

_HEALTHY_SECONDS = 120

Broken = Callable[[str], AbstractContextManager[Fault]]
"""`with broken("nfs-freeze") as fault:` injects, proves, and heals after the body."""


@pytest.fixture
def broken(site: Site, rollback: Rollback, observe: ObserveFunction, sabotaged: bool) -> Broken:
    """Break something around a body: on disk before, proven, healed and proven to be."""
    faults.load()

    @contextlib.contextmanager
    def broken(name: str) -> Iterator[Fault]:
        wait_healthy(site, timeout=_HEALTHY_SECONDS)
        fault = FAULTS[name](site)
        if reason := fault.available():
            raise MissingCapability(f"fault.{name}", reason)
        rollback.enter(fault)
        try:
            fault.note()
            if not sabotaged:
                fault.inject()
            observe(f"effect of {name}: {fault.prove_effect()}")
            yield fault
        finally:
            fault.heal()
            observe(f"healed: {fault.prove_healed()}")
            rollback.leave(fault)

    return broken
