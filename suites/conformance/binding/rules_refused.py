"""Rules about what the API server refuses, and the field that it names."""

from typing import Any

from landfast.binding.model import Delete, Pv, Pvc
from suites.conformance.binding.table import (
    RWO,
    RWOP,
    RWX,
    BindingRule,
    bound,
    change,
    kept,
    pv,
    pvc,
    where,
)

_SPEC = {
    "pv": "validation.go, ValidatePersistentVolumeSpec",
    "pvc": "validation.go, ValidatePersistentVolumeClaimSpec",
}
_SELECTOR = "apimachinery, pkg/apis/meta/v1/validation, ValidateLabelSelectorRequirement"
_EXPRESSION = "spec.selector.matchExpressions[0]"


def _refused(name: str, text: str, obj: Pv | Pvc, field: str, **accepted: Any) -> BindingRule:
    """Return the row of an object that is refused for a field; its twin has other values there."""
    source = _SELECTOR if field.startswith(_EXPRESSION) else _SPEC[obj.kind]
    refused, twin = {obj.name: field}, change(obj.name, **accepted)
    return BindingRule(name, text, source, given=[obj], refused=refused, twin=twin)


REFUSED = [
    _refused(
        "volume-without-modes",
        "A PV without access modes MUST be refused.",
        pv("v", 1, modes=()),
        "spec.accessModes",
        modes=(RWO,),
    ),
    _refused(
        "volume-with-unknown-mode",
        "A PV with an unknown access mode MUST be refused.",
        pv("v", 1, "ReadWriteSometimes"),
        "spec.accessModes",
        modes=(RWO,),
    ),
    _refused(
        "volume-with-rwop-and-others",
        "A PV MUST NOT combine ReadWriteOncePod with another access mode.",
        pv("v", 1, RWOP, RWO),
        "spec.accessModes",
        modes=(RWOP,),
    ),
    _refused(
        "volume-without-capacity",
        "A PV without a capacity MUST be refused.",
        pv("v", None),
        "spec.capacity",
        capacity=1,
    ),
    _refused(
        "volume-of-capacity-zero",
        "A PV with a capacity of 0 MUST be refused.",
        pv("v", 0),
        "spec.capacity[storage]",
        capacity=1,
    ),
    _refused(
        "volume-with-unknown-volume-mode",
        "A PV with an unknown volumeMode MUST be refused.",
        pv("v", 1, volume_mode="Tape"),
        "spec.volumeMode",
        volume_mode="Block",
    ),
    _refused(
        "volume-with-malformed-class",
        "A PV whose class name is not a DNS name MUST be refused.",
        pv("v", 1, cls="Not_A_Name"),
        "spec.storageClassName",
        storage_class="a-name",
    ),
    _refused(
        "volume-with-empty-affinity",
        "A PV whose node affinity has no values for the operator In MUST be refused.",
        pv("v", 1, nodes=()),
        "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values",
        nodes=("n",),
    ),
    _refused(
        "claim-without-modes",
        "A PVC without access modes MUST be refused.",
        pvc("c", 1, modes=()),
        "spec.accessModes",
        modes=(RWO,),
    ),
    _refused(
        "claim-with-rwop-and-others",
        "A PVC MUST NOT combine ReadWriteOncePod with another access mode.",
        pvc("c", 1, RWOP, RWX),
        "spec.accessModes",
        modes=(RWO, RWX),
    ),
    _refused(
        "claim-without-request",
        "A PVC that does not say how much storage it requests MUST be refused.",
        pvc("c", None),
        "spec.resources[storage]",
        request=1,
    ),
    _refused(
        "claim-for-nothing",
        "A PVC that requests 0 bytes MUST be refused.",
        pvc("c", 0),
        "spec.resources[storage]",
        request=1,
    ),
    _refused(
        "claim-with-unknown-volume-mode",
        "A PVC with an unknown volumeMode MUST be refused.",
        pvc("c", 1, volume_mode="Tape"),
        "spec.volumeMode",
        volume_mode="Block",
    ),
    _refused(
        "claim-with-malformed-class",
        "A PVC whose class name is not a DNS name MUST be refused.",
        pvc("c", 1, cls="Not_A_Name"),
        "spec.storageClassName",
        storage_class="a-name",
    ),
    _refused(
        "selector-with-unknown-operator",
        "A selector with an unknown operator MUST be refused.",
        pvc("c", 1, select=where("tier", "Like", "gold")),
        f"{_EXPRESSION}.operator",
        selector=where("tier", "In", "gold"),
    ),
    _refused(
        "selector-in-without-values",
        "A selector with the operator In but without values MUST be refused.",
        pvc("c", 1, select=where("tier", "In")),
        f"{_EXPRESSION}.values",
        selector=where("tier", "Exists"),
    ),
    _refused(
        "selector-exists-with-values",
        "A selector with the operator Exists and values MUST be refused.",
        pvc("c", 1, select=where("tier", "Exists", "gold")),
        f"{_EXPRESSION}.values",
        selector=where("tier", "In", "gold"),
    ),
    BindingRule(
        "protected-volume-keeps-its-name",
        "A new PV MUST be refused while a protected PV of the same name still exists.",
        "pv_protection_controller.go, isBeingUsed",
        given=[pv("v", 1), pvc("c", 1)],
        later=[[Delete("pv", "v")], [pv("v", 1)]],
        ends=[bound("c", "v"), kept("v")],
        refused={"v": "metadata.name"},
        twin=change("c", request=2),
    ),
]
