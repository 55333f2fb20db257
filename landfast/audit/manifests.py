"""Reads manifests from files, folders and standard input, with the line of every field."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml.composer import ComposerError

from landfast.audit.objects import Resource
from landfast.audit.parsing import parse
from landfast.audit.place import Place
from landfast.errors import BadInput
from landfast.kube.client import Object

STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Manifests:
    """The objects that were read, the number of documents, and the files without an object."""

    resources: tuple[Resource, ...]
    documents: int
    without_objects: tuple[str, ...]


def read(names: Sequence[str]) -> Manifests:
    """Read all documents and lists of YAML or JSON files and folders; "-" is standard input.

    Raises:
        BadInput: a file is missing or not YAML, or none has a Kubernetes object.
    """
    resources: list[Resource] = []
    documents, without = 0, []
    for name, text in _texts(names):
        found = 0
        for place, obj in _objects(name, text):
            found += 1
            resource = parse(obj, place)
            resources += [resource] if resource else []
        documents += found
        without += [] if found else [name]
    if not documents:
        raise BadInput(f"no Kubernetes object in {', '.join(names)}")
    return Manifests(tuple(resources), documents, tuple(without))


def _texts(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    seen = set()
    for name in names:
        if name == STDIN:
            yield "stdin", _text("standard input", sys.stdin.buffer.read)
            continue
        for path in _files(Path(name)):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            yield str(path), _text(str(path), path.read_bytes)


def _text(name: str, read_bytes: Callable[[], bytes]) -> str:
    try:
        return read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not text"
        raise BadInput(f"{name} cannot be read: {said}") from error


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES and p.is_file())
    if not found:
        raise BadInput(f"the folder {path} has no {', '.join(_SUFFIXES)} file")
    return found


def _objects(file: str, text: str) -> Iterator[tuple[Place, Object]]:
    """Yield every object of a file with its place, including those inside lists."""
    try:
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
            _check(node, {})
            yield from _in(Place(file, node), {})
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else file
        said = getattr(error, "problem", None) or " ".join(str(error).split())
        hint = "; render it first: `helm template CHART | landfast audit -`" if "{{" in text else ""
        raise BadInput(f"{where} is not valid YAML: {said}{hint}") from error


def _check(node: yaml.Node, complete: dict[int, bool]) -> None:
    """Refuse what Python's YAML reader accepts and Kubernetes' does not.

    `complete` has the nodes seen so far: aliases may lead to one node a billion times.

    Raises:
        yaml.YAMLError: a mapping has a key twice, as after joining files without `---`, or an
            alias contains itself.
    """
    if id(node) in complete:
        if not complete[id(node)]:
            raise ComposerError(None, None, "an alias contains itself", node.start_mark)
        return
    complete[id(node)] = False
    if isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if str(key.value) in keys:
                said = f"duplicate key {key.value}; is a `---` missing between two documents?"
                raise ComposerError(None, None, said, key.start_mark)
            keys.add(str(key.value))
            _check(value, complete)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check(item, complete)
    complete[id(node)] = True


def _in(place: Place, type_of_list: dict[str, str]) -> Iterator[tuple[Place, Object]]:
    """Yield an object, or those of a list. In a `PersistentVolumeList` they may omit their type."""
    node = place.node
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    said = {k.value: str(v.value) for k, v in pairs if k.value in ("apiVersion", "kind")}
    its_type = {**type_of_list, **said}
    items = next((v for k, v in pairs if k.value == "items"), None)
    if len(its_type) < 2:
        return
    if its_type["kind"].endswith("List") and isinstance(items, yaml.SequenceNode):
        kind = its_type["kind"].removesuffix("List")
        inner = {"apiVersion": its_type["apiVersion"], "kind": kind} if kind else {}
        for item in items.value:
            yield from _in(Place(place.file, item), inner)
        return
    loader = yaml.SafeLoader("")
    try:
        yield place, {**its_type, **loader.construct_document(node)}
    finally:
        loader.dispose()
