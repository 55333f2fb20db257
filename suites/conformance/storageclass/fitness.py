"""How fast a volume is: what a pod measures, and how steady the figures are."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from landfast.verdict import Unknown

ENOUGH = 300
"""So many operations on a quiet node tell how fast a volume is."""
_BARS = 40
_LINE = re.compile(r"(\d+) (tmpfs|volume) (\d+)")


@dataclass(frozen=True)
class Latencies:
    """The latencies of single operations, in ms, in rounds.

    `own` is the measuring itself: the same on a tmpfs, before each round; it is not subtracted.
    """

    rounds: tuple[tuple[float, ...], ...]
    own: tuple[tuple[float, ...], ...]

    @property
    def all(self) -> list[float]:
        """All latencies, round by round."""
        return [latency for found in self.rounds for latency in found]

    def quiet(self, p50: float, p99: float) -> list[float]:
        """Return those of the rounds whose own median and maximum are within half of these."""
        return [
            latency
            for own, found in zip(self.own, self.rounds, strict=True)
            if quantile(own, 0.5) <= p50 / 2 and max(own) <= p99 / 2
            for latency in found
        ]

    def __str__(self) -> str:
        p50, p99, p999 = (quantile(self.all, part) for part in (0.5, 0.99, 0.999))
        own = [latency for found in self.own for latency in found]
        return (
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, p99.9 {p999:.1f} ms of {len(self.all)}; the same "
            f"on a tmpfs: p50 {quantile(own, 0.5):.1f} ms, p99 {quantile(own, 0.99):.1f} ms"
        )


def quantile(latencies: Sequence[float], part: float) -> float:
    """Return the latency within which a part of the operations ended (nearest rank)."""
    return sorted(latencies)[max(0, math.ceil(part * len(latencies)) - 1)]


def expect(found: Latencies, p50: float, p99: float) -> None:
    """Hold that latencies, in ms, are within the thresholds: all of them, or those of quiet rounds.

    Raises:
        Unknown: they are not, and the node was too busy for too many rounds.
    """
    if not (said := _excess(found.all, p50, p99)):
        return
    quiet = found.quiet(p50, p99)
    if len(quiet) < ENOUGH:
        raise Unknown(
            f"{said}, but the node is busy: only {len(quiet)} of {len(found.all)} operations "
            "were measured while a tmpfs stayed within half of the thresholds"
        )
    said = _excess(quiet, p50, p99)
    assert not said, f"{said}, while the node is quiet"


def _excess(latencies: Sequence[float], p50: float, p99: float) -> str:
    for part, limit in ((0.5, p50), (0.99, p99)):
        if (took := quantile(latencies, part)) > limit:
            return f"p{part * 100:.0f} is {took:.1f} ms, not {limit} or less"
    return ""


def parse(output: str, rounds: int) -> Latencies:
    """Read what a pod printed: a line for each operation, its round, where it was done, its µs.

    Raises:
        Unknown: the pod said something else, or a round is missing.
    """
    found: dict[str, list[list[float]]] = {
        where: [[] for _ in range(rounds)] for where in ("tmpfs", "volume")
    }
    other = []
    for line in output.splitlines():
        if match := _LINE.fullmatch(line):
            found[match[2]][int(match[1])].append(int(match[3]) / 1000)
        else:
            other.append(line)
    own, volume = (tuple(map(tuple, of_rounds)) for of_rounds in found.values())
    if other or not all((*own, *volume)):
        counted = sum(map(len, volume))
        raise Unknown(f"the pod measured {counted} operations: {'; '.join(other)}")
    return Latencies(volume, own)


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
