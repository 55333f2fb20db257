"""Arranges findings as a reader wants them: by the workload whose data they concern."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from posixpath import dirname
from typing import TypeVar

from landfast.audit.findings import Finding
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvcObject, PvObject, Resource
from landfast.audit.workloads import Workload

_Claim = tuple[str, str]  # namespace and name of a PVC
_R = TypeVar("_R", bound=Resource)


class _Subjects:
    """Who owns what: a volume belongs to the PVC that is tied to it, a PVC to its first user.

    Of several of one name that differ, those of one file belong together, else those of one folder.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._order = {id(found): number for number, found in enumerate(inventory.resources)}
        self._users: dict[_Claim, dict[int, Workload]] = defaultdict(dict)
        self._templates: dict[_Claim, tuple[str, str, str]] = {}
        self._pvcs_of: dict[str, list[PvcObject]] = defaultdict(list)
        for pvc in inventory.pvcs:
            if pvc.spec.volume_name:
                self._pvcs_of[pvc.spec.volume_name].append(pvc)
        for workload in sorted(inventory.workloads, key=self.order):
            for template in workload.spec.volume_claim_templates:
                key = (workload.title, workload.part, template.metadata.name)
                for name in workload.pvc_names(template.metadata.name):
                    self._templates.setdefault((workload.namespace, name), key)
                    self._users[workload.namespace, name][id(workload)] = workload
        for use in sorted(inventory.uses, key=lambda use: self.order(use.workload)):
            if use.claim:
                self._users[use.claim][id(use.workload)] = use.workload

    def order(self, found: Resource) -> int:
        """Return the place of an object in the order in which all were read."""
        return self._order.get(id(found), len(self._order))

    def template(self, pvc: PvcObject) -> tuple[str, str, str] | None:
        """Return the workload and the template that a PVC is made from; None if it is not."""
        return self._templates.get((pvc.namespace, pvc.name))

    def owners(self, found: Resource) -> Iterator[Resource]:
        """Yield the PVC and the workload that an object belongs to, as far as there are any."""
        if isinstance(found, PvObject):
            ref = found.spec.claim_ref
            named = self._inventory.find_pvcs(ref.namespace or "default", ref.name) if ref else []
            if pvc := _nearest(named or self._pvcs_of.get(found.name, ()), found):
                yield pvc
                yield from self.owners(pvc)
        elif isinstance(found, PvcObject):
            users = self._users.get((found.namespace, found.name), {})
            if user := _nearest(users.values(), found):
                yield user


def _nearest(found: Iterable[_R], to: Resource) -> _R | None:
    """Return the first object of the same file, else of the same folder, else of all."""
    file = to.place.file

    def distance(one: _R) -> tuple[bool, bool]:
        return one.place.file != file, dirname(one.place.file) != dirname(file)

    return min(found, key=distance, default=None)


def arrange(findings: Sequence[Finding], inventory: Inventory) -> list[Finding]:
    """Return findings with their owners, by subject in the order of the files.

    A subject's own come first, then those of its PVCs and volumes. What the PVCs of one template
    have in common is one finding, and directories of the export come last.
    """
    subjects = _Subjects(inventory)
    found: dict[object, Finding] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for number, finding in enumerate(findings):
        key: object = number
        if isinstance(finding.on, PvcObject) and (template := subjects.template(finding.on)):
            same = (finding.rule.id, finding.on.title, finding.on.place.file)
            seen[same] += 1
            file = finding.on.place.file
            key = (finding.rule.id, finding.severity, template, file, seen[same])
        if first := found.get(key):
            found[key] = replace(first, alike=first.alike + 1)
            continue
        owners = subjects.owners(finding.on) if finding.on else ()
        found[key] = replace(finding, owners=tuple(owners))

    def place(finding: Finding) -> tuple[bool, int, bool, int, int, int]:
        subject, on = finding.subject, finding.on
        if subject is None or on is None:
            return True, 0, True, 0, 0, finding.severity.rank
        is_own, order = on is subject, subjects.order
        line = finding.line or 0
        return False, order(subject), not is_own, order(on), line, finding.severity.rank

    return sorted(found.values(), key=place)
