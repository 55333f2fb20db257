"""Rules for pathPattern: which directory a class gives to which PVC."""

import re
from collections.abc import Iterator

from landfast.audit.findings import Rule, Said, Severity, each
from landfast.audit.inventory import Inventory
from landfast.audit.objects import StorageClass
from landfast.audit.rules.sources import CONTRACT
from landfast.audit.subdir import SAMPLES, directory, settings

_TENANTS_VALUE = re.compile(r"\$\{\.PVC\.(labels|annotations)\.[^}]+\}")
_AT = ("parameters", "pathPattern")
_EXAMPLE = """
    apiVersion: storage.k8s.io/v1
    kind: StorageClass
    metadata: {name: nfs}
    provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
    parameters:
      pathPattern: ${.PVC.namespace}-${.PVC.name}
      archiveOnDelete: "true"
"""


def _patterned(inventory: Inventory) -> Iterator[StorageClass]:
    return (c for c in inventory.subdir_classes if settings(c).path_pattern is not None)


def _pattern(storage_class: StorageClass) -> str:
    return settings(storage_class).path_pattern or ""


@Rule(
    "audit.path-pattern-export-root",
    Severity.ERROR,
    "pathPattern can lead to the export's root",
    reason=(
        "With v4.0.2, a PVC without the label or annotation gets the whole export as its volume, "
        "with everybody's directories. One that sets it to `.` gets it with master too, and "
        "deleting that PVC then removes every directory of the export."
    ),
    fix="Begin the pattern with ${.PVC.namespace}-${.PVC.name}, which no PVC can choose.",
    example=_EXAMPLE,
    source=f"{CONTRACT}; hazards.missing-annotation-gives-the-root; hazards.dot-empties-the-export",
)
@each(_patterned, _AT)
def path_pattern_export_root(_inventory: Inventory, storage_class: StorageClass) -> Said:
    """Find patterns that may expand to nothing."""
    pattern = _pattern(storage_class)
    if directory(pattern) == ".":
        return f"{pattern!r} is the export's root for a PVC without labels and annotations"
    return None


@Rule(
    "audit.path-pattern-climbs",
    Severity.WARNING,
    "pathPattern takes values from labels or annotations",
    reason=(
        "Anyone who can create a PVC chooses its directory. The values are not checked: `..` or "
        "another PVC's name leads to another's data, which is removed with the PVC."
    ),
    fix="Use only ${.PVC.namespace} and ${.PVC.name}, which cannot contain a slash.",
    example=_EXAMPLE,
    source=f"{CONTRACT}; hazards.annotation-climbs-to-a-neighbour",
)
@each(_patterned, _AT)
def path_pattern_climbs(_inventory: Inventory, storage_class: StorageClass) -> Said:
    found = _TENANTS_VALUE.search(_pattern(storage_class))
    return f"whoever creates the PVC chooses {found[0]}" if found else None


@Rule(
    "audit.path-pattern-nested",
    Severity.WARNING,
    "pathPattern makes nested directories",
    reason=(
        "v4.0.2 looks for the directory by its last element, at the top of the export. It finds "
        "nothing and leaks the data, or it deletes or archives another's directory of that name."
    ),
    fix="Join with a dash, not a slash: ${.PVC.namespace}-${.PVC.name}; or set onDelete: retain.",
    example=_EXAMPLE,
    source=f"{CONTRACT}; hazards.nested-directory-is-leaked; hazards.last-name-hits-a-neighbour",
)
@each(_patterned, _AT)
def path_pattern_nested(_inventory: Inventory, storage_class: StorageClass) -> Said:
    """Find patterns with a slash between elements, unless nothing is to be deleted anyway."""
    given, pattern = settings(storage_class), _pattern(storage_class)
    kept = given.reclaim_policy == "Retain" or given.on_delete == "retain"
    if "/" in directory(_TENANTS_VALUE.sub("value", pattern)) and not kept:
        return f"{pattern!r} has more than one element"
    return None


@Rule(
    "audit.path-pattern-shared",
    Severity.ERROR,
    "pathPattern gives several PVCs one directory",
    reason=(
        "PVCs of one name in two namespaces, or all PVCs of a namespace, write to one directory. "
        "Deleting one of them removes or archives the others' data while they use it."
    ),
    fix="Use both ${.PVC.namespace} and ${.PVC.name}.",
    example=_EXAMPLE,
    source=f"{CONTRACT}; hazards.shared-directory-is-removed; hazards.shared-directory-is-archived",
)
@each(_patterned, _AT)
def path_pattern_shared(_inventory: Inventory, storage_class: StorageClass) -> Said:
    """Find patterns without namespace or name; where tenants choose, another rule reports it."""
    pattern = _pattern(storage_class)
    chosen = {directory(pattern, pvc) for pvc in SAMPLES}
    if len(chosen) < len(SAMPLES) and not _TENANTS_VALUE.search(pattern):
        return f"{pattern!r} is not different for every namespace and name"
    return None
