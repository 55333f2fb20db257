"""The timeline of a scenario: the position of everything in a picture, in its own units. Pure.

There is no markup here; `chaos.html` draws it. Times in texts are seconds from the injection.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from landfast.results import Survival
from reports.curves import latency_panel, merged, rate_panel
from reports.picture import (
    CHAR,
    LEFT,
    RIGHT,
    WIDTH,
    Box,
    Gap,
    Label,
    Mark,
    Moments,
    Panel,
    Scale,
    Tick,
    Track,
    beside,
    extent,
    fit,
)
from reports.survival_words import injection, was_read
from reports.text import elapsed

_LABEL, _BAND, _LANE = 17, 18, 24
_STEPS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True)
class Timeline:
    """The whole picture, from top to bottom."""

    height: float
    top: float
    bottom: float
    marks: tuple[Mark, ...]
    fault: Track
    rate: Panel
    gap: Gap | None
    errors_top: float
    errors: tuple[Moments, ...]
    lost: Track
    latency: Panel
    lanes: tuple[Track, ...]
    events_top: float
    events: tuple[Moments, ...]
    ticks: tuple[Tick, ...]
    width: float = WIDTH
    left: float = LEFT
    right: float = RIGHT


def timeline(survival: Survival) -> Timeline:
    """Return the position of everything that a scenario showed."""
    scale = _scale(survival)
    marks, top = _marks(survival, scale)
    rate_top = top + _BAND + 10
    rate = rate_panel(survival, scale, rate_top)
    errors_top = rate.bottom + 8
    lost_top = errors_top + _BAND + 2
    latency = latency_panel(survival, scale, lost_top + _BAND + 12)
    lanes_top = latency.bottom + 14
    lanes = _lanes(survival, scale, lanes_top)
    events_top = lanes_top + len(lanes) * _LANE + 2
    bottom = events_top + (30 if survival.happenings else 0)
    return Timeline(
        height=bottom + 26,
        top=top,
        bottom=bottom,
        marks=marks,
        fault=_fault(survival, scale, top),
        rate=rate,
        gap=_gap(survival, scale, rate_top + 0.42 * (rate.bottom - rate_top)),
        errors_top=errors_top,
        errors=_errors(survival, scale),
        lost=_lost(survival, scale, lost_top),
        latency=latency,
        lanes=lanes,
        events_top=events_top,
        events=_groups(
            [scale.x(happening.at) for happening in survival.happenings],
            lambda first, last: str(first + 1) if first == last else f"{first + 1}-{last + 1}",
            after=False,
        ),
        ticks=_time_ticks(scale),
    )


def _scale(survival: Survival) -> Scale:
    marks, seen = survival.marks, survival.availability
    times = [marks.ended, marks.proven or 0.0, marks.healed or 0.0]
    return Scale(injection(survival), max(*times, len(seen.bins) * seen.bin_seconds, 1.0))


def _marks(survival: Survival, scale: Scale) -> tuple[tuple[Mark, ...], float]:
    """Place the marks, their names in as many rows as they need; return where the rows end too."""
    marks, first = survival.marks, survival.availability.rto_first
    moments = {
        "injected": scale.injected,
        "proven": marks.proven,
        "healed": marks.healed,
        "recovered": scale.injected + first if first else None,
    }
    found: list[Mark] = []
    taken: list[list[tuple[float, float]]] = []
    for name, at in moments.items():
        if at is None:
            continue
        x = scale.x(at)
        text = name if name == "injected" else f"{name} +{elapsed(at - scale.injected)}"
        label = beside(x, x, 0, text)
        start, end = extent(label)
        row = next(
            (
                row
                for row, others in enumerate(taken)
                if all(end + 8 < left or right + 8 < start for left, right in others)
            ),
            len(taken),
        )
        if row == len(taken):
            taken.append([])
        taken[row].append((start, end))
        y = row * _LABEL + 13
        found.append(Mark(name, x, Label(label.x, y, text, label.anchor)))
    return tuple(found), len(taken) * _LABEL + 4.0


def _fault(survival: Survival, scale: Scale, top: float) -> Track:
    healed = survival.marks.healed
    x, end = scale.x(scale.injected), scale.x(scale.end if healed is None else healed)
    width = max(2.0, round(end - x, 1))
    name = survival.scenario.fault + (", not healed" if healed is None else "")
    inside = len(name) * CHAR + 8 <= width
    box = Box(x, width, name, name if inside else "", good=False)
    return Track(top, (box,), label=None if inside else beside(x, x + width, top + 13, name))


def _gap(survival: Survival, scale: Scale, y: float) -> Gap | None:
    seen = survival.availability
    if not seen.gaps:
        return None
    x, end = scale.x(seen.gap_from), scale.x(seen.gap_from + seen.gap)
    text = f"no write for {elapsed(seen.gap)}"
    if len(text) * CHAR + 12 <= end - x:
        return Gap(x, end, y, Label(round((x + end) / 2, 1), y - 6, text, "middle"))
    return Gap(x, end, y, beside(x, end, y + 4, text))


def _errors(survival: Survival, scale: Scale) -> tuple[Moments, ...]:
    width, bins = merged(survival)
    found = [(index, bin_.errors) for index, bin_ in enumerate(bins) if bin_.errors]

    def count(first: int, last: int) -> str:
        total = sum(errors for _, errors in found[first : last + 1])
        return f"{total:,}" if total > 1 else ""

    return _groups([scale.x((index + 0.5) * width) for index, _ in found], count, after=True)


def _lost(survival: Survival, scale: Scale, top: float) -> Track:
    boxes = []
    for run in survival.ledger.lost:
        x = scale.x(run.acknowledged_from)
        width = max(3.0, round(scale.x(run.acknowledged_to) - x, 1))
        boxes.append(Box(x, width, f"writer {run.writer}", good=False))
    if not boxes:
        said = "none" if was_read(survival) else "not known: the ledger was not read"
        return Track(top, (), label=Label(LEFT + 5, top + 13, said))
    left, right = min(box.x for box in boxes), max(box.x + box.width for box in boxes)
    text = f"{survival.ledger.counts.lost:,} writes acknowledged here are gone"
    label = beside(left, right, top + 13, text)
    return Track(top, tuple(dict.fromkeys(boxes)), label=label)


def _lanes(survival: Survival, scale: Scale, top: float) -> tuple[Track, ...]:
    rows = []
    for index, lane in enumerate(survival.lanes):
        boxes = []
        for span in lane.spans:
            x = scale.x(span.start)
            width = max(1.5, round(scale.x(span.end) - x, 1))
            boxes.append(Box(x, width, span.state, fit(span.state, width - 8), span.good))
        rows.append(Track(top + index * _LANE, tuple(boxes), fit(lane.name, LEFT - 4)))
    return tuple(rows)


def _groups(
    xs: Sequence[float], text: Callable[[int, int], str], *, after: bool
) -> tuple[Moments, ...]:
    """Join moments until each group's label ends before the next group begins."""
    groups: list[Moments] = []
    first = 0
    for index, x in enumerate(xs):
        if groups:
            last = groups[-1]
            label = (last.end + 12 if after else last.x) + len(last.text) * CHAR
            if x < max(label, last.end + 9):
                groups.pop()
            else:
                first = index
        groups.append(Moments(xs[first], x, tuple(xs[first : index + 1]), text(first, index)))
    return tuple(groups)


def _time_ticks(scale: Scale) -> tuple[Tick, ...]:
    step = next((step for step in _STEPS if scale.end / step <= 14), scale.end / 10)
    first = math.ceil(-scale.injected / step)
    last = math.floor((scale.end - scale.injected) / step)
    return tuple(
        Tick(scale.x(scale.injected + number * step), f"{number * step:g}".replace("-", "\u2212"))
        for number in range(first, last + 1)
    )
