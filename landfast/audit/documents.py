"""Finds the objects in the text of a file: documents, streams of JSON, lists, templates."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import yaml

from landfast.audit import json_text, yaml_text
from landfast.audit.json_text import JsonText
from landfast.audit.place import Place
from landfast.audit.yaml_text import YamlText
from landfast.kube.client import Object

_MARKER = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_NOTHING = re.compile(r"(?:---)?[ \t]*(?:(?:#|%).*)?(?:\n[ \t\r]*(?:(?:#|%).*)?)*\Z")
_JSON = re.compile(r"(?:---)?\s*(?=\{)")
_TYPE = re.compile(r"^(apiVersion|kind):[ \t]*([\"']?)([\w./-]+)\2[ \t\r]*(?:#.*)?$", re.MULTILINE)
_ITEMS = re.compile(r"^items:[ \t\r]*(?:#.*)?\n(?=- )", re.MULTILINE)
_ITEM = re.compile(r"^-(?= )", re.MULTILINE)
_AFTER_ITEMS = re.compile(r"^[^\s#-]", re.MULTILINE)
_ALIAS = re.compile(r"[\s\[,{:-]\*[\w]")
_PARAMETER = re.compile(r"\$\{(\w+)\}|\$\{\{(\w+)\}\}")

Wanted = Callable[[str, str], bool]
"""Whether an object is read, by its apiVersion and kind; every other object is only counted."""


@dataclass(frozen=True)
class Found:
    """An object: its type, its place, and its content if it is wanted."""

    api_version: str
    kind: str
    place: Place
    content: Object | None
    of_template: bool = False

    @property
    def type(self) -> tuple[str, str]:
        """Its apiVersion and kind."""
        return self.api_version, self.kind


@dataclass(frozen=True)
class Broken:
    """A part of a file that cannot be read: the line, and what is wrong with it."""

    line: int
    said: str


class _Tree(Protocol):
    """A value of a document, YAML or JSON."""

    @property
    def place(self) -> Place:
        """Where it is."""
        ...

    def word(self, key: str) -> str:
        """Return a field that is a word, else ""."""
        ...

    def parts(self, key: str) -> "list[_Tree] | None":
        """Return the elements of a field that is a list, else None."""
        ...

    def value(self) -> Any:
        """Return all of it."""
        ...


def objects(file: str, text: str, wanted: Wanted) -> Iterator[Found | Broken]:
    """Yield every object of a file, those inside lists and templates too, and what is broken.

    Documents are separated as kubectl separates them, so a broken one hides no other.
    """
    for line, part in _parts(text):
        try:
            yield from _json(file, part, line, wanted)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            said = getattr(error, "problem", None) or str(error).partition("\n")[0]
            at = min(mark.line, part.rstrip().count("\n")) if mark else 0
            yield Broken(line + at, said)
        except RecursionError:
            yield Broken(line, "it is nested too deeply")


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Yield the documents of a text, each with its `---` and the line where it begins."""
    starts = [0, *(found.start() for found in _MARKER.finditer(text)), len(text)]
    line, begun = 1, 0
    for end in starts[1:]:
        if end < len(text) and "\n%" in f"\n{text[begun:end]}" and _is_nothing(text[begun:end]):
            continue  # directives, which belong to the next document
        if not _is_nothing(part := text[begun:end]):
            yield line, part
        line, begun = line + text.count("\n", begun, end), end


def _is_nothing(text: str) -> bool:
    return _NOTHING.match(text) is not None


def _json(file: str, text: str, line: int, wanted: Wanted) -> Iterator[Found | Broken]:
    """Read a document that could be JSON as JSON, any other as YAML."""
    begin = _JSON.match(text)
    if begin:
        blank = "\n" * text.count("\n", 0, begin.end()) + text[begin.end() :]
        try:
            values = list(json_text.values(blank, line))
        except ValueError:  # flow YAML
            pass
        else:
            for where, value in values:
                yield from _in(_JsonTree(value, Place(file, where)), {}, wanted)
            return
    yield from _yaml(file, text, line, wanted)


def _yaml(file: str, text: str, line: int, wanted: Wanted) -> Iterator[Found | Broken]:
    types = _TYPE.findall(text)
    if len(types) == 2 and "\n..." not in text:
        said = {key: word for key, _, word in types}
        kind = said.get("kind", "")
        if len(said) == 2 and not _is_wanted(kind, said["apiVersion"], wanted):
            yaml_text.check(text, aliases=bool(_ALIAS.search(text)))
            yield Found(said["apiVersion"], kind, Place(file), None)
            return
        if kind == "List" and (items := _items(text, line)):
            for number, item in items:
                yield from _documents(file, item, number, wanted)
            return
    yield from _documents(file, text, line, wanted)


