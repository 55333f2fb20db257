"""What the tests of the chaos suite share."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from fixtures.session import Run
from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Fault, Site
from landfast.faults.health import wait_healthy
from landfast.faults.life import Disguise, Life
from landfast.faults.rollback import Rollback
from landfast.faults.site import renew_mysql
from landfast.journal import SurvivalShown
from landfast.results import Survival
from landfast.steps import Steps
from landfast.survival.budget import PATHS
from landfast.survival.failover import rehearse
from landfast.survival.milestones import Milestones
from landfast.survival.run import survive
from landfast.survival.scenario import Scenario
from landfast.survival.verdict import leaves_whole
from landfast.verdict import MissingCapability, Unknown
from suites.chaos.sabotage import ends_early, without_injection

Broken = Callable[[type[Fault]], AbstractContextManager[None]]
"""`with broken(NfsFreeze):` breaks it for the time of the body."""
Rehearsed = Callable[[], Milestones]


@pytest.fixture
def disguise(sabotaged: bool, pytestconfig: pytest.Config) -> Disguise:
    """The sabotage of this test's fault, if it is sabotaged."""
    if not sabotaged:
        return lambda fault: fault
    return ends_early if pytestconfig.getoption("--early") else without_injection


@pytest.fixture
def broken(site: Site, rollback: Rollback, test: Steps, disguise: Disguise) -> Broken:
    """Break something for the time of a body: proven before it, healed and proven to be after."""

    @contextlib.contextmanager
    def broken(fault: type[Fault]) -> Iterator[None]:
        try:
            wait_healthy(site, timeout=timeouts.HEALTHY)
            life = Life(disguise(fault), site, rollback, test.step)
            with life.in_effect():
                test.narrate(f"effect of {fault.name}: {life.record.effect}")
                yield
            test.narrate(f"healed: {life.record.healing}")
        except (AssertionError, LandfastError, Unknown):
            renew_mysql(site)  # broken for too long, it may never write again
            raise

    return broken


@pytest.fixture(scope="session")
def rehearsed(site: Site, run: Run) -> Rehearsed:
    """Rehearse a failover when it is first called; return its milestones."""
    return functools.cache(lambda: rehearse(site, run.folder / "survival" / "rehearsal"))


@pytest.fixture
def nolock(site: Site) -> tuple[str, ...]:
    """The mount options with which locks stay on the node.

    The kernel's NFSv4 client ignores `nolock`, so that locks reach the server all the same.
    """
    if site.env.nfs_client == "fuse":
        return ("nolock",)
    if site.env.kernel_server is None:
        raise MissingCapability(
            "nfs.nolock", "the kernel's client has nolock for NFSv3 alone, which Ganesha lacks here"
        )
    return ("nfsvers=3", "nolock")


@pytest.fixture
def shown(
    scenario: Scenario,
    site: Site,
    rollback: Rollback,
    run: Run,
    test: Steps,
    disguise: Disguise,
    rehearsed: Rehearsed,
    request: pytest.FixtureRequest,
) -> Iterator[Survival]:
    """What the scenario showed; it is in the journal, and its history in the run's folder."""
    folder = run.folder / "survival" / scenario.name
    scenario = scenario.at_pace(site.env.pace)
    if "nolock" in scenario.mount_options:
        scenario = replace(scenario, mount_options=request.getfixturevalue("nolock"))
    rehearsal: Milestones = {}
    if scenario.name in PATHS:
        with test.step("MySQL's pod was deleted once before, to time its return"):
            rehearsal = rehearsed()
    try:
        survival = survive(
            scenario, site, rollback, folder, test.step, disguise=disguise, rehearsal=rehearsal
        )
    except (LandfastError, Unknown):
        renew_mysql(site)
        raise
    run.journal.write(SurvivalShown(test=request.node.nodeid, survival=survival))
    for line in _observations(survival):
        test.observe(line)
    yield survival
    if not leaves_whole(scenario, survival):
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
    if survival.crew:
        yield str(survival.crew)
    if survival.budget:
        yield str(survival.budget)
    yield from survival.identity
