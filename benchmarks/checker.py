"""How fast a history is judged, and in how much memory: `python -m benchmarks.checker`.

The history is made up: 8 writers, one write in a hundred uncertain. With `--lose`, everything
acknowledged is lost: the checker's worst case.
"""

import argparse
import resource
import time
from collections.abc import Callable, Iterator

from landfast.mysql.availability import measure
from landfast.mysql.checker import check
from landfast.mysql.history import (
    ACCOUNTS,
    INITIAL_BALANCE,
    Completion,
    FinalReading,
    Operation,
    OperationKind,
)

_WRITERS = 8
_RATE = 1000.0  # operations a second, of all writers


def main() -> None:
    """Judge as many operations as asked for; print operations a second and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--lose", action="store_true", help="everything acknowledged is lost")
    arguments = parser.parse_args()
    each = arguments.operations // _WRITERS
    count, ended = each * _WRITERS, each * _WRITERS / _RATE
    rows = {} if arguments.lose else {writer: [(1, each)] for writer in range(_WRITERS)}
    balances = dict.fromkeys(range(ACCOUNTS), INITIAL_BALANCE)
    reading = FinalReading(rows=rows, transfers={}, registers={}, balances=balances)
    inject, healed = 0.3 * ended, 0.5 * ended

    def judge() -> str:
        result = check(
            _operations(count),
            reading,
            inject=inject,
            healed=healed,
            during_required=True,
            epoch=0.0,
        )
        return f"{result.verdict}, {result.counts.lost} lost"

    def see() -> str:
        result = measure(_operations(count), epoch=0.0, inject=inject, healed=healed, ended=ended)
        return f"longest gap {result.gap:.3f} s"

    _report("making them up", count, lambda: f"{sum(1 for _ in _operations(count))} operations")
    _report("check", count, judge)
    _report("measure", count, see)


def _operations(count: int) -> Iterator[Operation]:
    for place in range(count):
        completion = Completion.INFO if place % 100 == 0 else Completion.OK
        begun, number = place / _RATE, place // _WRITERS + 1
        yield Operation(
            place % _WRITERS, OperationKind.INSERT, number, begun, begun + 0.005, completion
        )


def _report(what: str, count: int, work: Callable[[], str]) -> None:
    """Print how long it took; memory is the process's peak so far, above what it began with."""
    began = time.perf_counter()
    said = work()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(  # noqa: T201
        f"{what}: {count / seconds:,.0f} operations/s ({seconds:.1f} s), "
        f"process at most {peak:.0f} MiB ({peak - _AT_START:.0f} MiB more than at start): {said}"
    )


_AT_START = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
