"""A rule, and what it finds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from enum import StrEnum
from functools import wraps
from textwrap import dedent
from typing import Literal, TypeVar

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

    `on` is None for a directory of the export, whose path is `directory`. `severity` overrides the
    rule's.
    """

    on: Resource | None
    message: str
    at: Path = ()
    severity: Severity | None = None
    _: KW_ONLY
    directory: str = ""


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
            yield Finding(
                rule=self,
                severity=Severity.NOTE if milder else hit.severity or self.severity,
                message=hit.message,
                on=hit.on,
                line=hit.on.place.line(hit.at) if hit.on else None,
                directory=hit.directory,
            )


@dataclass(frozen=True)
class Suppression:
    """Why a finding does not count: an `annotation`, a `disabled` rule, or the `baseline`."""

    by: Literal["annotation", "disabled", "baseline"]
    reason: str


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        rule: what found it.
        severity: how bad it is, at worst the rule's.
        message: what is wrong.
        on: the object; None for a directory of the export.
        line: the line of the field in the object's file; None on a cluster.
        directory: the path of a directory of the export.
        owners: the PVC and the workload that the object belongs to, as far as there are any.
        alike: how many other PVCs of the same template have it.
        suppression: why it does not count; None if it counts.
    """

    rule: Rule
    severity: Severity
    message: str
    on: Resource | None
    line: int | None
    directory: str = ""
    owners: tuple[Resource, ...] = ()
    alike: int = 0
    suppression: Suppression | None = None

    @property
    def kind(self) -> str:
        """The object's kind, `Directory` for one of the export."""
        return self.on.kind if self.on else "Directory"

    @property
    def namespace(self) -> str:
        """The object's namespace; "" if it has none."""
        return self.on.namespace if self.on else ""

    @property
    def name(self) -> str:
        """The object's name, a directory's path."""
        return self.on.name if self.on else self.directory

    @property
    def file(self) -> str:
        """The object's file; "" on a cluster."""
        return self.on.place.file if self.on else ""

    @property
    def title(self) -> str:
        """The object (`PersistentVolumeClaim shop/data-db-0 and 2 alike`)."""
        name = f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"
        return f"{name} and {self.alike} alike" if self.alike else name

    @property
    def where(self) -> str:
        """Where to look (`pv.yaml:12`); "" on a cluster."""
        return f"{self.file}:{self.line}" if self.file else ""

    @property
    def subject(self) -> Resource | None:
        """The workload or PVC whose data it concerns, else its own object."""
        return self.owners[-1] if self.owners else self.on


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
