"""Which database, queue or other keeper of files a container is: the table of `engines.yaml`."""

import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from landfast.audit.commands import programs
from landfast.image_names import ImageName

_TABLE = Path(__file__).with_name("engines.yaml")
_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")
_COMPONENTS = ("app.kubernetes.io/component", "component", "role")
_VERSION = re.compile(r"v?\d\w*")
_SHARED_FOLDERS = {"root", "mnt", "home", "tmp"}  # of the root directory: anything may lie there

_K = TypeVar("_K")


class Kind(StrEnum):
    """What an engine is; `EMBEDDED` is a database inside an application, mostly SQLite."""

    DATABASE = "database"
    QUEUE = "queue"
    SEARCH = "search"
    TIME_SERIES = "time series"
    OBJECT_STORE = "object store"
    EMBEDDED = "embedded"
    FILE_SERVER = "file server"


def _absolute(path: str) -> str:
    """Return a path, with `~` as the home of root, the user of most such images."""
    if path.startswith("~/"):
        path = f"/root{path[1:]}"
    if not path.startswith("/") or posixpath.normpath(path) != path:
        raise ValueError(f"{path} is not an absolute, normalised path")
    return path


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Name = Annotated[str, Field(pattern=r"^[a-z0-9]+([-_./][a-z0-9]+)*$")]
Directory = Annotated[str, AfterValidator(_absolute)]
Port = Annotated[int, Field(gt=0, lt=65536)]


class VendorsWord(_Entry):
    """What an engine's maker says of NFS, and where."""

    supported: bool
    says: str
    source: str


class Unsafe(_Entry):
    """An argument, as a regular expression, and what it costs."""

    argument: str
    costs: str


class Engine(_Entry):
    """What keeps data in files. `engines.yaml` explains the fields."""

    name: str
    kind: Kind
    images: Annotated[tuple[Name, ...], Field(min_length=1)]
    programs: tuple[str, ...] = ()
    data: tuple[Directory, ...] = ()
    volumes: tuple[Directory, ...] = ()
    parts: tuple[tuple[Directory, ...], ...] = ()
    ports: tuple[Port, ...] = ()
    locks: bool | None = None
    locked_by: str = ""
    volume_optional: bool = False
    nfs: VendorsWord | None = None
    unsafe: tuple[Unsafe, ...] = ()
    unsafe_by: str = ""

    def __str__(self) -> str:
        return self.name


class Table(_Entry):
    """All that `engines.yaml` says."""

    engines: tuple[Engine, ...]
    not_servers: frozenset[str]
    neutral: frozenset[str]
    others: frozenset[str]
    tools: frozenset[str]


@cache
def table() -> Table:
    """Return the table, read once.

    Raises:
        pydantic.ValidationError: an entry has an unknown field, or one of a wrong type.
    """
    return Table.model_validate(yaml.load(_TABLE.read_text(), Loader=yaml.CSafeLoader))


@dataclass(frozen=True)
class _Guess:
    """What a name says: an engine, `sure` or in need of more; without an engine: no server."""

    engine: Engine | None
    sure: bool


def identify(
    image: str,
    labels: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
    mount_paths: Collection[str] = (),
    ports: Collection[int] = (),
) -> Engine | None:
    """Return which engine a container runs; None if it is no server, or nothing tells.

    The first that is sure decides: the image, the labels, the command, where a volume is mounted,
    the port. A name with words that nobody knows (`mysql-acme`) counts once any other agrees.

    Args:
        image: its image, with or without registry, tag and digest.
        labels: the labels of its pod, if they speak of this container alone.
        command: its `command` and `args` in one list.
        mount_paths: where volumes are mounted.
        ports: its `containerPort`s.
    """
    started = list(programs(command))
    run = _first(started, _by_program())
    if started and run is None and all(program in table().tools for program in started):
        return None
    path = ImageName.parse(image).path.lower()
    guess, label = _by_image(path), _by_labels(labels or {})
    if guess and guess.engine is None:
        return run
    if guess and guess.sure:
        return guess.engine
    if _is_other_component(labels or {}):
        return run
    paths = {posixpath.normpath(path) for path in mount_paths}
    found = [
        label,
        run,
        _first(paths, _by_directory()),
        _first(ports, _by_port()) if paths else None,
    ]
    if guess and guess.engine and (guess.engine in found or _telling(guess.engine) & paths):
        return guess.engine
    if posixpath.basename(path) in table().others:
        return run
    return next((engine for engine in found if engine), None)


