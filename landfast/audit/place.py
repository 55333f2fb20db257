"""Where an object and its fields are in a file."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]
"""The way to a field: `("spec", "nfs", "path")`; a number is an index into a list."""


@dataclass(frozen=True)
class Place:
    """Where an object is; one from a cluster has no file."""

    file: str = ""
    node: yaml.Node | None = field(default=None, compare=False, repr=False)

    def at(self, path: Path) -> "Place":
        """Return the place of a field, or of the last part of its path that exists."""
        *_, (_, node) = (None, self.node), *self._walk(path)
        return Place(self.file, node)

    def line(self, path: Path = ()) -> int | None:
        """Return the line of a field's key, counted from 1."""
        if self.node is None:
            return None
        *_, (key, _) = (self.node, None), *self._walk(path)
        return int(key.start_mark.line) + 1

    def _walk(self, path: Path) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """Yield key and value of each field on the way, as far as they exist."""
        node = self.node
        for step in path:
            found = _child(node, step)
            if found is None:
                return
            yield found
            node = found[1]


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None
