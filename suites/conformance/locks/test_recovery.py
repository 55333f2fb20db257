"""What becomes of a lock when the NFS server restarts, or no longer hears of the holder's node.

The server is this suite's own, and only the way between it and one node is cut: other tests, and
the pods on that node, do not notice.
"""

import re
import time

import pytest

from landfast.faults.base import Site
from landfast.faults.life import Life
from landfast.faults.network import NfsPortDropped
from landfast.faults.nfs_server import NfsKill
from landfast.faults.rollback import Rollback
from landfast.nfs.server import GRACE_SECONDS, LEASE_SECONDS
from landfast.steps import Steps
from suites.conformance.locks.objects import (
    HOLDER,
    LOCKED,
    REFUSED,
    SECOND,
    WRITTEN,
    hold,
    start_second,
    try_lock,
    wait_for_lock,
    write_as_holder,
)
from suites.objects import on_node, workers

pytestmark = pytest.mark.xdist_group("locks")

_TAKEOVER_SECONDS = LEASE_SECONDS + GRACE_SECONDS
_CUT_OFF = f"packets between pod {HOLDER}'s node and the NFS server are dropped"
_IO_ERROR = r"I(nput/output|/O) error"  # as glibc and musl have it


def arrange(site: Site, test: Steps) -> None:
    """Let a pod hold a lock and write under it, and start another one on another node."""
    here, there = workers(site.stack)
    with test.step(f"a pod on {here} holds a lock, and writes; start another one on {there}"):
        hold(site.stack, **on_node(here))
        start_second(site.stack, **on_node(there))
        written = write_as_holder(site.stack, "before")
    test.narrate(f"pod {HOLDER} writes under its lock: {written}")


@pytest.mark.claim("locks.server-restart-is-survived")
def test_lock_survives_that_the_server_is_killed_and_started_again(
    lock_site: Site, rollback: Rollback, test: Steps
) -> None:
    arrange(lock_site, test)
    stack, life = lock_site.stack, Life(NfsKill, lock_site, rollback, test.step)
    with life.in_effect():
        pass
    test.narrate(f"{life.record.effect}; {life.record.healing}")
    refused, written = try_lock(stack), write_as_holder(stack, "after")
    content = stack.export.read(LOCKED)
    test.observe(f"pod {SECOND} asks for the lock: {refused}; pod {HOLDER} writes: {written}")
    test.observe(f"the server has {content!r}")
    assert refused == REFUSED, "the lock was lost"
    assert (written, content) == (WRITTEN, "before\nafter\n"), "its holder cannot write"


@pytest.mark.claim("locks.lost-node-is-taken-over-from")
def test_lock_of_a_node_that_is_not_heard_of_is_taken_over(
    lock_site: Site, rollback: Rollback, test: Steps
) -> None:
    arrange(lock_site, test)
    stack, life = lock_site.stack, Life(NfsPortDropped, lock_site, rollback, test.step)
    with life.in_effect(what=_CUT_OFF):
        at_once = try_lock(stack)
        test.observe(f"{life.record.effect}; pod {SECOND} asks for the lock: {at_once}")
        with test.verify(f"it gets the lock within {_TAKEOVER_SECONDS} s"):
            wait_for_lock(stack, timeout=_TAKEOVER_SECONDS)
        seconds = time.monotonic() - life.record.injected
        test.observe(f"pod {SECOND} got the lock {seconds:.0f} s after the node was cut off")
    assert at_once == REFUSED, "the lock was free before the lease had run out"


@pytest.mark.claim("locks.loss-is-noticed")
def test_holder_that_lost_its_lock_gets_an_error(
    lock_site: Site, rollback: Rollback, test: Steps
) -> None:
    arrange(lock_site, test)
    stack, life = lock_site.stack, Life(NfsPortDropped, lock_site, rollback, test.step)
    with life.in_effect(what=_CUT_OFF), test.step(f"wait until pod {SECOND} has had the lock"):
        wait_for_lock(stack, timeout=_TAKEOVER_SECONDS)
    test.narrate(f"{life.record.effect}; {life.record.healing}")
    said = write_as_holder(stack, "late")
    content = stack.export.read(LOCKED)
    test.observe(f"pod {HOLDER}, which reaches the server again, writes: {said}")
    test.observe(f"the server has {content!r}")
    assert re.search(_IO_ERROR, said), "the holder did not notice that its lock was lost"
    assert content == f"before\n{SECOND}\n"
