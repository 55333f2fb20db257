"""The parts of a picture: values, a scale, and the width of texts. Pure."""

from dataclasses import dataclass

WIDTH = 960
LEFT, RIGHT = 156, 930
CHAR = 6.7
"""The approximate width of a character of a label."""


@dataclass(frozen=True)
class Label:
    """A text that begins, ends or is centred at `x`, as `anchor` says."""

    x: float
    y: float
    text: str
    anchor: str = "start"


@dataclass(frozen=True)
class Mark:
    """A moment of the fault: a line through the picture with its name above."""

    name: str
    x: float
    label: Label


@dataclass(frozen=True)
class Tick:
    """A tick of an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Panel:
    """Curves over time, each the `d` of a path, and their axis."""

    top: float
    bottom: float
    ticks: tuple[Tick, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A stretch of time in a track; `text` is as much of `title` as fits."""

    x: float
    width: float
    title: str
    text: str = ""
    good: bool = True


@dataclass(frozen=True)
class Track:
    """A row of boxes; `name` is what a lane shows."""

    top: float
    boxes: tuple[Box, ...]
    name: str = ""
    label: Label | None = None


@dataclass(frozen=True)
class Moments:
    """Moments so close together that they share a label."""

    x: float
    end: float
    xs: tuple[float, ...]
    text: str


@dataclass(frozen=True)
class Gap:
    """The longest time without an acknowledged write."""

    x: float
    end: float
    y: float
    label: Label


@dataclass(frozen=True)
class Scale:
    """Converts seconds since the workload began to units of the picture."""

    injected: float
    end: float

    def x(self, at: float) -> float:
        """Return the position of a moment, at the edge if it is outside the workload."""
        part = min(max(at, 0.0), self.end) / self.end
        return round(LEFT + part * (RIGHT - LEFT), 1)


def beside(x: float, end: float, y: float, text: str) -> Label:
    """Place a label to the right of a stretch, or to its left if it would leave the picture."""
    if end + 5 + len(text) * CHAR <= WIDTH:
        return Label(end + 5, y, text)
    return Label(x - 5, y, text, "end")


def extent(label: Label) -> tuple[float, float]:
    """Return where a label begins and ends."""
    width = len(label.text) * CHAR
    return (label.x, label.x + width) if label.anchor == "start" else (label.x - width, label.x)


def fit(text: str, width: float) -> str:
    """Return as much of a text as fits; nothing if too little would be left."""
    room = int(width / CHAR)
    if len(text) <= room:
        return text
    return f"{text[: room - 1].rstrip()}…" if room >= 6 else ""
