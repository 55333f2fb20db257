"""Reads JSON: one object after another, and the lines of their fields."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from landfast.audit.place import Path, Text

_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, eq=False)
class JsonText(Text):
    """A value in a text that begins at a line of a file; `start` is its first character."""

    text: str
    first_line: int = 1
    start: int = 0

    def line(self, path: Path) -> int:
        """Return the line of a field's key, or of the last part of its path that exists."""
        key = at = self.start
        for step in path:
            found = next((f for f in _children(self.text, at) if f[0] == step), None)
            if found is None:
                break
            _, key, at = found
        return self.first_line + self.text.count("\n", 0, key)

    def items(self, key: str) -> "list[JsonText]":
        """Return the elements of a list that is a field of this object."""
        at = next(at for name, _, at in _children(self.text, self.start) if name == key)
        return [JsonText(self.text, self.first_line, i) for _, _, i in _children(self.text, at)]


def values(text: str, first_line: int) -> Iterator[tuple[JsonText, Any]]:
    """Yield the values that a text has one after another.

    Raises:
        ValueError: the text is not JSON.
        RecursionError: it is nested too deeply.
    """
    at = _skip(text, 0)
    while at < len(text):
        value, end = _DECODER.raw_decode(text, at)
        yield JsonText(text, first_line, at), value
        at = _skip(text, end)


def _children(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Yield key or index of each part of a value, where its key begins, and where it begins."""
    opening = text[at]
    at, number = _skip(text, at + 1), 0
    while opening in "{[" and text[at] not in "}]":
        name: str | int = number
        key = at
        if opening == "{":
            name, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # behind the colon
        yield name, key, at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
        number += 1


def _skip(text: str, at: int) -> int:
    """Return where the next character is that is no space."""
    found = _SPACE.match(text, at)
    return found.end() if found else at
