"""Milestones: from looks at the pod and from logs to seconds since the injection."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from landfast.survival.milestones import (
    Look,
    milestones_of_looks,
    milestones_of_mysqld,
    milestones_of_server,
    stamped,
)

OLD = Look(99.0, "u1", going=False, node="worker", container="c1", ended=False, ready=True)
NEW = Look(104.5, "u2", going=False, node="worker2", container="c2", ended=False, ready=True)


def test_looks_at_a_pod_that_is_deleted() -> None:
    looks = [
        OLD,
        replace(OLD, at=100.5, going=True),
        replace(OLD, at=103.0, going=True, container="", ended=True),
        replace(OLD, at=103.5, uid="", container=""),
        replace(NEW, at=104.0, node="", container=""),
        replace(NEW, at=104.5, container=""),
        replace(NEW, at=105.5),
    ]
    assert milestones_of_looks(looks, 100) == {
        "evicted": 0.5,
        "stopped": 3.0,
        "gone": 3.5,
        "scheduled": 4.5,
        "started": 5.5,
    }


def test_node_that_is_not_ready_is_noticed() -> None:
    assert milestones_of_looks([OLD, replace(OLD, at=147, ready=False)], 100) == {"noticed": 47}


def test_container_that_starts_again_in_the_same_pod() -> None:
    again = replace(OLD, at=107.0, container="c9")
    assert milestones_of_looks([OLD, replace(OLD, at=105, container=""), again], 100) == {
        "started": 7
    }


def test_without_a_look_before_the_injection_nothing_is_known() -> None:
    assert milestones_of_looks([], 100) == {}
    assert milestones_of_looks([NEW], 100) == {}
    assert milestones_of_looks([replace(OLD, uid=""), NEW], 100) == {}


INJECTED = datetime(2026, 11, 26, 10, 33, 26, tzinfo=UTC)


def test_lines_of_a_log_have_their_time_since_the_injection() -> None:
    log = (
        "2026-11-26T10:33:25.500000Z 0 [System] before\n"
        "no time at all\n"
        "2026-11-26T10:33:27 no zone\n\n"
        "2026-11-26T10:33:28.273083271Z nanoseconds\n"
        "2026-11-26 10:33:29+00:00 [Note] a date, then a time\n"
    )
    assert stamped(log, INJECTED) == [
        (-0.5, "0 [System] before"),
        (2.273083, "nanoseconds"),
    ]


START = "0 [System] [MY-013576] [InnoDB] InnoDB initialization has started."
REFUSED = "0 [ERROR] [MY-012574] [InnoDB] Unable to lock ./ibdata1 error: 11"
READY = "0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '9.7.0'"
X_READY = "0 [System] [MY-011323] [Server] X Plugin ready for connections."


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ([(1.0, START), (3.0, X_READY), (3.2, READY)], {"locked": 1.0, "recovered": 3.2}),
        (
            [(1.0, START), (1.1, REFUSED), (2.1, REFUSED), (4.0, READY)],
            {"locked": 2.1, "recovered": 4.0},
        ),
        ([(-60.0, START), (-58.0, READY)], {}),
        ([(2.0, READY)], {"recovered": 2.0}),
        ([(2.0, "0 [Note] InnoDB: Initializing buffer pool, total size = 128M")], {"locked": 2.0}),
    ],
)
def test_mysqld_says_when_it_had_its_lock_and_when_it_was_ready(
    log: list[tuple[float, str]], found: dict[str, float]
) -> None:
    assert milestones_of_mysqld(log) == found


IN_GRACE = (
    "ganesha.nfsd-1[main] nfs_start_grace :STATE :EVENT :NFS Server Now IN GRACE, duration 20"
)
OVER = "ganesha.nfsd-1[reaper] nfs_lift_grace_locked :STATE :EVENT :NFS Server Now NOT IN GRACE"


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ([(-9.0, IN_GRACE), (-1.0, OVER)], {}),
        ([(7.0, IN_GRACE), (17.0, OVER)], {"serving": 7.0, "grace over": 17.0}),
        ([(7.0, IN_GRACE)], {"serving": 7.0}),
        ([(2.0, OVER), (7.0, IN_GRACE)], {"serving": 7.0}),
    ],
)
def test_server_says_when_it_was_back_and_when_its_grace_period_was_over(
    log: list[tuple[float, str]], found: dict[str, float]
) -> None:
    assert milestones_of_server(log) == found
