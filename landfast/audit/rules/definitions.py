"""Rules for objects as they are written: several definitions, and fields that do not exist."""

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from pydantic import BaseModel

from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.misspelt import Spelt
from landfast.audit.objects import Resource
from landfast.audit.place import Path
from landfast.audit.workloads import Workload

_NOT_CONTENT = {"place", "kind", "status"}
_SEVERAL = "*"  # the key of what is in several folders


@Rule(
    "audit.defined-twice",
    Severity.WARNING,
    "Two manifests of one object",
    reason=(
        "They have the same kind, namespace and name, and say different things: what is applied "
        "last counts, and most fields of a volume or a PVC cannot change. The audit judges each."
    ),
    fix="Remove or rename one, or audit each environment by itself.",
    source="Kubernetes documentation, Object Names and IDs",
)
def defined_twice(inventory: Inventory) -> Iterator[Hit]:
    """Find them, once for each folder; what is in several folders, as overlays are, is a note.

    So are workloads alone, and an object in three files: versions and examples side by side.
    """
    folders: dict[str, dict[str, tuple[Resource, Resource]]] = defaultdict(dict)
    files: dict[str, set[str]] = defaultdict(set)
    for again, earlier in inventory.defined_again:
        if _differing(again, earlier):
            mine, its = again.place.file, earlier.place.file
            apart = posixpath.dirname(mine) != posixpath.dirname(its)
            folder = _SEVERAL if apart else posixpath.dirname(mine)
            folders[folder].setdefault(again.title, (again, earlier))
            files[again.title] |= {mine, its}
    for folder, pairs in folders.items():
        first, *more = sorted(pairs, key=lambda title: isinstance(pairs[title][0], Workload))
        again, earlier = pairs[first]
        so = f", and so {'are' if len(more) > 1 else 'is'} {listed(more)}" if more else ""
        said = f"it is also in {earlier.place.file}"
        if folder == _SEVERAL:
            said += ", another folder"
        else:
            said += (
                f":{earlier.place.line()}, which differs in {listed(_differing(again, earlier))}"
            )
        versions = isinstance(again, Workload) or any(len(files[title]) > 2 for title in pairs)
        milder = Severity.NOTE if folder == _SEVERAL or versions else None
        yield Hit(again, said + so, severity=milder)


def _differing(one: BaseModel, other: BaseModel) -> list[str]:
    """Return the fields, of nested ones the innermost, in which two objects differ."""
    found = []
    for name, field in type(one).model_fields.items():
        mine, its = getattr(one, name), getattr(other, name, None)
        if name in _NOT_CONTENT or mine == its:
            continue
        if isinstance(mine, BaseModel) and isinstance(its, BaseModel):
            found += _differing(mine, its)
        else:
            found.append(field.alias or name)
    return found


@Rule(
    "audit.field-misspelt",
    Severity.WARNING,
    "A field that does not exist",
    reason=(
        "Case counts. `kubectl apply` refuses the object; a client that does not validate drops "
        "the field, and its default counts."
    ),
    fix="Spell the field as the API reference does.",
    example="""
        kind: PersistentVolume
        spec:
          persistentVolumeReclaimPolicy: Retain
          accessModes: [ReadWriteOnce]
    """,
    source="Kubernetes documentation, API concepts, Field validation",
)
def field_misspelt(inventory: Inventory) -> Iterator[Hit]:
    """Find such fields in the specs of volumes and PVCs, and in classes."""
    found: list[tuple[Resource, Spelt, Path]] = [
        *((pv, pv.spec, ("spec",)) for pv in inventory.pvs),
        *((pvc, pvc.spec, ("spec",)) for pvc in inventory.pvcs),
        *((made, made, ()) for made in inventory.classes),
    ]
    for on, spelt, at in found:
        for key, meant in spelt.misspelt.items():
            yield Hit(on, f"{key} is no field: {meant} is", (*at, key))
