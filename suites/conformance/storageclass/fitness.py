"""How fast a volume is: what a pod measures, and how steady the figures are."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

NOISY = 0.15
"""Rounds whose medians differ by more than this part are noisy."""
_BARS = 40


@dataclass(frozen=True)
class Latencies:
    """The latencies of single operations, in ms, in rounds of equal size.

    `own` is what the measuring itself takes, measured on a tmpfs; it is not subtracted.
    """

    rounds: tuple[tuple[float, ...], ...]
    own: float

    @property
    def all(self) -> list[float]:
        """All latencies, ascending."""
        return sorted(latency for found in self.rounds for latency in found)

    def quantile(self, part: float) -> float:
        """Return the latency within which a part of the operations ended (nearest rank)."""
        ordered = self.all
        return ordered[max(0, math.ceil(part * len(ordered)) - 1)]

    @property
    def spread(self) -> float:
        """How far the medians of the rounds are apart, as a part of the smallest."""
        medians = [statistics.median(found) for found in self.rounds]
        return max(medians) / min(medians) - 1

    def __str__(self) -> str:
        p50, p99, p999 = (self.quantile(part) for part in (0.5, 0.99, 0.999))
        noisy = "noisy: " if self.spread > NOISY else ""
        return (
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, p99.9 {p999:.1f} ms of {len(self.all)}; {noisy}"
            f"the medians of {len(self.rounds)} rounds differ by {self.spread:.0%}; "
            f"{self.own:.1f} ms of each are the measuring's own"
        )


def parse(output: str, rounds: int) -> Latencies:
    """Read what a pod printed: a line for each operation, its round and its times in seconds.

    Round 0 is that on the tmpfs.

    Raises:
        ValueError: a round is missing.
    """
    found: list[list[float]] = [[] for _ in range(rounds + 1)]
    for line in output.splitlines():
        number, before, after = line.split()
        found[int(number)].append((float(after) - float(before)) * 1000)
    if not all(found):
        raise ValueError(f"the pod measured {[len(of_round) for of_round in found]} operations")
    return Latencies(tuple(map(tuple, found[1:])), statistics.median(found[0]))


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