def _is_wanted(kind: str, api_version: str, wanted: Wanted) -> bool:
    return kind.endswith("List") or kind == "Template" or wanted(api_version, kind)


def _items(text: str, line: int) -> list[tuple[int, str]] | None:
    """Return the items of a YAML list as `kubectl get` writes it, each with its line.

    A list of a whole cluster is large; item by item it is read in little memory. None if it is not
    of that form: `- ` in the first column is an item there, and nothing else can be.
    """
    begin = _ITEMS.search(text)
    if begin is None or _ALIAS.search(text):
        return None
    after = _AFTER_ITEMS.search(text, begin.end())
    end = after.start() if after else len(text)
    starts = [begin.end(), *(m.start() for m in _ITEM.finditer(text, begin.end() + 1, end)), end]
    found = []
    line += text.count("\n", 0, begin.end())
    for start, stop in pairwise(starts):
        found.append((line, f" {text[start + 1 : stop]}"))
        line += text.count("\n", start, stop)
    return found


def _documents(file: str, text: str, line: int, wanted: Wanted) -> Iterator[Found | Broken]:
    for number, root in enumerate(yaml_text.documents(text)):
        where = Place(file, YamlText(text, line, number))
        twice: list[yaml.Node] = []
        yield from _in(_YamlTree(root, where, twice), {}, wanted)
        for key in twice:
            said = f"duplicate key {key.value}, of which the last is taken"
            yield Broken(line + key.start_mark.line, said)


def _in(tree: _Tree, type_of_list: dict[str, str], wanted: Wanted) -> Iterator[Found]:
    """Yield an object, or those of a list. In a `PersistentVolumeList` they may omit their type."""
    api_version = tree.word("apiVersion") or type_of_list.get("apiVersion", "")
    kind = tree.word("kind") or type_of_list.get("kind", "")
    items = tree.parts("items") if kind.endswith("List") else None
    if items is not None:
        of = kind.removesuffix("List")
        inner = {"apiVersion": api_version, "kind": of} if of else {}
        for item in items:
            yield from _in(item, inner, wanted)
    elif kind == "Template" and (inside := tree.parts("objects")) is not None:
        given = _parameters(tree)
        for item in inside:
            for found in _in(item, {}, wanted):
                content = _filled(found.content, given)
                yield Found(found.api_version, found.kind, found.place, content, of_template=True)
    elif api_version and kind:
        content = None
        if wanted(api_version, kind):
            content = {"apiVersion": api_version, "kind": kind, **tree.value()}
        yield Found(api_version, kind, tree.place, content)


def _parameters(template: _Tree) -> dict[str, str]:
    """Return the values that an OpenShift template gives its own parameters."""
    given = (part.value() for part in template.parts("parameters") or [])
    return {
        str(p.get("name")): str(p["value"])
        for p in given
        if isinstance(p, dict) and p.get("value") is not None
    }


def _filled(value: Any, given: dict[str, str]) -> Any:
    """Put in what parameters say: `${NAME}` as text, `${{NAME}}` as what it reads as."""
    if isinstance(value, dict):
        return {key: _filled(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, given) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = _PARAMETER.fullmatch(value)
    if whole and whole[2] in given:
        return yaml_text.plain(given[whole[2]])
    return _PARAMETER.sub(lambda m: given.get(m[1] or m[2], m[0]), value)


@dataclass(frozen=True)
class _YamlTree:
    node: yaml.Node
    place: Place
    twice: list[yaml.Node]

    def word(self, key: str) -> str:
        found = yaml_text.field(self.node, key)
        return str(found.value) if isinstance(found, yaml.ScalarNode) else ""

    def parts(self, key: str) -> "list[_Tree] | None":
        found = yaml_text.field(self.node, key)
        if not isinstance(found, yaml.SequenceNode):
            return None
        return [
            _YamlTree(n, self.place.at((key, i)), self.twice) for i, n in enumerate(found.value)
        ]

    def value(self) -> Any:
        return yaml_text.value(self.node, self.twice)


@dataclass(frozen=True)
class _JsonTree:
    content: Any
    place: Place

    def word(self, key: str) -> str:
        found = self.content.get(key) if isinstance(self.content, dict) else None
        return found if isinstance(found, str) else ""

    def parts(self, key: str) -> "list[_Tree] | None":
        found = self.content.get(key) if isinstance(self.content, dict) else None
        if not isinstance(found, list) or not isinstance(self.place.text, JsonText):
            return None
        texts = self.place.text.items(key)
        return [
            _JsonTree(item, Place(self.place.file, text))
            for item, text in zip(found, texts, strict=True)
        ]

    def value(self) -> Any:
        return self.content
