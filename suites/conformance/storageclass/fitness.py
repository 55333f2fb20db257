"""How fast a volume is: what a pod measures, and how steady the figures are."""

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from landfast.verdict import Unknown

NOISY = 0.15
"""Rounds whose medians differ by more than this part are noisy."""
_BARS = 40
_LINE = re.compile(r"(\d) (\d+)")


@dataclass(frozen=True)
class Latencies:
    """The latencies of single operations, in ms, in rounds of equal size.

    `own` is the measuring itself: the same on a tmpfs, before each round; it is not subtracted.
    """

    rounds: tuple[tuple[float, ...], ...]
    own: tuple[float, ...]

    @property
    def all(self) -> list[float]:
        """All latencies, round by round."""
        return [latency for found in self.rounds for latency in found]

    @property
    def spread(self) -> float:
        """How far the medians of the rounds are apart, as a part of the smallest."""
        medians = [statistics.median(found) for found in self.rounds]
        return max(medians) / min(medians) - 1

    def __str__(self) -> str:
        p50, p99, p999 = (quantile(self.all, part) for part in (0.5, 0.99, 0.999))
        noisy = "noisy: " if self.spread > NOISY else ""
        return (
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, p99.9 {p999:.1f} ms of {len(self.all)}; {noisy}"
            f"the medians of {len(self.rounds)} rounds differ by {self.spread:.0%}; "
            f"the same on a tmpfs: p50 {quantile(self.own, 0.5):.1f} ms, "
            f"p99 {quantile(self.own, 0.99):.1f} ms"
        )


def quantile(latencies: Sequence[float], part: float) -> float:
    """Return the latency within which a part of the operations ended (nearest rank)."""
    return sorted(latencies)[max(0, math.ceil(part * len(latencies)) - 1)]


def expect(found: Latencies, p50: float, p99: float) -> None:
    """Hold that latencies, in ms, are within the thresholds.

    Raises:
        Unknown: they are not, but the node takes over half of the threshold without the volume.
    """
    for part, limit in ((0.5, p50), (0.99, p99)):
        took, own = quantile(found.all, part), quantile(found.own, part)
        said = f"p{part * 100:.0f} is {took:.1f} ms, not {limit} or less"
        if took > limit and own > limit / 2:
            raise Unknown(f"{said}, but the node is busy: the same on a tmpfs took {own:.1f} ms")
        assert took <= limit, said


def parse(output: str, rounds: int) -> Latencies:
    """Read what a pod printed: a line for each operation, its round and how many µs it took.

    Round 0 is what was done on the tmpfs.

    Raises:
        Unknown: the pod said something else, or a round is missing.
    """
    found: list[list[float]] = [[] for _ in range(rounds + 1)]
    other = []
    for line in output.splitlines():
        if match := _LINE.fullmatch(line):
            found[int(match[1])].append(int(match[2]) / 1000)
        else:
            other.append(line)
    if other or not all(found):
        counted = [len(of_round) for of_round in found]
        raise Unknown(f"the pod measured {counted} operations: {'; '.join(other)}")
    return Latencies(tuple(map(tuple, found[1:])), tuple(found[0]))


def histogram(latencies: Sequence[float]) -> str:
    """Return a histogram as text: a line for each doubling of the latency, in ms."""
    edges: dict[int, int] = {}
    for latency in latencies:
        edge = max(-3, math.ceil(math.log2(max(latency, 1e-3))))
        edges[edge] = edges.get(edge, 0) + 1
    most = max(edges.values())
    return "\n".join(
        f"{f'≤ {2.0**edge:g} ms':>12} {edges.get(edge, 0):>6} "
        f"{'█' * math.ceil(_BARS * edges.get(edge, 0) / most)}"
        for edge in range(min(edges), max(edges) + 1)
    )
