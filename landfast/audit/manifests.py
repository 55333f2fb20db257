"""Reads manifests from files, folders and standard input; what is bad hides nothing else."""

import codecs
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from landfast.audit.documents import Broken, Found, objects
from landfast.audit.objects import Resource
from landfast.audit.parsing import is_of_another_group, is_read, parse
from landfast.audit.rendering import (
    HELM_CHART,
    KUSTOMIZATION,
    Source,
    advice_on,
    chart_of,
    render,
    source_in,
    unlisted,
)
from landfast.errors import BadInput

STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".json")
_MARKS = (  # the longer first: UTF-32 begins like UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


@dataclass(frozen=True)
class Manifests:
    """What was read.

    Attributes:
        resources: the objects that the audit looks at.
        documents: how many objects could be read, of all kinds.
        without_objects: the files without an object.
        unread: how many objects of each kind were seen and not read.
        problems: what could not be read, each in one sentence; all else was.
        unrendered: folders inside those that were named, with a Helm chart, which was left out, or
            a kustomization, whose files were read as they are.
        unlisted: the files beside a rendered kustomization that it does not name.
        excluded: how many files, and folders as a whole, were left out because a pattern says so.
        makers: for each kind of which a controller makes other objects, how to audit those.
    """

    resources: tuple[Resource, ...]
    documents: int
    without_objects: tuple[str, ...]
    unread: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    unrendered: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    excluded: int = 0
    makers: tuple[str, ...] = ()


def read(names: Sequence[str], exclude: Sequence[str] = ()) -> Manifests:
    """Read all documents and lists of YAML or JSON files and folders; "-" is standard input.

    A folder that is a Helm chart or a kustomization is rendered. `exclude` are patterns of what is
    left out: with a slash of a path as it would be printed, without one of a name.

    Raises:
        BadInput: nothing has a Kubernetes object; if that is because of one problem, it says so.
    """
    reader = _Reader(exclude)
    for name in names:
        reader.read(name)
    if not reader.documents:
        if len(reader.problems) == 1:
            raise BadInput(reader.problems[0])
        if not reader.problems:
            raise BadInput(_nothing(names, reader.unrendered))
    return Manifests(
        tuple(reader.resources),
        reader.documents,
        tuple(reader.without),
        reader.unread,
        tuple(reader.problems),
        tuple(reader.unrendered),
        tuple(reader.unlisted),
        reader.excluded,
        tuple(reader.makers),
    )


def _nothing(names: Sequence[str], unrendered: Sequence[str]) -> str:
    said = f"no Kubernetes object in {', '.join(names)}"
    return f"{said}; `landfast audit {unrendered[0]}` renders what is there" if unrendered else said


def not_read(unread: Mapping[str, int]) -> str:
    """Return a sentence on objects that were not read; "" if there are none."""
    total = sum(unread.values())
    kinds = ", ".join(
        f"{kind} \N{MULTIPLICATION SIGN}{count}" for kind, count in Counter(unread).most_common()
    )
    return f"{total} object{'' if total == 1 else 's'} not read: {kinds}" if total else ""


class _Reader:
    def __init__(self, exclude: Sequence[str]) -> None:
        self.resources: list[Resource] = []
        self.documents = 0
        self.without: list[str] = []
        self.unread: Counter[str] = Counter()
        self.problems: list[str] = []
        self.unrendered: list[str] = []
        self.unlisted: list[str] = []
        self.excluded = 0
        self.makers: dict[str, None] = {}
        self._exclude = exclude
        self._seen: set[Path] = set()

    def read(self, name: str) -> None:
        """Read a file, a folder or standard input."""
        if name == STDIN:
            self._read("stdin", "standard input", sys.stdin.buffer.read)
            return
        if source := source_in(Path(name)):
            self._render(source)
            return
        for path in self._files(Path(name)):
            real = path.resolve()
            if real not in self._seen:
                self._seen.add(real)
                if chart := chart_of(path):
                    self._template(path, chart)
                else:
                    self._read(str(path), str(path), path.read_bytes)

    def _template(self, path: Path, chart: Source) -> None:
        """Name a chart of which a template was to be read, once."""
        if chart.folder not in self._seen:
            self._seen.add(chart.folder)
            self.problems.append(
                f"{path} is a template of the {chart.what} {chart.folder}, and no manifest: "
                f"`landfast audit {chart.folder}` renders it"
            )

    def _render(self, source: Source) -> None:
        try:
            text = render(source)
        except BadInput as error:
            self.problems.append(str(error))
        else:
            self.unlisted += unlisted(source)
            command = " ".join(source.commands[0])
            self._read(command, command, text.encode)

    def _files(self, path: Path) -> Iterator[Path]:
        """Yield the files of a folder in order, or the file itself."""
        if not path.is_dir():
            if any(_matches(p, e) for e in self._exclude for p in (path, *path.parents)):
                self.excluded += 1
            else:
                yield path
            return
        found: list[Path] = []
        before = len(self.problems)
        for name, folders, files in os.walk(path, onerror=self._unreadable):
            folder = Path(name)
            source = source_in(folder)
            if source:
                self.unrendered.append(str(folder))
            if source and source.what == HELM_CHART:
                folders.clear()
                continue
            inside = self._included(folder / name for name in sorted(folders))
            folders[:] = [found.name for found in inside]
            own = KUSTOMIZATION if source else ()
            named = (file for file in files if file.lower().endswith(_SUFFIXES) and file not in own)
            found += self._included(folder / file for file in named)
        if not (found or self.unrendered or self.excluded) and len(self.problems) == before:
            self.problems.append(f"the folder {path} has no {', '.join(_SUFFIXES)} file")
        yield from (file for file in sorted(found) if file.is_file() or not file.exists())

    def _included(self, paths: Iterable[Path]) -> Iterator[Path]:
        """Yield what no pattern leaves out, and count the rest."""
        for path in paths:
            if any(_matches(path, pattern) for pattern in self._exclude):
                self.excluded += 1
            else:
                yield path

    def _unreadable(self, error: OSError) -> None:
        self.problems.append(f"the folder {error.filename} cannot be read: {error.strerror}")

    def _read(self, file: str, name: str, read_bytes: Callable[[], bytes]) -> None:
        try:
            text = _decoded(read_bytes())
        except (OSError, UnicodeError) as error:
            said = getattr(error, "strerror", None) or "it is not text"
            self.problems.append(f"{name} cannot be read: {said}")
            return
        seen, broken = 0, []
        for found in objects(file, text, is_read):
            if isinstance(found, Broken):
                broken.append(found)
            else:
                seen += 1
                self._take(found)
        if broken:
            self.problems.append(_sentence(file, broken, templated="{{" in text))
        elif not seen:
            self.without.append(file)

    def _take(self, found: Found) -> None:
        kind = found.kind
        try:
            resources = parse(found.content, found.place) if found.content else ()
        except BadInput as error:
            if not found.of_template:
                self.problems.append(str(error))
                return
            kind = f"{kind} with a parameter without a value"
            resources = ()
        except RecursionError:
            self.problems.append(f"{found.place.file}: a {kind} is nested too deeply")
            return
        self.documents += 1
        whole = [resource for resource in resources if not resource.partial]
        self.resources += whole
        if not whole:
            of_group = f" of {found.api_version}" if is_of_another_group(*found.type) else ""
            if advice := advice_on(*found.type):
                self.makers[advice] = None
            self.unread[f"patch of a {kind}" if resources else f"{kind}{of_group}"] += 1


def _matches(path: Path, pattern: str) -> bool:
    """Whether a pattern is meant for a path, or for its last element if it has no slash."""
    wanted = pattern.removeprefix("./").rstrip("/")
    return fnmatchcase(path.as_posix() if "/" in wanted else path.name, wanted)


def _decoded(data: bytes) -> str:
    """Return a file's text: UTF-8, or what its byte order mark says.

    Raises:
        UnicodeError: it is none of these.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    return data.decode(encoding)


def _sentence(file: str, broken: Sequence[Broken], *, templated: bool) -> str:
    """Return what is wrong with a file in one sentence."""
    first, *others = broken
    more = f"; so are {len(others)} more of its documents" if len(others) > 1 else ""
    more = "; so is another of its documents" if len(others) == 1 else more
    hint = "; render it first: `helm template CHART | landfast audit -`" if templated else ""
    return f"{file}:{first.line} is not valid YAML: {first.said}{more}{hint}"
