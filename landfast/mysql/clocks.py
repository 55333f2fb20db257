"""How a pod's clock differs from this process's, from looks at it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from landfast.verdict import Unknown

DRIFT = 0.001
"""Seconds a second: the kernel slews a clock by 500 ppm at most (RFC 5905, MAXFREQ), here two."""


@dataclass(frozen=True)
class Look:
    """A pod's clock was read between two moments of this process's; all monotonic seconds."""

    sent: float
    read: float
    received: float


@dataclass(frozen=True)
class Offset:
    """What to add to a pod's times, and by how much the sum may be off, in seconds."""

    seconds: float
    error: float


def offset_of(looks: Sequence[Look], since: float) -> Offset:
    """Return the offset that held from `since` until the last of the looks.

    It is that of the shortest look. Its error is half of that look, and the drift until the other
    end of that time.

    Raises:
        Unknown: another look contradicts it: a clock was moved.
    """
    best = min(looks, key=lambda look: look.received - look.sent)
    seconds = (best.sent + best.received) / 2 - best.read
    last = max(look.received for look in looks)
    drift = DRIFT * max(best.received - since, last - best.sent)
    error = (best.received - best.sent) / 2 + drift
    for look in looks:
        if not look.sent - error <= look.read + seconds <= look.received + error:
            raise Unknown(
                f"the clock of a pod with writers was moved by more than {error:.3f} s: nobody "
                "knows what was written before the fault, and what after it"
            )
    return Offset(seconds, error)
