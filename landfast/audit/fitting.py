"""Why a PVC cannot take a volume, in words; the binding oracle decides whether it can."""

import re
from collections.abc import Collection
from decimal import Decimal

from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvcObject, PvObject
from landfast.binding.matching import Misfit

_UNITS = {"Ti": 2**40, "Gi": 2**30, "G": 10**9, "Mi": 2**20, "M": 10**6, "Ki": 2**10}
_GENERIC = {"pv", "pvc", "volume", "claim", "vol", "nfs", "data", "storage", "persistent", "static"}
_ENDING = re.compile("(?<=.)(pvc?|volume|claim)$")


def why_not(inventory: Inventory, pv: PvObject, pvc: PvcObject, misfits: Collection[Misfit]) -> str:
    """Say what does not fit (`it has 1Gi of the 5Gi that are asked for, its class is nfs`)."""
    return ", ".join(_because(inventory, pv, pvc, misfit) for misfit in misfits)


def _because(inventory: Inventory, pv: PvObject, pvc: PvcObject, misfit: Misfit) -> str:
    spec = pv.spec
    match misfit:
        case Misfit.TAKEN if ref := spec.claim_ref:
            return f"it is reserved for PersistentVolumeClaim {ref.namespace}/{ref.name}"
        case Misfit.CLASS:
            if pvc.storage_class is None and not inventory.defaults:
                wanted = "and the PVC names none"
            else:
                wanted = f"not {_class(inventory.storage_class_of(pvc))}"
            return f"its class is {_class(pv.storage_class)}, {wanted}"
        case Misfit.SIZE:
            has, asked = spec.capacity.get("storage"), pvc.spec.resources.requests.get("storage")
            return f"it has {size(has)}, less than the {size(asked)} that are asked for"
        case Misfit.MODES:
            lacks = [mode for mode in pvc.spec.access_modes if mode not in spec.access_modes]
            return f"it is {' and '.join(spec.access_modes)}, not {' and '.join(lacks)}"
        case Misfit.VOLUME_MODE:
            return f"its volumeMode is {spec.volume_mode}, not {pvc.spec.volume_mode}"
        case Misfit.SELECTOR:
            return "it does not have the labels of the selector"
        case Misfit.DELETING:
            return "it is being deleted"
    return "it is taken"


def _class(name: str) -> str:
    return name or '""'


def size(quantity: Decimal | None) -> str:
    """Return a size as people write it (`5Gi`)."""
    count = int(quantity or 0)
    for unit, size_of_unit in _UNITS.items():
        if count and count % size_of_unit == 0:
            return f"{count // size_of_unit}{unit}"
    return str(count)


def core(name: str) -> tuple[str, ...]:
    """Return what an object is named after: of `web-pv` and `web-pvc` it is the same."""
    words = (_ENDING.sub("", word) for word in re.split("[^a-z0-9]+", name))
    return tuple(word for word in words if word not in _GENERIC) or (name,)
