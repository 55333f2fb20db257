"""Rules on pathPattern: which directory a class gives to which PersistentVolumeClaim."""

import posixpath
import re
from collections.abc import Iterator

from landfast.audit.findings import Hit, Severity, rule
from landfast.audit.inventory import Inventory
from landfast.audit.objects import StorageClass
from landfast.audit.rules.classes import settings
from landfast.provisioning.contract import PvcMeta, expand

_TENANTS_VALUE = re.compile(r"\$\{\.PVC\.(labels|annotations)\.[^}]+\}")
_AT = ("parameters", "pathPattern")
_SOURCE = "landfast/provisioning/contract.py; hazards suite"
_SAMPLES = [PvcMeta("one", "a"), PvcMeta("one", "b"), PvcMeta("two", "a")]


def _patterns(inventory: Inventory) -> Iterator[tuple[StorageClass, str]]:
    for storage_class in inventory.subdir_classes:
        pattern = settings(storage_class).path_pattern
        if pattern is not None:
            yield storage_class, pattern


def _directory(pattern: str, pvc: PvcMeta) -> str:
    """Give a directory relative to the export; "." is the export itself."""
    return posixpath.normpath(expand(pattern, pvc).strip("/") or ".")


@rule(
    "audit.path-pattern-export-root",
    Severity.ERROR,
    "pathPattern can lead to the export's root",
    reason=(
        "A PVC without the label or annotation gets the export itself as its volume with v4.0.2, "
        "among everybody's directories; one that sets it to `.` does with both lines, and with "
        "master deleting that PVC then removes every directory of the export."
    ),
    fix="Begin the pattern with ${.PVC.namespace}-${.PVC.name}, which no PVC can choose.",
    source=_SOURCE,
)
def path_pattern_export_root(inventory: Inventory) -> Iterator[Hit]:
    """Find patterns that may expand to nothing."""
    for storage_class, pattern in _patterns(inventory):
        if _directory(pattern, _SAMPLES[0]) == ".":
            said = f"{pattern!r} is the export's root for a PVC without labels and annotations"
            yield Hit(storage_class, said, _AT)


@rule(
    "audit.path-pattern-climbs",
    Severity.WARNING,
    "pathPattern takes values from labels or annotations",
    reason=(
        "Whoever may make a PVC chooses its directory: the values are not checked, and one with "
        "`..` or another's name leads to another's data, which is removed with the PVC."
    ),
    fix="Use only ${.PVC.namespace} and ${.PVC.name}, which cannot hold a slash.",
    source=_SOURCE,
)
def path_pattern_climbs(inventory: Inventory) -> Iterator[Hit]:
    """Find patterns with values that tenants choose."""
    for storage_class, pattern in _patterns(inventory):
        if found := _TENANTS_VALUE.search(pattern):
            yield Hit(storage_class, f"{found[0]} is the tenant's to choose", _AT)


@rule(
    "audit.path-pattern-nested",
    Severity.WARNING,
    "pathPattern makes nested directories",
    reason=(
        "v4.0.2 looks for the directory by its last element, at the top of the export: it finds "
        "nothing and leaks the data, or it deletes or archives another's directory of that name."
    ),
    fix="Join with a dash, not with a slash: ${.PVC.namespace}-${.PVC.name}; or onDelete: retain.",
    source=_SOURCE,
)
def path_pattern_nested(inventory: Inventory) -> Iterator[Hit]:
    """Find patterns with a slash between elements, unless nothing is to be deleted anyway."""
    for storage_class, pattern in _patterns(inventory):
        kept = (
            storage_class.reclaim_policy == "Retain"
            or settings(storage_class).on_delete == "retain"
        )
        if "/" in _directory(_TENANTS_VALUE.sub("value", pattern), _SAMPLES[0]) and not kept:
            yield Hit(storage_class, f"{pattern!r} has more than one element", _AT)


@rule(
    "audit.path-pattern-shared",
    Severity.ERROR,
    "pathPattern gives several PVCs one directory",
    reason=(
        "PVCs of one name in two namespaces, or all of one namespace, write into one directory; "
        "deleting one of them removes or archives the others' data while they use it."
    ),
    fix="Use both ${.PVC.namespace} and ${.PVC.name}.",
    source=_SOURCE,
)
def path_pattern_shared(inventory: Inventory) -> Iterator[Hit]:
    """Find patterns without namespace or name; where tenants choose, that is another rule's."""
    for storage_class, pattern in _patterns(inventory):
        chosen = {_directory(pattern, pvc) for pvc in _SAMPLES}
        if len(chosen) < len(_SAMPLES) and not _TENANTS_VALUE.search(pattern):
            said = f"{pattern!r} is not different for every namespace and name"
            yield Hit(storage_class, said, _AT)


RULES = (
    path_pattern_export_root,
    path_pattern_climbs,
    path_pattern_nested,
    path_pattern_shared,
)
