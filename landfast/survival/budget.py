"""Where the seconds of a failover go: predicted from settings, beside what was seen. Pure.

A failover is a chain of phases, each of which ends at a milestone. The first begins with the
injection, the last ends with the first acknowledged write: together they are the whole outage.
A milestone that was not seen ends no phase: what it would end is told together with what follows.

Milestones are seconds since the injection. What no setting decides (how long mysqld takes to end
and to start) is predicted from a rehearsal: MySQL's pod, deleted once under load in the same run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from landfast.results import Budget, BudgetPhase
from landfast.survival.milestones import Milestone, Milestones

LOOK_SECONDS = 10
"""How often NFS-Ganesha looks for leases that are over, and whether its grace period can end.

It is REAPER_DELAY in its nfs_reaper_thread.c, not a setting."""
_MONITOR_SECONDS = 5  # --node-monitor-period of kube-controller-manager, its default
_REHEARSED: tuple[Milestone, ...] = (
    "stopped", "gone", "scheduled", "started", "locked", "recovered", "acknowledged",
)  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """The settings that decide how long a failover takes, in seconds.

    Attributes:
        monitor_grace: how long a node may be silent (--node-monitor-grace-period).
        monitor_source: where that was read, or that it is assumed.
        renewal: how often a kubelet renews its node's lease.
        toleration: how long the pod tolerates an unreachable node; None: for ever.
        termination: the pod's terminationGracePeriodSeconds.
        readiness: initial delay and period of its readiness probe; 0: it has none.
        lease: of the NFS server; None: not known.
        grace: the NFS server's grace period; None: not known.
        returns: whether the server knows a node's NFS client again after the node's reboot.
    """

    monitor_grace: float
    monitor_source: str
    renewal: float
    toleration: float | None
    termination: float
    readiness: float
    lease: float | None
    grace: float | None
    returns: bool


@dataclass(frozen=True)
class _Case:
    """What a prediction may use; `until` is the sum of those of the phases before."""

    terms: Terms
    rehearsal: Milestones
    until: float


_Prediction = tuple[float | None, str]
_Predict = Callable[[_Case], _Prediction]


@dataclass(frozen=True)
class _Phase:
    """A phase; `predict` is None where its length is given: the scenario decides it."""

    name: str
    end: Milestone
    predict: _Predict | None = None
    shorten: str = ""


def _rehearsed(end: Milestone, also: str = "") -> _Predict:
    """Return the prediction that it takes as long as at the rehearsal."""
    place = _REHEARSED.index(end)

    def predict(case: _Case) -> _Prediction:
        if not case.rehearsal:
            return None, "there was no rehearsal"
        start = _reached(case.rehearsal, _REHEARSED[place - 1]) if place else 0.0
        return _reached(case.rehearsal, end) - start, f"as at the rehearsal{also}"

    return predict


def _reached(rehearsal: Milestones, milestone: Milestone) -> float:
    """Return when a rehearsal reached a milestone, or the next one that was seen."""
    later = _REHEARSED[_REHEARSED.index(milestone) :]
    return min(rehearsal[name] for name in later if name in rehearsal)


def _detection(case: _Case) -> _Prediction:
    """Return the mean: the last sign of life is up to one renewal old when the node is lost."""
    terms = case.terms
    seconds = terms.monitor_grace - terms.renewal / 2 + _MONITOR_SECONDS / 2
    return seconds, (
        f"node-monitor-grace-period {terms.monitor_grace:g} s ({terms.monitor_source}), since the "
        f"node's last sign of life, one every {terms.renewal:g} s"
    )


def _eviction(case: _Case) -> _Prediction:
    seconds = case.terms.toleration
    if seconds is None:
        return None, "the pod tolerates an unreachable node for ever"
    return seconds, f"tolerationSeconds {seconds:g} for node.kubernetes.io/unreachable"


def _stop(case: _Case) -> _Prediction:
    seconds, basis = _rehearsed("stopped")(case)
    limit = case.terms.termination
    basis = f"{basis}; at most terminationGracePeriodSeconds {limit:g}"
    return (None if seconds is None else min(seconds, limit)), basis


def _stop_unlocked(case: _Case) -> _Prediction:
    """Return that of `_stop`; one of seven such mysqlds needed the whole grace period."""
    seconds, basis = _stop(case)
    return seconds, f"{basis}, which a mysqld that lost its lock may need in full"


_LOCK_FREE = _rehearsed("locked", ", until mysqld asks; its lock is free")


def _lock_lease(case: _Case) -> _Prediction:
    """Return the mean: the server looks for leases that are over now and then."""
    lease = case.terms.lease
    if lease is None:
        return None, "the NFS server's lease is not known"
    asked, _ = _LOCK_FREE(case)
    return max(asked or 0.0, lease + LOOK_SECONDS / 2 - case.until), (
        f"lease {lease:g} s since the injection; the server looks every {LOOK_SECONDS} s"
    )


def _lock_after_reboot(case: _Case) -> _Prediction:
    if case.terms.returns:
        seconds, basis = _LOCK_FREE(case)
        return seconds, f"{basis}: the server drops a rebooted client's locks (RFC 8881, 18.35.4)"
    seconds, basis = _lock_lease(case)
    return seconds, f"{basis}; the rebooted node's client is another one to it"


def _grace(case: _Case) -> _Prediction:
    grace = case.terms.grace
    if grace is None:
        return None, "the NFS server's grace period is not known"
    return min(grace, LOOK_SECONDS), (
        f"over when its clients have their locks again, which the server looks at every "
        f"{LOOK_SECONDS} s; grace period {grace:g} s at most"
    )


def _write(case: _Case) -> _Prediction:
    seconds, basis = _rehearsed("acknowledged")(case)
    return seconds, f"{basis}, readiness probe included" if case.terms.readiness else basis


def _not_set(_case: _Case) -> _Prediction:
    return None, "no setting says it"


_LEASE = "the NFS server's lease (Lease_Lifetime of NFS-Ganesha)"
_STOP = _Phase("stop", "stopped", _stop, "fewer dirty pages (innodb_max_dirty_pages_pct)")
_UNMOUNT = _Phase("unmount", "gone", _rehearsed("gone"))
_SCHEDULING = _Phase("scheduling", "scheduled", _rehearsed("scheduled"))
_START = _Phase(
    "mount and start", "started", _rehearsed("started"),
    "image on every node; fsGroupChangePolicy OnRootMismatch, if fsGroup is set",
)  # fmt: skip
_RECOVERY = _Phase(
    "InnoDB recovery", "recovered",
    _rehearsed("recovered", ", where mysqld had ended in order; no setting says it"),
    "innodb_redo_log_capacity, innodb_max_dirty_pages_pct",
)  # fmt: skip
_WRITE = _Phase(
    "first write",
    "acknowledged",
    _write,
    "the clients' reconnect; readinessProbe.periodSeconds, if there is one",
)
_HELD = _Phase("fault held", "held")
_UP = (_RECOVERY, _WRITE)

_POD = (_STOP, _UNMOUNT, _SCHEDULING, _START, _Phase("lock", "locked", _LOCK_FREE), *_UP)
_REBOOT = (
    _Phase("boot, mount and start", "started", _rehearsed("started", "; the boot comes on top")),
    _Phase("lock lease", "locked", _lock_after_reboot, _LEASE),
    *_UP,
)
_SERVER = (
    _Phase("server start", "serving", _not_set),
    _Phase("grace", "grace over", _grace, "the NFS server's grace period (Grace_Period)"),
    _Phase("first write", "acknowledged", _not_set, "the NFS client's retry interval"),
)
PATHS = {
    "pod-delete": _POD,
    "pod-evict": _POD,
    "node-drain": _POD,
    "node-power-off": (_HELD, *_REBOOT),
    "node-restart": _REBOOT,
    "node-failover": (
        _Phase("removal", "gone", _not_set),
        _SCHEDULING,
        _START,
        _Phase("lock lease", "locked", _lock_lease, _LEASE),
        *_UP,
    ),
    "node-pause-evicted": (
        _Phase("detection", "noticed", _detection, "--node-monitor-grace-period"),
        _Phase("eviction", "evicted", _eviction, "tolerationSeconds for unreachable nodes"),
        _HELD,
        _Phase("stop", "stopped", _stop_unlocked, "terminationGracePeriodSeconds"),
        *_POD[1:],
    ),
    "nfs-kill": (_HELD, *_SERVER),
    "nfs-restart": _SERVER,
    "nfs-power-loss": (_HELD, *_SERVER),
}
"""The phases of each scenario that has a budget, by its name."""


def budget_of(
    path: Sequence[_Phase], seen: Milestones, terms: Terms, rehearsal: Milestones
) -> Budget:
    """Return the phases between injection and first acknowledged write, measured and predicted.

    Args:
        path: the scenario's, of `PATHS`.
        seen: the milestones that were seen; "acknowledged" is one of them.
        terms: the settings that predictions rest on.
        rehearsal: the milestones of a pod's deletion in the same run; empty: there was none.
    """
    phases: list[BudgetPhase] = []
    unseen: list[str] = []
    for group, start, end in _groups(path, seen, rehearsal):
        until = sum(phase.predicted or 0.0 for phase in phases)
        known: list[float] = []
        bases = []
        for phase in group:
            seconds, basis = (
                phase.predict(_Case(terms, rehearsal, until + sum(known)))
                if phase.predict
                else (end - start, "given: the scenario decides it")
            )
            known += [] if seconds is None else [seconds]
            bases.append(basis)
        unseen += [f"the end of {phase.name}" for phase in group[:-1]]
        phases.append(
            BudgetPhase(
                name=", ".join(phase.name for phase in group),
                seconds=end - start,
                predicted=sum(known) if known else None,
                basis="; ".join(dict.fromkeys(bases)),
                shorten="; ".join(phase.shorten for phase in group if phase.shorten),
            )
        )
    return Budget(phases=tuple(phases), unseen=tuple(unseen))


def _groups(
    path: Sequence[_Phase], seen: Milestones, rehearsal: Milestones
) -> Iterator[tuple[list[_Phase], float, float]]:
    """Yield phases between milestones that were seen, with their beginning and end.

    Looks see a milestone up to half a second late, logs do not: one that was seen before another
    that comes earlier in the path was the later one's time at the latest.
    """
    told = [
        phase.end in seen
        and (not rehearsal or phase.end not in _REHEARSED or phase.end in rehearsal)
        for phase in path
    ]
    ends: list[float] = []
    latest = seen["acknowledged"]
    for phase in reversed(path):
        latest = min(latest, max(0.0, seen.get(phase.end, latest)))
        ends.insert(0, latest)
    group: list[_Phase] = []
    start = 0.0
    for phase, is_told, end in zip(path, told, ends, strict=True):
        group.append(phase)
        if is_told:
            yield group, start, end
            group, start = [], end
