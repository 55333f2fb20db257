"""The curves of a timeline: writes per second and latency over time. Pure."""

import math
from collections.abc import Iterable, Sequence

from landfast.results import Bin, Survival
from reports.picture import LEFT, Panel, Scale, Tick

_RATE, _LATENCY = 110, 88
_MOST_BINS = 400


def rate_panel(survival: Survival, scale: Scale, top: float) -> Panel:
    """Draw acknowledged writes per second as an area."""
    width, bins = merged(survival)
    bottom = top + _RATE
    rates = []
    for index, found in enumerate(bins):
        end = (index + 1) * width
        seconds = width - max(0.0, end - survival.marks.ended)  # the last bin may be shorter
        rates.append((end, found.acknowledged / max(seconds, width / 4)))
    most = _nice(max((rate for _, rate in rates), default=0.0))
    path = f"M{LEFT} {_n(bottom)}"
    for end, rate in rates:
        path += f"V{_n(bottom - _RATE * rate / most)}H{_n(scale.x(end))}"
    path += f"V{_n(bottom)}Z"
    ticks = tuple(
        Tick(bottom - _RATE * part, f"{most * part:,.0f}" if most > 10 else f"{most * part:g}")
        for part in (0, 0.5, 1)
    )
    return Panel(top, bottom, ticks, (path,))


def latency_panel(survival: Survival, scale: Scale, top: float) -> Panel:
    """Draw median and worst latency on a logarithmic axis."""
    width, bins = merged(survival)
    bottom = top + _LATENCY
    seen = [max(v, 0.01) for found in bins for v in (found.p50, found.worst) if v is not None]
    low = math.floor(math.log10(min(seen))) if seen else 0
    high = max(math.ceil(math.log10(max(seen))) if seen else 3, low + 1)

    def y(value: float) -> float:
        return bottom - _LATENCY * (math.log10(max(value, 0.01)) - low) / (high - low)

    def path(values: Sequence[float | None]) -> str:
        parts, drawing = [], False
        for index, value in enumerate(values):
            if value is not None:
                parts.append(
                    f"{'V' if drawing else f'M{_n(scale.x(index * width))} '}{_n(y(value))}"
                    f"H{_n(scale.x((index + 1) * width))}"
                )
            drawing = value is not None
        return "".join(parts)

    step = math.ceil((high - low) / 4)
    ticks = tuple(
        Tick(round(y(10.0**power), 1), _milliseconds(power))
        for power in range(low, high + 1)
        if (high - power) % step == 0
    )
    paths = path([found.p50 for found in bins]), path([found.worst for found in bins])
    return Panel(top, bottom, ticks, paths)


def merged(survival: Survival) -> tuple[float, tuple[Bin, ...]]:
    """Return the seconds of a bin and the bins, joined so that each can be seen."""
    seen = survival.availability
    factor = max(1, math.ceil(len(seen.bins) / _MOST_BINS))
    if factor == 1:
        return seen.bin_seconds, seen.bins
    parts = [seen.bins[i : i + factor] for i in range(0, len(seen.bins), factor)]
    return seen.bin_seconds * factor, tuple(_join(part) for part in parts)


def _join(bins: Iterable[Bin]) -> Bin:
    bins = tuple(bins)
    total = sum(found.acknowledged for found in bins)
    median, before = None, 0
    for found in sorted((b for b in bins if b.p50 is not None), key=lambda b: b.p50 or 0.0):
        if 2 * before <= total:
            median = found.p50
        before += found.acknowledged
    return Bin(
        acknowledged=total,
        errors=sum(found.errors for found in bins),
        p50=median,
        worst=max((found.worst for found in bins if found.worst is not None), default=None),
    )


def _nice(value: float) -> float:
    """Return the next round number."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        power * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * step >= value * 0.999
    )


def _milliseconds(power: int) -> str:
    return f"{10.0 ** (power - 3):g} s" if power >= 3 else f"{10.0**power:g} ms"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
