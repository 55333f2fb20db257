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
    Kind,
    Object,
    Op,
    Pv,
    Pvc,
    Refusal,
    Selector,
    VolumeMode,
)
from landfast.binding.state import Aged, Claim, Moment, Owner, State, Volume

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NODE_VALUES = "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values"


def apply(state: State, op: Op, moment: Moment) -> Iterator[State]:
    """Give the state after the operation; for a class, one for each second it may be made in."""
    if isinstance(op, Delete):
        yield _deleted(state, op)
    elif fields := ["metadata.name"] if taken(state, op) else refused_fields(op.obj):
        refusals = {Refusal(kind_of(op.obj), op.obj.name, field) for field in fields}
        yield replace(state, refused=state.refused | refusals)
    elif isinstance(op.obj, Class):
        for created in _seconds(state, op.obj, moment):
            yield replace(state, classes=(*state.classes, Aged(created, op.obj)))
    elif isinstance(op.obj, Pv):
        owner = None if op.obj.claim is None else Owner(op.obj.claim, None)
        yield replace(state, volumes=(*state.volumes, Volume(op.obj, owner)))
    else:
        claim = _admitted(state, op.obj, moment)
        yield replace(state, claims=(*state.claims, claim), fresh=(*state.fresh, moment))


def _seconds(state: State, cls: Class, moment: Moment) -> set[Moment]:
    """A default class may have the second of the one made before it in the stage, or the next."""
    before = [a.created for a in state.classes if a.cls.default and a.created.stage == moment.stage]
    return {moment, *before[-1:]} if cls.default else {moment}


def kind_of(obj: Object) -> Kind:
    """Name the object's kind."""
    if isinstance(obj, Pv):
        return "pv"
    return "pvc" if isinstance(obj, Pvc) else "class"


def taken(state: State, op: Create) -> bool:
    """Say whether there is an object of that kind and name, were it one that a finalizer keeps."""
    name = op.obj.name
    if isinstance(op.obj, Pv):
        return any(volume.pv.name == name for volume in state.volumes)
    if isinstance(op.obj, Pvc):
        return state.claim(name) is not None
    return state.storage_class(name) is not None


def default_class(state: State) -> str | None:
    """Give the default class: the newest, of those of one second the first by name.

    Source: GetDefaultClass, for the admission plugin and the controller alike.
    """
    defaults = [aged for aged in state.classes if aged.cls.default]
    newest = max((aged.created for aged in defaults), default=None)
    return min((aged.cls.name for aged in defaults if aged.created == newest), default=None)


def refused_fields(obj: Object) -> list[str]:
    """Give the fields that validation names, none if it accepts the object.

    Names, labels and a selector's keys are taken to be well-formed.
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
    """At least one, all known, and ReadWriteOncePod only by itself."""
    alone = AccessMode.RWOP not in modes or set(modes) == {AccessMode.RWOP}
    return bool(modes) and set(modes) <= set(AccessMode) and alone


def _refused_in_selector(selector: Selector) -> Iterator[str]:
    """A known operator, and values just where it takes some (ValidateLabelSelectorRequirement)."""
    for number, requirement in enumerate(selector.requirements):
        path = f"spec.selector.matchExpressions[{number}]"
        if requirement.operator in ("In", "NotIn"):
            if not requirement.values:
                yield f"{path}.values"
        elif requirement.operator not in ("Exists", "DoesNotExist"):
            yield f"{path}.operator"
        elif requirement.values:
            yield f"{path}.values"


def _admitted(state: State, pvc: Pvc, moment: Moment) -> Claim:
    """The admission plugin DefaultStorageClass (setdefault/admission.go, Admit).

    It looks at nothing but the class, so that a claim with a volumeName gets one, too.
    """
    named = default_class(state) if pvc.storage_class is None else pvc.storage_class
    return Claim(pvc, moment, named, pvc.volume, pvc.completed)


def _deleted(state: State, op: Delete) -> State:
    """Volumes and claims have finalizers: they are marked, and go later."""
    if op.kind == "class":
        kept = tuple(aged for aged in state.classes if aged.cls.name != op.name)
        return replace(state, classes=kept)
    if op.kind == "pvc":
        claim = state.claim(op.name)
        if claim is None:
            return state
        return state.with_claim(claim, None if op.force else replace(claim, deleting=True))
    volume = next((volume for volume in state.volumes if volume.pv.name == op.name), None)
    if volume is None:
        return state
    return state.with_volume(volume, None if op.force else replace(volume, deleting=True))
