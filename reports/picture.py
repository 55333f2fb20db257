"""What a picture is made of: values, a scale, and how wide texts are. Pure."""

from dataclasses import dataclass

WIDTH = 960
LEFT, RIGHT = 156, 930
CHAR = 6.7
"""How wide a character of a label is, about."""


@dataclass(frozen=True)
class Label:
    """A text beside something; it begins or ends at `x`."""

    x: float
    y: float
    text: str
    anchor: str = "start"


@dataclass(frozen=True)
class Mark:
    """A moment of the fault: a line through the picture, and its name above."""

    name: str
    x: float
    label: Label


@dataclass(frozen=True)
class Tick:
    """A place on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Panel:
    """A curve over time, `d` of a path each, and its axis; `top` is the axis' end."""

    top: float
    bottom: float
    ticks: tuple[Tick, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A stretch of time in a row; `text` is what fits in it of `title`."""

    x: float
    width: float
    title: str
    text: str = ""
    good: bool = True


@dataclass(frozen=True)
class Row:
    """A row of boxes."""

    name: str
    top: float
    boxes: tuple[Box, ...]
    label: Label | None = None


@dataclass(frozen=True)
class Group:
    """Moments that stand so close that they have one label."""

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
    """From seconds since the workload began to units of the picture."""

    injected: float
    end: float

    def x(self, at: float) -> float:
        """Give where a moment stands; what is outside the workload stands at its edge."""
        part = min(max(at, 0.0), self.end) / self.end
        return round(LEFT + part * (RIGHT - LEFT), 1)


def beside(x: float, end: float, y: float, text: str) -> Label:
    """Give a label to the right of a stretch, or to its left if it would leave the picture."""
    if end + 5 + len(text) * CHAR <= WIDTH:
        return Label(end + 5, y, text)
    return Label(x - 5, y, text, "end")


def extent(label: Label) -> tuple[float, float]:
    """Give where a label begins and ends."""
    width = len(label.text) * CHAR
    return (label.x, label.x + width) if label.anchor == "start" else (label.x - width, label.x)


def fit(text: str, width: float) -> str:
    """Give as much of a text as fits; nothing if that would say nothing."""
    room = int(width / CHAR)
    if len(text) <= room:
        return text
    return f"{text[: room - 1].rstrip()}…" if room >= 6 else ""