def _telling(engine: Engine) -> set[str]:
    """Return an engine's data directories without those that anybody uses, such as `/data`."""
    return {path for path in engine.data if path.count("/") > 1}


def _first(keys: Collection[_K], engines: Mapping[_K, Engine]) -> Engine | None:
    return next((engines[key] for key in keys if key in engines), None)


@cache
def _by_program() -> Mapping[str, Engine]:
    return {program: engine for engine in table().engines for program in engine.programs}


@cache
def _by_port() -> Mapping[int, Engine]:
    return {port: engine for engine in table().engines for port in engine.ports}


@cache
def _by_directory() -> Mapping[str, Engine]:
    """Return the data directories that tell an engine; what an application calls so may be any."""
    found: dict[str, Engine] = {}
    for engine in table().engines:
        if engine.kind not in (Kind.EMBEDDED, Kind.FILE_SERVER):
            for path in _telling(engine):
                if path.split("/")[1] not in _SHARED_FOLDERS:
                    found.setdefault(path, engine)
    return found


@cache
def _phrases() -> Mapping[tuple[str, ...], Engine]:
    """Return the names of images as words; those with an organisation as one word."""
    return {
        (name,) if "/" in name else tuple(_words(name)): engine
        for engine in table().engines
        for name in engine.images
    }


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[-_.]", name) if word]


def _by_image(path: str) -> _Guess | None:
    organisation_and_name = "/".join(path.split("/")[-2:])
    if engine := _phrases().get((organisation_and_name,)):
        return _Guess(engine, sure=True)
    return _by_name(posixpath.basename(path))


def _by_labels(labels: Mapping[str, str]) -> Engine | None:
    for key in _LABELS:
        guess = _by_name(labels.get(key, "").lower())
        if guess:
            return guess.engine if guess.sure else None
    return None


def _is_other_component(labels: Mapping[str, str]) -> bool:
    """Whether labels say that it is a part of a system that is no server: a proxy, a client."""
    said = (_by_name(labels.get(key, "").lower()) for key in _COMPONENTS)
    return any(guess is not None and guess.engine is None for guess in said)


def _by_name(name: str) -> _Guess | None:
    """Judge a name by its words: the last engine in it, unless other words say otherwise."""
    words = _words(name)
    first, length, engine = _last_engine(words)
    around = [*words[:first], *words[first + length :]]
    if any({word, _bare(word)} & table().not_servers for word in around):
        return _Guess(None, sure=True)
    if engine is None:
        return None
    after = words[first + length :]
    return _Guess(engine, all(_says_nothing(word) for word in after))


def _last_engine(words: Sequence[str]) -> tuple[int, int, Engine | None]:
    """Return where the last engine's name begins, its number of words, and the engine."""
    found: tuple[int, int, Engine | None] = (0, 0, None)
    bare = [_bare(word) for word in words]
    for first in range(len(words)):
        for length in range(min(4, len(words) - first), 0, -1):
            part = slice(first, first + length)
            engine = _phrases().get(tuple(words[part])) or _phrases().get(tuple(bare[part]))
            if engine and first >= found[0] + found[1]:
                found = (first, length, engine)
                break
    return found


def _bare(word: str) -> str:
    """Return a word without a version at its end (`mysql8`, `postgres16`)."""
    return word.rstrip("0123456789") or word


def _says_nothing(word: str) -> bool:
    return bool(_VERSION.fullmatch(word)) or bool({word, _bare(word)} & table().neutral)
