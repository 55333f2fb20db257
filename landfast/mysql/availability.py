"""How long the database was away, as its clients saw it. Pure."""

import itertools
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from landfast.mysql.history import Kind, Operation, Outcome
from landfast.survival.model import Availability, Bin, Latency

_OUTAGE_SECONDS = 1.0
_OUTAGE_FACTOR = 3
_WINDOW_SECONDS = 1.0
_STEADY = 0.8


@dataclass
class _Seen:
    """Acknowledgements in order of time, with their latency in seconds, and errors."""

    acks: array[float] = field(default_factory=lambda: array("d"))
    latencies: array[float] = field(default_factory=lambda: array("d"))
    errors: array[float] = field(default_factory=lambda: array("d"))

    def between(self, start: float, end: float) -> slice:
        """Give which acknowledgements came in [start, end)."""
        return slice(bisect_left(self.acks, start), bisect_left(self.acks, end))


def _collect(operations: Iterable[Operation]) -> _Seen:
    acks: list[tuple[float, float]] = []
    seen = _Seen()
    for operation in operations:
        if operation.ended is None:
            continue  # still open when the workload was stopped: neither answer nor error
        if operation.outcome is not Outcome.OK:
            seen.errors.append(operation.ended)
        elif operation.kind is not Kind.CONNECT:
            acks.append((operation.ended, operation.ended - operation.invoked))
    for ended, latency in sorted(acks):
        seen.acks.append(ended)
        seen.latencies.append(latency)
    seen.errors = array("d", sorted(seen.errors))
    return seen


def measure(
    operations: Iterable[Operation],
    *,
    epoch: float,
    inject: float,
    healed: float | None,
    ended: float,
    bin_seconds: float = 0.25,
) -> Availability:
    """Give gaps, errors, latencies and recovery times; all arguments are monotonic seconds.

    An outage is a gap of a second or more that is three times as long as any before the fault: a
    busy machine stalls, too.
    """
    seen = _collect(operations)
    before = seen.acks[seen.between(epoch, inject)]
    pauses = _gaps([epoch, *before])
    limit = max(_OUTAGE_SECONDS, _OUTAGE_FACTOR * max((b - a for a, b in pauses), default=0.0))
    last_before = before[-1] if before else epoch
    after = list(seen.acks[bisect_left(seen.acks, inject) : bisect_right(seen.acks, ended)])
    gaps = _gaps([last_before, *after, ended])
    longest = max(gaps, key=lambda gap: gap[1] - gap[0])
    outages = [(a, b) for a, b in gaps if b - a >= limit]
    over = outages[-1][1] if outages else inject
    recovered = not outages or bool(after and over <= after[-1])
    first = (over - inject if outages else 0.0) if recovered else None
    rate = len(before) / (inject - epoch) if inject > epoch else 0.0
    return Availability(
        gap=longest[1] - longest[0],
        gap_from=longest[0] - epoch,
        gaps=sum(b - a >= _OUTAGE_SECONDS for a, b in gaps),
        errors=len(seen.errors),
        rto_first=first,
        rto_steady=_steady(after, over, inject, ended, rate) if recovered else None,
        intervals=(
            _latency("before", seen, epoch, inject),
            _latency("during", seen, inject, healed if healed is not None else ended),
            _latency("after", seen, healed if healed is not None else ended, ended),
        ),
        bin_seconds=bin_seconds,
        bins=tuple(_bins(seen, epoch, ended, bin_seconds)),
    )


def _gaps(times: Sequence[float]) -> list[tuple[float, float]]:
    return list(itertools.pairwise(times))


def _steady(
    acks: list[float], start: float, inject: float, ended: float, rate: float
) -> float | None:
    """Give from when on a window of a second has 80 % of the rate before; None: it never has."""
    for begin in [start, *acks[bisect_left(acks, start) :]]:
        if begin + _WINDOW_SECONDS > ended:
            return None
        count = bisect_left(acks, begin + _WINDOW_SECONDS) - bisect_left(acks, begin)
        if count >= _STEADY * rate * _WINDOW_SECONDS:
            return begin - inject
    return None


def _latency(
    interval: Literal["before", "during", "after"], seen: _Seen, start: float, end: float
) -> Latency:
    found = sorted(seen.latencies[seen.between(start, end)])
    seconds = end - start
    errors = bisect_left(seen.errors, end) - bisect_left(seen.errors, start)
    return Latency(
        interval=interval,
        acknowledged=len(found),
        errors=errors,
        rate=round(len(found) / seconds, 1) if seconds > 0 else 0.0,
        p50=_percentile(found, 0.5),
        p99=_percentile(found, 0.99),
        p999=_percentile(found, 0.999),
        worst=_percentile(found, 1.0),
    )


def _percentile(ordered: Sequence[float], part: float) -> float | None:
    """Give the value, in milliseconds, that `part` of all values do not exceed."""
    if not ordered:
        return None
    return round(1000 * ordered[max(0, -int(-part * len(ordered) // 1) - 1)], 3)


def _bins(seen: _Seen, epoch: float, ended: float, width: float) -> Iterable[Bin]:
    start = epoch
    while start < ended:
        found = sorted(seen.latencies[seen.between(start, start + width)])
        errors = bisect_left(seen.errors, start + width) - bisect_left(seen.errors, start)
        yield Bin(
            acknowledged=len(found),
            errors=errors,
            p50=_percentile(found, 0.5),
            worst=_percentile(found, 1.0),
        )
        start += width
