"""How long the database was unavailable, as its clients saw it. Pure."""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from landfast.mysql.history import Completion, Operation, OperationKind
from landfast.results import Availability, Bin, Interval, Latency

_OUTAGE_SECONDS = 1.0
_OUTAGE_FACTOR = 3
_WINDOW_SECONDS = 1.0
_STEADY = 0.8


@dataclass(frozen=True)
class _Acknowledged:
    """Times of acknowledged writes with their latencies in seconds, and times of errors."""

    acks: "array[float]"
    latencies: "array[float]"
    errors: "array[float]"

    def between(self, start: float, end: float) -> tuple[list[float], int]:
        """Return the latencies in [start, end), ascending, and the number of errors."""
        found = self.latencies[bisect_left(self.acks, start) : bisect_left(self.acks, end)]
        return sorted(found), bisect_left(self.errors, end) - bisect_left(self.errors, start)


def measure(
    operations: Iterable[Operation],
    *,
    epoch: float,
    inject: float,
    healed: float | None,
    ended: float,
    bin_seconds: float = 0.25,
) -> Availability:
    """Return gaps, errors, latencies and recovery times.

    The search for gaps starts at the last acknowledgement before the injection, so that a gap the
    fault falls into counts whole. An outage is a gap of a second or more that is also three times
    as long as any gap before the injection: a busy machine stalls, too.

    Args:
        operations: what was tried, in any order.
        epoch: when the workload began; all times are monotonic seconds.
        inject: when the fault was injected.
        healed: when it was proven to be healed; with None, "during" lasts until the end.
        ended: when the workload was stopped; operations that end later, or never, do not count.
        bin_seconds: the width of a slice of the timeline; the last one may be narrower.
    """
    seen = _collect(operations, epoch, ended)
    injection = bisect_left(seen.acks, inject)
    before, after = seen.acks[:injection], seen.acks[injection:]
    stall = max((end - start for start, end in pairwise(before)), default=0.0)
    limit = max(_OUTAGE_SECONDS, _OUTAGE_FACTOR * stall)
    times = array("d", [before[-1] if before else epoch]) + after + array("d", [ended])
    gap_from, gap_to = max(pairwise(times), key=lambda gap: gap[1] - gap[0])
    outages = [(start, end) for start, end in pairwise(times) if end - start >= limit]
    over = outages[-1][1] if outages else inject
    came_back = over < ended
    rate = len(before) / (inject - epoch) if inject > epoch else 0.0
    healed = ended if healed is None else healed
    return Availability(
        gap=gap_to - gap_from,
        gap_from=gap_from - epoch,
        gaps=sum(end - start >= _OUTAGE_SECONDS for start, end in pairwise(times)),
        errors=len(seen.errors),
        rto_first=over - inject if came_back else None,
        rto_steady=_steady(after, over, inject, rate) if came_back else None,
        intervals=(
            _latency("before", seen, epoch, inject),
            _latency("during", seen, inject, healed),
            _latency("after", seen, healed, ended),
        ),
        bin_seconds=bin_seconds,
        bins=tuple(_bins(seen, epoch, ended, bin_seconds)),
    )


def _collect(operations: Iterable[Operation], epoch: float, ended: float) -> _Acknowledged:
    acks, latencies, errors = array("d"), array("d"), array("d")
    for operation in operations:
        if operation.ended is None or not epoch <= operation.ended < ended:
            continue
        if operation.completion is not Completion.OK:
            errors.append(operation.ended)
        elif operation.kind is not OperationKind.CONNECT:
            acks.append(operation.ended)
            latencies.append(operation.ended - operation.invoked)
    order = sorted(range(len(acks)), key=acks.__getitem__)
    return _Acknowledged(
        acks=array("d", (acks[place] for place in order)),
        latencies=array("d", (latencies[place] for place in order)),
        errors=array("d", sorted(errors)),
    )


def _steady(acks: "array[float]", start: float, inject: float, rate: float) -> float | None:
    """Return the seconds from injection to the first busy window that begins at `start` or later.

    The first window with enough acknowledgements ends with the last of them, or begins at `start`.
    """
    enough = max(1, math.ceil(_STEADY * rate * _WINDOW_SECONDS))
    since = acks[bisect_left(acks, start) :]
    for first, last in zip(since, since[enough - 1 :], strict=False):
        if last - first <= _WINDOW_SECONDS:
            return max(start, last - _WINDOW_SECONDS) - inject
    return None


def _latency(interval: Interval, seen: _Acknowledged, start: float, end: float) -> Latency:
    latencies, errors = seen.between(start, end)
    return Latency(
        interval=interval,
        acknowledged=len(latencies),
        errors=errors,
        rate=round(len(latencies) / (end - start), 1) if end > start else 0.0,
        p50=_percentile(latencies, 0.5),
        p99=_percentile(latencies, 0.99),
        p999=_percentile(latencies, 0.999),
        worst=_percentile(latencies, 1.0),
    )


def _percentile(ascending: Sequence[float], part: float) -> float | None:
    """Return the least value, in milliseconds, that at least `part` of all do not exceed."""
    if not ascending:
        return None
    return round(1000 * ascending[math.ceil(part * len(ascending)) - 1], 3)


def _bins(seen: _Acknowledged, epoch: float, ended: float, width: float) -> Iterator[Bin]:
    count = math.ceil((ended - epoch) / width)
    edges = [*(epoch + width * place for place in range(count)), ended]
    for start, end in pairwise(edges):
        latencies, errors = seen.between(start, end)
        yield Bin(
            acknowledged=len(latencies),
            errors=errors,
            p50=_percentile(latencies, 0.5),
            worst=_percentile(latencies, 1.0),
        )
