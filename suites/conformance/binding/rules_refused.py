"""Rules of what the API server refuses, and the field it names."""

from landfast.binding.model import Delete, Pv, Pvc
from suites.conformance.binding.table import (
    RWO,
    RWOP,
    RWX,
    Rule,
    change,
    claim,
    pv,
    pvc,
    where,
)

_PV = "validation.go, ValidatePersistentVolumeSpec"
_PVC = "validation.go, ValidatePersistentVolumeClaimSpec"
_SELECTOR = "apimachinery, pkg/apis/meta/v1/validation, ValidateLabelSelectorRequirement"


def _pv_rule(name: str, text: str, volume: Pv, field: str, twin: dict[str, object]) -> Rule:
    return Rule(
        claim=claim(name, text, _PV),
        volumes=[volume],
        refused={volume.name: field},
        twin=change(volume.name, **twin),
    )


def _pvc_rule(
    name: str, text: str, asked: Pvc, field: str, twin: dict[str, object], source: str = _PVC
) -> Rule:
    return Rule(
        claim=claim(name, text, source),
        claims=[asked],
        refused={asked.name: field},
        twin=change(asked.name, **twin),
    )


REFUSED = [
    _pv_rule(
        "volume-without-modes",
        "A volume without access modes MUST be refused.",
        Pv("v", 1, modes=(), storage_class="x"),
        "spec.accessModes",
        {"modes": (RWO,)},
    ),
    _pv_rule(
        "volume-with-unknown-mode",
        "A volume with an access mode that does not exist MUST be refused.",
        pv("v", 1, "ReadWriteSometimes"),
        "spec.accessModes",
        {"modes": (RWO,)},
    ),
    _pv_rule(
        "volume-with-rwop-and-others",
        "A volume MUST NOT have ReadWriteOncePod beside another access mode.",
        pv("v", 1, RWOP, RWO),
        "spec.accessModes",
        {"modes": (RWOP,)},
    ),
    _pv_rule(
        "volume-without-capacity",
        "A volume without a capacity MUST be refused.",
        pv("v", None),
        "spec.capacity",
        {"capacity": 1},
    ),
    _pv_rule(
        "volume-of-capacity-zero",
        "A volume whose capacity is 0 MUST be refused.",
        pv("v", 0),
        "spec.capacity[storage]",
        {"capacity": 1},
    ),
    _pv_rule(
        "volume-with-unknown-volume-mode",
        "A volume with a volumeMode that does not exist MUST be refused.",
        pv("v", 1, volume_mode="Tape"),
        "spec.volumeMode",
        {"volume_mode": "Block"},
    ),
    _pv_rule(
        "volume-with-malformed-class",
        "A volume whose class is no DNS name MUST be refused.",
        pv("v", 1, cls="Not_A_Name"),
        "spec.storageClassName",
        {"storage_class": "a-name"},
    ),
    _pv_rule(
        "volume-with-empty-affinity",
        "A volume whose node affinity lists no value for In MUST be refused.",
        pv("v", 1, nodes=()),
        "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values",
        {"nodes": ("n",)},
    ),
    _pvc_rule(
        "claim-without-modes",
        "A claim without access modes MUST be refused.",
        Pvc("c", 1, modes=(), storage_class="x"),
        "spec.accessModes",
        {"modes": (RWO,)},
    ),
    _pvc_rule(
        "claim-with-rwop-and-others",
        "A claim MUST NOT ask for ReadWriteOncePod beside another access mode.",
        pvc("c", 1, RWOP, RWX),
        "spec.accessModes",
        {"modes": (RWO, RWX)},
    ),
    _pvc_rule(
        "claim-without-request",
        "A claim that does not say how much it asks for MUST be refused.",
        pvc("c", None),
        "spec.resources[storage]",
        {"request": 1},
    ),
    _pvc_rule(
        "claim-for-nothing",
        "A claim that asks for 0 MUST be refused.",
        pvc("c", 0),
        "spec.resources[storage]",
        {"request": 1},
    ),
    _pvc_rule(
        "claim-with-unknown-volume-mode",
        "A claim with a volumeMode that does not exist MUST be refused.",
        pvc("c", 1, volume_mode="Tape"),
        "spec.volumeMode",
        {"volume_mode": "Block"},
    ),
    _pvc_rule(
        "claim-with-malformed-class",
        "A claim whose class is no DNS name MUST be refused.",
        pvc("c", 1, cls="Not_A_Name"),
        "spec.storageClassName",
        {"storage_class": "a-name"},
    ),
    _pvc_rule(
        "selector-with-unknown-operator",
        "A selector with an operator that does not exist MUST be refused.",
        pvc("c", 1, select=where("tier", "Like", "gold")),
        "spec.selector.matchExpressions[0].operator",
        {"selector": where("tier", "In", "gold")},
        _SELECTOR,
    ),
    _pvc_rule(
        "selector-in-without-values",
        "A selector with In MUST be refused if it has no values.",
        pvc("c", 1, select=where("tier", "In")),
        "spec.selector.matchExpressions[0].values",
        {"selector": where("tier", "Exists")},
        _SELECTOR,
    ),
    _pvc_rule(
        "selector-exists-with-values",
        "A selector with Exists MUST be refused if it has values.",
        pvc("c", 1, select=where("tier", "Exists", "gold")),
        "spec.selector.matchExpressions[0].values",
        {"selector": where("tier", "In", "gold")},
        _SELECTOR,
    ),
    Rule(
        claim=claim(
            "protected-volume-keeps-its-name",
            "A volume MUST be refused while a protected one of its name is still there.",
            "pv_protection_controller.go, isBeingUsed",
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1)],
        later=[[Delete("pv", "v")], [pv("v", 1)]],
        binds={"c": "v"},
        kept=("v",),
        refused={"v": "metadata.name"},
        twin=change("c", request=2),
    ),
]
