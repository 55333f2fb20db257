"""Observes a failover: its milestones, a rehearsal of it, and its budget."""

import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Site
from landfast.faults.health import wait_healthy
from landfast.mysql.availability import measure
from landfast.mysql.history import read_history
from landfast.mysql.identity import MYSQL_CONTAINER
from landfast.mysql.ledger import Ledger
from landfast.results import Budget, Survival
from landfast.survival.budget import PATHS, budget_of
from landfast.survival.lanes import Watcher
from landfast.survival.milestones import (
    Look,
    Milestone,
    Milestones,
    milestones_of_looks,
    milestones_of_mysqld,
    milestones_of_server,
    stamped,
)
from landfast.survival.terms import read_terms

_WRITES = 2000  # before and after the rehearsal
_LINES = 2000


def observe(site: Site, looks: Sequence[Look], injected: float) -> dict[Milestone, float]:
    """Return the milestones of the last failover, as far as they can be seen.

    `injected` is in monotonic seconds. The clocks of logs are taken to be that of this host.
    """
    origin = datetime.now(UTC) - timedelta(seconds=time.monotonic() - injected)
    found = milestones_of_looks(looks, injected)
    with contextlib.suppress(LandfastError):  # then they were not seen
        said = site.kube.logs(
            site.stack.namespace, site.pod_name, container=MYSQL_CONTAINER, tail_lines=_LINES
        )
        found |= milestones_of_mysqld(stamped(said, origin))
    if site.own_server:
        with contextlib.suppress(LandfastError):
            said = site.engine.logs(site.server.name, tail=_LINES, timestamps=True)
            found |= milestones_of_server(stamped(said, origin))
    return found


def budget(
    survival: Survival, site: Site, looks: Sequence[Look], injected: float, rehearsal: Milestones
) -> Budget | None:
    """Return the budget of a failover; None: its scenario has none, or there was no outage.

    Raises:
        LandfastError: the settings cannot be read.
    """
    path = PATHS.get(survival.scenario.name)
    proven, acknowledged = survival.marks.proven, survival.availability.rto_first
    if path is None or proven is None or not acknowledged:
        return None
    seen = observe(site, looks, injected)
    seen["held"] = proven - survival.marks.injected + survival.scenario.hold
    seen["acknowledged"] = acknowledged
    # the kit's client has another identity after each boot, the kernel's has that of its host
    return budget_of(path, seen, read_terms(site, returns=survival.client is None), rehearsal)


def rehearse(site: Site, folder: Path) -> Milestones:
    """Delete MySQL's pod under load, and return the milestones until the first write.

    Raises:
        WaitTimeout: MySQL takes no load, or does not come back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wait_healthy(site, timeout=timeouts.HEALTHY)
    ledger = Ledger(site.stack.mysql, folder, site.writers)
    ledger.prepare()
    with ledger.writing():
        watcher = Watcher(site, ledger.began)
        watcher.start()
        try:
            ledger.wait_for_writes(_WRITES, timeout=timeouts.WRITES)
            injected = time.monotonic()
            site.replace_pod()
            ledger.wait_for_writes(_WRITES, timeout=timeouts.WRITES_AGAIN)
        finally:
            watcher.stop()
        ended = time.monotonic()
    seen = observe(site, watcher.looks, injected)
    history = read_history(ledger.history)
    shown = measure(history, epoch=ledger.began, inject=injected, healed=None, ended=ended)
    ledger.history.unlink()
    if not shown.rto_first:
        return {}
    return seen | {"acknowledged": shown.rto_first}
