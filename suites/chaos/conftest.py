"""What the tests of the chaos suite share."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from fixtures.session import Run
from landfast import faults
from landfast.errors import LandfastError
from landfast.faults.base import FAULTS, Fault, Site
from landfast.faults.health import wait_healthy
from landfast.faults.rollback import Rollback
from landfast.faults.site import renew_mysql
from landfast.journal import SurvivalShown
from landfast.steps import ObserveFunction, StepFunction
from landfast.survival.model import Survival
from landfast.survival.plan import Plan
from landfast.survival.run import survive
from landfast.survival.verdict import leaves_whole
from landfast.verdict import MissingCapability, Unknown

_HEALTHY_SECONDS = 120

Broken = Callable[[str], AbstractContextManager[Fault]]
"""`with broken("nfs-freeze") as fault:` injects, proves, and heals after the body."""


@pytest.fixture
def broken(site: Site, rollback: Rollback, narrate: ObserveFunction, sabotaged: bool) -> Broken:
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
            narrate(f"effect of {name}: {fault.prove_effect()}")
            yield fault
        finally:
            fault.heal()
            narrate(f"healed: {fault.prove_healed()}")
            rollback.leave(fault)

    return broken


def without_effect(fault: type[Fault]) -> type[Fault]:
    """Give the fault whose injection does nothing: it must not be taken for one that works."""
    return type(f"{fault.__name__}WithoutEffect", (fault,), {"inject": lambda _self: None})


@pytest.fixture
def shown(
    plan: Plan,
    site: Site,
    rollback: Rollback,
    run: Run,
    step: StepFunction,
    observe: ObserveFunction,
    sabotaged: bool,
    request: pytest.FixtureRequest,
) -> Iterator[Survival]:
    """What the scenario showed; it is in the journal, and its history in the run's folder."""
    if sabotaged:
        plan = replace(plan, fault=without_effect(plan.fault))
    try:
        survival = survive(plan, site, rollback, run.folder / "survival" / plan.name, step)
    except (LandfastError, Unknown):
        renew_mysql(site)
        raise
    run.journal.write(SurvivalShown(test=request.node.nodeid, survival=survival))
    for line in _observations(survival):
        observe(line)
    yield survival
    if not leaves_whole(plan, survival):
        renew_mysql(site)


def _observations(survival: Survival) -> Iterator[str]:
    yield f"effect: {survival.effect or 'none was proven'}"
    yield f"healed: {survival.healing or 'that was not proven'}"
    counts, seen = survival.ledger.counts, survival.availability
    yield (
        f"{counts.acknowledged} writes acknowledged, {counts.lost} lost, {counts.recovered} of "
        f"{counts.uncertain} uncertain ones recovered; longest gap {seen.gap:.1f} s, "
        f"{seen.errors} errors"
    )
    yield from survival.identity
