"""A rule, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from landfast.audit.inventory import Inventory
from landfast.audit.objects import Resource
from landfast.audit.place import Path


class Severity(StrEnum):
    """How bad it is. The words are SARIF's levels."""

    ERROR = "error"
    """data is lost or mixed up, or a claim never binds"""
    WARNING = "warning"
    """it does so when something else happens, or what was asked for is not what is done"""
    NOTE = "note"
    """worth knowing; of manifests also what only the cluster could decide"""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Hit:
    """What a check says: which object, at which field, what of it.

    `on` is None for what is no object, a directory of the export. `severity` is given where it is
    another than the rule's.
    """

    on: Resource | None
    message: str
    at: Path = ()
    severity: Severity | None = None


Check = Callable[[Inventory], Iterator[Hit]]


@dataclass(frozen=True)
class Rule:
    """What is looked for, why it is bad, what to do; `source` is what the reason rests on."""

    id: str
    severity: Severity
    title: str
    reason: str
    fix: str
    source: str
    check: Check

    def findings(self, inventory: Inventory) -> "Iterator[Finding]":
        """Apply the rule."""
        for hit in self.check(inventory):
            on, file, line = hit.on, "", None
            if on is not None:
                file, line = on.place.file, on.place.line(hit.at)
            yield Finding(
                rule=self,
                severity=hit.severity or self.severity,
                message=hit.message,
                kind=on.kind if on else "",
                namespace=on.namespace if on else "",
                name=on.name if on else "",
                file=file,
                line=line,
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
        """The object (`PersistentVolumeClaim shop/data`); "" if it is none."""
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}".strip()

    @property
    def where(self) -> str:
        """Where to look (`pv.yaml:12`); "" on a cluster."""
        return f"{self.file}:{self.line}" if self.file else ""


def rule(
    rule_id: str, severity: Severity, title: str, *, reason: str, fix: str, source: str
) -> Callable[[Check], Rule]:
    """Make a rule of the function that checks it."""
    return lambda check: Rule(rule_id, severity, title, reason, fix, source, check)


def listed(names: list[str], most: int = 3) -> str:
    """Give names in a sentence, the first few of many."""
    shown = names[:most]
    if more := len(names) - len(shown):
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
