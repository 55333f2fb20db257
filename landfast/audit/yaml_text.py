"""Reads YAML as kubectl does: libyaml, no types but JSON's, tags without a meaning.

Timestamps stay text, an unknown tag and the value tag `=` mean nothing, and merge keys count.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.error import MarkedYAMLError

from landfast.audit.place import Path, Text

_DEPTH = 200
_VALUES = 100_000  # an object of the API has 1.5 MB at most
_PLAIN, _TEXT = "plain", "text"
_TAGGED = "tag:yaml.org,2002:"
_WORDS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"], True),
    **dict.fromkeys(["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"], False),
}
_NUMBER = re.compile(
    r"[-+]?(?:(?P<int>0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*)"
    r"|(?:[0-9][0-9_]*)?\.?[0-9_]+(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*\.)"
)


class _Parser(CParser):
    """libyaml's parser, which makes nodes with marks; it asks the class for tags."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def resolve(self, kind: type, _value: object, implicit: Any) -> str:
        return _PLAIN if kind is yaml.ScalarNode and implicit[0] else _TEXT

    def descend_resolver(self, _parent: object, _index: object) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise yaml.YAMLError(f"it is nested more than {_DEPTH} levels deep")

    def ascend_resolver(self) -> None:
        self._depth -= 1


@dataclass(frozen=True, eq=False)
class YamlText(Text):
    """One of the documents in a part of a file, which begins at a line of the file."""

    text: str
    first_line: int = 1
    number: int = 0

    def line(self, path: Path) -> int:
        """Return the line of a field's key, or of the last part of its path that exists."""
        key = node = _root(self)
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            key, node = found
        return int(key.start_mark.line) + self.first_line


def documents(text: str) -> Iterator[yaml.Node]:
    """Yield the root of each document that is not empty.

    Raises:
        yaml.YAMLError: the text is not YAML, or is nested too deeply.
    """
    parser = _Parser(text)
    try:
        while parser.check_node():
            if root := parser.get_node():
                yield root
    finally:
        parser.dispose()


def check(text: str, *, aliases: bool) -> None:
    """Check that a text is YAML, without reading what it says; with `aliases`, all have anchors.

    Raises:
        yaml.YAMLError: it is not.
    """
    if aliases:
        list(documents(text))
        return
    parser = _Parser(text)
    try:
        parser.raw_parse()
    finally:
        parser.dispose()


def fields(node: yaml.Node, twice: list[yaml.Node] | None = None) -> dict[str, yaml.Node]:
    """Return the values of a mapping by their keys; nothing for any other node.

    Of a key that is there twice the last counts, as for kubectl, and goes to `twice`.

    Raises:
        yaml.YAMLError: a key is there twice, as after joining files without `---`, and there is no
            `twice`.
    """
    found: dict[str, yaml.Node] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if not isinstance(key, yaml.ScalarNode):
            raise MarkedYAMLError(problem="a key is not a word", problem_mark=key.start_mark)
        again = key.value in found and key.value != "<<"
        if again and twice is not None:
            twice.append(key)
        elif again:
            said = f"duplicate key {key.value}; is a `---` missing between two documents?"
            raise MarkedYAMLError(problem=said, problem_mark=key.start_mark)
        found[key.value] = value
    return found


def field(node: yaml.Node, name: str, *, merges: int = 3) -> yaml.Node | None:
    """Return the value of a field of a mapping, also of one that is merged into it.

    Raises:
        yaml.YAMLError: a key is there twice.
    """
    said = fields(node)
    if name in said or "<<" not in said or not merges:
        return said.get(name)
    merged = said["<<"]
    for other in merged.value if isinstance(merged, yaml.SequenceNode) else [merged]:
        if (found := field(other, name, merges=merges - 1)) is not None:
            return found
    return None


def value(node: yaml.Node, twice: list[yaml.Node]) -> Any:
    """Return what a node says, in the types of JSON; keys that are there twice go to `twice`.

    Raises:
        yaml.YAMLError: an alias contains itself, or aliases expand to more
            values than any object has.
    """
    return _Builder(twice).value(node)


class _Builder:
    def __init__(self, twice: list[yaml.Node]) -> None:
        self._twice = twice
        self._open: set[int] = set()
        self._count = 0

    def value(self, node: yaml.Node) -> Any:
        self._count += 1
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self._open:
            raise MarkedYAMLError(problem="an alias contains itself", problem_mark=node.start_mark)
        if self._count > _VALUES:
            raise MarkedYAMLError(
                problem=f"an object has more than {_VALUES:,} values, with its aliases expanded",
                problem_mark=node.start_mark,
            )
        if len(self._open) > _DEPTH:  # aliases in aliases
            raise MarkedYAMLError(
                problem=f"it is nested more than {_DEPTH} levels deep",
                problem_mark=node.start_mark,
            )
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item) for item in node.value]
            return self._mapping(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.Node) -> dict[str, Any]:
        said = fields(node, self._twice)
        merged = said.pop("<<", None)
        found = {key: self.value(item) for key, item in said.items()}
        if merged is not None:
            others = self.value(merged)
            for other in others if isinstance(others, list) else [others]:
                if isinstance(other, dict):
                    found = {**other, **found}
        return found


def _scalar(node: yaml.ScalarNode) -> Any:
    kind = str(node.tag).removeprefix(_TAGGED)
    return plain(node.value) if kind in (_PLAIN, "int", "float", "bool", "null") else node.value


@lru_cache(maxsize=100_000)
def plain(text: str) -> Any:
    """Return what a word without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789" and (found := _NUMBER.fullmatch(text)):
        try:
            return _int(text.replace("_", "")) if found["int"] else float(text.replace("_", ""))
        except ValueError:  # 09, or more digits than Python reads
            return text
    return text


def _int(text: str) -> int:
    digits = text.lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return int(text, 8 if octal else 0)


@lru_cache(maxsize=64)
def _root(document: YamlText) -> yaml.Node:
    for number, root in enumerate(documents(document.text)):
        if number == document.number:
            return root
    raise AssertionError("the document was there before")


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, found in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key, found
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None
