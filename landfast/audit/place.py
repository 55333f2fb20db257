"""Where an object and its fields are in a file."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""The way to a field: `("spec", "nfs", "path")`; a number is an index into a list."""


class Text(ABC):
    """A document of a file. It is read again for a line, which costs no memory until then."""

    @abstractmethod
    def line(self, path: Path) -> int:
        """Return the line of a field's key, or of the last part of its path that exists."""


@dataclass(frozen=True)
class Place:
    """Where an object is: in a text, at a path in it; one from a cluster has no file."""

    file: str = ""
    text: Text | None = field(default=None, compare=False, repr=False)
    path: Path = field(default=(), compare=False)

    def at(self, path: Path) -> "Place":
        """Return the place of a field."""
        return Place(self.file, self.text, (*self.path, *path))

    def line(self, path: Path = ()) -> int | None:
        """Return the line of a field's key, counted from 1."""
        return self.text.line((*self.path, *path)) if self.text else None
