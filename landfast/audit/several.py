"""Objects with several definitions: which are one, and which differ."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

from landfast.audit.objects import Resource
from landfast.audit.place import Place
from landfast.audit.workloads import Workload

_R = TypeVar("_R", bound=Resource)
_K = TypeVar("_K")
_V = TypeVar("_V")


def identity(resource: Resource) -> tuple[str, str]:
    """Return what is the same for all definitions of one object."""
    return resource.title, resource.part if isinstance(resource, Workload) else ""


def different(resources: Iterable[_R]) -> Iterator[_R]:
    """Yield objects; of several definitions of one only those that differ."""
    first: dict[object, _R] = {}
    contents: dict[object, set[str]] = {}
    for resource in resources:
        key = identity(resource)
        if key not in first:
            first[key] = resource
            yield resource
            continue
        known = contents.setdefault(key, {_content(first[key])})
        content = _content(resource)
        if content not in known:
            known.add(content)
            yield resource


def one_of_each(resources: Iterable[_R]) -> tuple[_R, ...]:
    """Return objects, of each with several definitions only the first."""
    first: dict[str, _R] = {}
    for resource in resources:
        first.setdefault(resource.title, resource)
    return tuple(first.values())


def grouped(pairs: Iterable[tuple[_K, _V]]) -> dict[_K, list[_V]]:
    """Return values by their keys."""
    found: dict[_K, list[_V]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)


def _content(resource: Resource) -> str:
    return repr(resource.model_copy(update={"place": Place()}))
