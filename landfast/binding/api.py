"""What the API server does with an object: refuse it, fill in the default class, store, delete.

Sources, in Kubernetes 1.37: pkg/apis/core/validation/validation.go (validation); apimachinery,
pkg/apis/meta/v1/validation/validation.go (selectors); pkg/volume/util/storageclass.go (defaults).
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from landfast.binding.model import (
    AccessMode,
    Class,
    Create,
    Delete,
    Object,
    Op,
    Pv,
    Pvc,
    Refusal,
    Selector,
    VolumeMode,
)
from landfast.binding.state import Aged, Owner, Stamp, State, StoredPv, StoredPvc

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NODE_VALUES = "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values"


def apply(state: State, op: Op, stamp: Stamp) -> Iterator[State]:
    """Yield the state after the operation; for a class, one for each second it may get."""
    if isinstance(op, Delete):
        yield _deleted(state, op)
    elif fields := ["metadata.name"] if taken(state, op) else refused_fields(op.obj):
        refusals = {Refusal(op.obj.kind, op.obj.name, field) for field in fields}
        yield replace(state, refused=state.refused | refusals)
    elif isinstance(op.obj, Class):
        for created in _seconds(state, op.obj, stamp):
            yield replace(state, classes=(*state.classes, Aged(created, op.obj)))
    elif isinstance(op.obj, Pv):
        owner = None if op.obj.claim_ref is None else Owner(op.obj.claim_ref, None)
        yield replace(state, pvs=(*state.pvs, StoredPv(op.obj, owner)))
    else:
        pvc = _admitted(state, op.obj, stamp)
        yield replace(state, pvcs=(*state.pvcs, pvc), fresh=(*state.fresh, stamp))


def _seconds(state: State, cls: Class, stamp: Stamp) -> set[Stamp]:
    """A default class may get the second of the previous one in its stage, or a later one."""
    before = [a.created for a in state.classes if a.cls.default and a.created.stage == stamp.stage]
    return {stamp, *before[-1:]} if cls.default else {stamp}


def taken(state: State, op: Create) -> bool:
    """Return whether an object of that kind and name exists, even if only a finalizer keeps it."""
    finders = {"pv": state.pv, "pvc": state.pvc, "class": state.storage_class}
    return finders[op.obj.kind](op.obj.name) is not None


def default_class(state: State) -> str | None:
    """Return the default class: the newest one, in the same second the first by name.

    Source: GetDefaultClass, which the admission plugin and the controller both use.
    """
    defaults = [aged for aged in state.classes if aged.cls.default]
    newest = max((aged.created for aged in defaults), default=None)
    return min((aged.cls.name for aged in defaults if aged.created == newest), default=None)


def refused_fields(obj: Object) -> list[str]:
    """Return the fields that validation names; empty if it accepts the object.

    Names, labels and a selector's keys are assumed to be well-formed.
    Source: ValidatePersistentVolumeSpec, ValidatePersistentVolumeClaimSpec.
    """
    if isinstance(obj, Class):
        return []
    found = {
        "spec.accessModes": not _modes_are_valid(obj.modes),
        "spec.volumeMode": obj.volume_mode not in (None, *VolumeMode),
        "spec.storageClassName": bool(obj.storage_class)
        and not _SUBDOMAIN.fullmatch(obj.storage_class or ""),
    }
    if isinstance(obj, Pv):
        found["spec.capacity"] = obj.capacity is None
        found["spec.capacity[storage]"] = obj.capacity is not None and obj.capacity <= 0
        found[_NODE_VALUES] = obj.nodes == ()
    else:
        found["spec.resources[storage]"] = obj.request is None or obj.request <= 0
        found |= dict.fromkeys(_refused_in_selector(obj.selector or Selector()), True)
    return [field for field, is_wrong in found.items() if is_wrong]


def _modes_are_valid(modes: tuple[str, ...]) -> bool:
    """At least one mode, all of them known, and ReadWriteOncePod only by itself."""
    alone = AccessMode.RWOP not in modes or set(modes) == {AccessMode.RWOP}
    return bool(modes) and set(modes) <= set(AccessMode) and alone


def _refused_in_selector(selector: Selector) -> Iterator[str]:
    """A known operator, with values exactly if it takes some (ValidateLabelSelectorRequirement)."""
    for number, requirement in enumerate(selector.requirements):
        path = f"spec.selector.matchExpressions[{number}]"
        if requirement.operator in ("In", "NotIn"):
            if not requirement.values:
                yield f"{path}.values"
        elif requirement.operator not in ("Exists", "DoesNotExist"):
            yield f"{path}.operator"
        elif requirement.values:
            yield f"{path}.values"


def _admitted(state: State, pvc: Pvc, stamp: Stamp) -> StoredPvc:
    """The admission plugin DefaultStorageClass (setdefault/admission.go, Admit).

    It looks only at the class, so a PVC with a volumeName gets the default class, too.
    """
    named = default_class(state) if pvc.storage_class is None else pvc.storage_class
    return StoredPvc(pvc, stamp, named, pvc.volume, pvc.completed)


def _deleted(state: State, op: Delete) -> State:
    """PVs and PVCs have finalizers: they are marked, and go later."""
    if op.kind == "class":
        kept = tuple(aged for aged in state.classes if aged.cls.name != op.name)
        return replace(state, classes=kept)
    if op.kind == "pvc" and (pvc := state.pvc(op.name)):
        return state.with_pvc(pvc, None if op.force else replace(pvc, deleting=True))
    if op.kind == "pv" and (pv := state.pv(op.name)):
        return state.with_pv(pv, None if op.force else replace(pv, deleting=True))
    return state
