"""Rules for objects as they are written: several definitions, and fields that do not exist."""

import posixpath
from collections.abc import Iterator

from pydantic import BaseModel

from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.misspelt import Spelt
from landfast.audit.objects import Resource
from landfast.audit.place import Path

_NOT_CONTENT = {"place", "kind", "status"}


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
    """Find them in one folder; all that are in several, as overlays are, make one note."""
    apart: dict[str, tuple[Resource, Resource]] = {}
    for again, earlier in inventory.defined_again:
        differing = _differing(again, earlier)
        if not differing:
            continue
        file, line = earlier.place.file, earlier.place.line()
        if posixpath.dirname(again.place.file) == posixpath.dirname(file):
            yield Hit(again, f"it is also in {file}:{line}, with another {listed(differing)}")
        else:
            apart.setdefault(again.title, (again, earlier))
    if apart:
        again, earlier = next(iter(apart.values()))
        others = f", and so are {listed(list(apart)[1:])}" if len(apart) > 1 else ""
        said = f"it is also in {earlier.place.file}, another folder{others}"
        yield Hit(again, said, severity=Severity.NOTE)


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
