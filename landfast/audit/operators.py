"""Which pods and PVCs operators make of their objects: databases that no manifest shows.

`operators.yaml` says it by kind. What is not there is counted among the objects not read.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from landfast.audit.place import Path
from landfast.kube.client import Object

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_SET_NAMES = ("name", "component", "id")
_OR = " | "


class Members(BaseModel):
    """Pods of one sort that an operator makes; `operators.yaml` says what each field means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    engine: str
    mount: str
    unless: str = ""
    sets: str = ""
    only: str = ""
    count: str = ""
    default: int = 1
    claim: str = ""
    storage_class: str = Field("", alias="class")
    image: str = ""
    without: str = ""
    ephemeral: str = ""
    deletes: str = ""
    names: str
    label: str = ""
    first: int = 0
    backup: tuple[str, ...] = ()
    source: str


class Made(BaseModel):
    """One set of pods of an object, as the fields of a StatefulSet that would make it.

    `claim_at` is where the object says which volume it wants, `deleted` whether that goes with it;
    `without_backup` are the fields of which none says that there are backups, if none does.
    """

    members: Members
    part: str
    count: Any
    image: Any
    claim: Any
    claim_at: Path
    names: str
    deleted: bool = False
    without_backup: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def table() -> dict[tuple[str, str], tuple[Members, ...]]:
    """Return what operators make, by group and kind of their objects."""
    text = (files("landfast.audit") / "operators.yaml").read_text()
    found: dict[tuple[str, str], tuple[Members, ...]] = {}
    for row in yaml.load(text, Loader=yaml.CSafeLoader):
        members = Members.model_validate(row)
        kind, _, group = members.kind.partition(".")
        found[group, kind] = (*found.get((group, kind), ()), members)
    return found


def made(group: str, kind: str, obj: Object) -> Iterator[Made]:
    """Yield the sets of pods that an operator makes of an object."""
    for members in table()[group, kind]:
        for at, one in _sets(members, obj):
            if not _applies(members.only, one):
                continue
            name = str(next((one[key] for key in _SET_NAMES if key in one), at[-1] if at else ""))
            count = _field(members.count, obj, one)
            claim, claim_at = _claim(members, obj, one, at)
            if members.unless and _applies(members.unless, one):
                claim, claim_at = None, _absolute(members.unless.partition("=")[0], at)
            yield Made(
                members=members,
                part=name if members.sets else "",
                count=members.default if count is None else count,
                image=_field(members.image, obj, one) or members.engine,
                claim=claim,
                claim_at=claim_at,
                deleted=bool(members.deletes) and _applies(members.deletes, one),
                names=_names(members, obj, one, name),
                without_backup=_without_backup(members, obj),
            )


def _names(members: Members, obj: Object, one: Object, part: str) -> str:
    """Return the names of the PVCs, with all but what differs between pods put in."""

    def value(found: re.Match[str]) -> str:
        field, _, default = found[1].partition("|")
        match field:
            case "name" | "ordinal" | "template":
                return found[0]
            case "set":
                said = part
            case "label":
                said = _dig(obj, ("metadata", "labels", members.label))
            case _:
                said = _field(field, obj, one)
        return re.sub("[{}]", "", str(said or default))

    return _PLACEHOLDER.sub(value, members.names)


def _without_backup(members: Members, obj: Object) -> tuple[str, ...]:
    said = any(_dig(obj, _path(field)) for field in members.backup)
    return () if said else members.backup


def _sets(members: Members, obj: Object) -> Iterator[tuple[Path, Object]]:
    if not members.sets:
        yield (), obj
        return
    at = _path(members.sets)
    found = _dig(obj, at)
    for number, one in enumerate(found) if isinstance(found, list) else [(None, found)]:
        if isinstance(one, dict):
            yield (at if number is None else (*at, number)), one


def _applies(only: str, one: Object) -> bool:
    path, _, expected = only.partition("=")
    found = _dig(one, _path(path))
    return not only or (str(found).lower() if isinstance(found, bool) else found) == expected


def _claim(members: Members, obj: Object, one: Object, at: Path) -> tuple[Any, Path]:
    """Return the PVC's spec, None for an emptyDir, and where the object says it."""
    ephemeral = _dig(one, _path(members.ephemeral)) if members.ephemeral else None
    if ephemeral is not None and ephemeral is not False:
        return None, _absolute(members.ephemeral, at)
    spec = _field(members.claim, obj, one)
    name = _field(members.storage_class, obj, one)
    where = members.storage_class if name is not None else members.claim or members.storage_class
    if spec is None and name is None and members.without:
        return None, _absolute(where, at)
    claim = spec if isinstance(spec, dict) else {}
    if name is not None:
        claim = {**claim, "storageClassName": name}
    return {"accessModes": ["ReadWriteOnce"], **claim}, _absolute(where, at)


def _field(paths: str, obj: Object, one: Object) -> Any:
    """Return what is at a path, of several at the first where something is."""
    found = (
        _dig(obj if path.startswith("spec.") else one, _path(path))
        for path in paths.split(_OR)
        if path
    )
    return next((value for value in found if value is not None), None)


def _absolute(paths: str, at: Path) -> Path:
    path = paths.partition(_OR)[0]
    return _path(path) if path.startswith("spec.") else (*at, *_path(path))


def _path(text: str) -> Path:
    return tuple(int(part) if part.isdecimal() else part for part in text.split(".") if part)


def _dig(value: Any, path: Path) -> Any:
    """Return what is at a path, None if nothing is."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
