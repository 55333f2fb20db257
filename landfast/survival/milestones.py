"""Milestones of a failover, from what was seen of MySQL's pod and from logs. Pure.

Milestones are seconds since the injection.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Milestone = Literal[
    "noticed", "evicted", "held", "stopped", "gone", "scheduled", "started", "locked", "recovered",
    "serving", "grace over", "acknowledged",
]  # fmt: skip
Milestones = Mapping[Milestone, float]


@dataclass(frozen=True)
class Look:
    """What was seen of MySQL's pod, and of the node that it was on at first, at one moment.

    Attributes:
        at: monotonic seconds.
        uid: the pod's; empty: there was none.
        going: whether it was being deleted.
        node: where it was; empty: nowhere yet.
        container: the id of its container, if that ran.
        ended: whether its container had ended.
        ready: whether the first node was Ready.
    """

    at: float
    uid: str
    going: bool
    node: str
    container: str
    ended: bool
    ready: bool


def milestones_of_looks(looks: Sequence[Look], injected: float) -> dict[Milestone, float]:
    """Return the milestones that looks at pod and node show; of each, the first look's time."""
    old = next((look for look in reversed(looks) if look.at <= injected and look.uid), None)
    if old is None:
        return {}
    tests: dict[Milestone, Callable[[Look], bool]] = {
        "noticed": lambda look: not look.ready,
        "evicted": lambda look: look.uid == old.uid and look.going,
        "stopped": lambda look: look.uid == old.uid and look.ended,
        "gone": lambda look: look.uid != old.uid,
        "scheduled": lambda look: look.uid not in ("", old.uid) and bool(look.node),
        "started": lambda look: look.container not in ("", old.container),
    }
    after = [look for look in looks if look.at > injected]
    found = {name: next((x.at for x in after if test(x)), None) for name, test in tests.items()}
    return {name: at - injected for name, at in found.items() if at is not None}


def stamped(log: str, injected: datetime) -> list[tuple[float, str]]:
    """Return a log's lines that begin with a time (RFC 3339), with their seconds since then."""
    lines = []
    for line in log.splitlines():
        stamp, _, text = line.partition(" ")
        try:
            lines.append(((datetime.fromisoformat(stamp) - injected).total_seconds(), text))
        except (TypeError, ValueError):  # no time, or one without a zone
            continue
    return lines


def milestones_of_mysqld(log: Sequence[tuple[float, str]]) -> dict[Milestone, float]:
    """Return when mysqld had its lock, and when it was ready, as its log says.

    It asks for the lock first thing, and once a second until it has it: the last refusal counts,
    or the beginning of InnoDB, if there was none.
    """
    asked = _times(log, r"InnoDB initialization has started|Initializing buffer pool")
    refused = _times(log, "Unable to lock")
    ready = _times(log, r"mysqld: ready for connections")
    found: dict[Milestone, float] = {}
    if asked or refused:
        found["locked"] = (refused or asked)[-1]
    if ready:
        found["recovered"] = ready[-1]
    return found


def milestones_of_server(log: Sequence[tuple[float, str]]) -> dict[Milestone, float]:
    """Return when NFS-Ganesha was back and when its grace period was over, as its log says."""
    back, over = _times(log, r"Now IN GRACE"), _times(log, r"Now NOT IN GRACE")
    found: dict[Milestone, float] = {}
    if back:
        found["serving"] = back[-1]
        if over and over[-1] > back[-1]:
            found["grace over"] = over[-1]
    return found


def _times(log: Sequence[tuple[float, str]], what: str) -> list[float]:
    return [at for at, text in log if at > 0 and re.search(what, text)]
