"""A rule, and what it finds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from enum import StrEnum
from functools import wraps
from textwrap import dedent
from typing import TypeVar

from landfast.audit.inventory import Inventory
from landfast.audit.objects import Resource
from landfast.audit.place import Path

_R = TypeVar("_R", bound=Resource)


class Severity(StrEnum):
    """How bad a finding is. The words are SARIF's levels."""

    ERROR = "error"
    """data is lost or mixed up, or a PVC never binds"""
    WARNING = "warning"
    """data is lost once something else happens, or a setting does not do what it says"""
    NOTE = "note"
    """worth knowing; in manifests also what only the cluster could decide"""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Hit:
    """What a check reports: an object, what is wrong with it, and the field.

    `on` is None for a directory of the export. `severity` overrides the rule's.
    """

    on: Resource | None
    message: str
    at: Path = ()
    severity: Severity | None = None


Check = Callable[[Inventory], Iterator[Hit]]
Said = str | tuple[str, Severity | None] | None
"""What is wrong with one object, with a severity where it is not the rule's; None: nothing."""


@dataclass(frozen=True)
class Rule:
    """What to look for, why it is bad and what to do; `source` backs the reason.

    `example` is the fix as an excerpt of YAML, which may be indented like the code around it; ""
    where no manifest is to be changed. Where `cluster_decides`, a finding in manifests is a note:
    only the cluster could prove it.
    """

    id: str
    severity: Severity
    title: str
    _: KW_ONLY
    reason: str
    fix: str
    example: str = ""
    source: str
    cluster_decides: bool = False
    check: Check = lambda _inventory: iter(())

    def __post_init__(self) -> None:
        object.__setattr__(self, "example", dedent(self.example).strip())

    def __call__(self, check: Check) -> "Rule":
        """Return the rule with a check, as its decorator; `rules.RULES` finds it by its type."""
        return replace(self, check=check)

    def findings(self, inventory: Inventory) -> "Iterator[Finding]":
        """Apply the rule."""
        milder = self.cluster_decides and not inventory.complete
        for hit in self.check(inventory):
            on = hit.on
            yield Finding(
                rule=self,
                severity=Severity.NOTE if milder else hit.severity or self.severity,
                message=hit.message,
                kind=on.kind if on else "",
                namespace=on.namespace if on else "",
                name=on.name if on else "",
                file=on.place.file if on else "",
                line=on.place.line(hit.at) if on else None,
            )


@dataclass(frozen=True)
class Finding:
    """One thing found. `file` is empty for an object of a cluster; `kind` for a directory."""

    rule: Rule
    severity: Severity
    message: str
    kind: str
    namespace: str
    name: str
    file: str
    line: int | None

    @property
    def title(self) -> str:
        """The object (`PersistentVolumeClaim shop/data`); "" if there is none."""
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}".strip()

    @property
    def where(self) -> str:
        """Where to look (`pv.yaml:12`); "" on a cluster."""
        return f"{self.file}:{self.line}" if self.file else ""


def each(
    objects: Callable[[Inventory], Iterable[_R]], at: Path = ()
) -> Callable[[Callable[[Inventory, _R], Said]], Check]:
    """Turn a question about one object into a check of all of them; `at` is the field to show."""

    def check_of(wrong: Callable[[Inventory, _R], Said]) -> Check:
        @wraps(wrong)
        def check(inventory: Inventory) -> Iterator[Hit]:
            for obj in objects(inventory):
                if said := wrong(inventory, obj):
                    message, severity = (said, None) if isinstance(said, str) else said
                    yield Hit(obj, message, at, severity)

        return check

    return check_of


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 error`, `2 errors`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Return names as part of a sentence, only the first three if there are more."""
    shown = names[:3]
    if more := len(names) - len(shown):
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
