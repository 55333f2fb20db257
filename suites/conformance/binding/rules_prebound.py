"""Rules of pre-binding: a PV reserved by claimRef, a PVC that names its PV, or both."""

from landfast.binding.model import Reason, VolumeMode
from suites.conformance.binding.table import (
    RWO,
    RWX,
    BindingRule,
    available,
    bound,
    change,
    labelled,
    pending,
    pv,
    pvc,
)

_MATCH = "pv_helpers.go, FindMatchingVolume"
_INDEX = "index.go, findByClaim"
_SYNC = "pv_controller.go, syncUnboundClaim"
_SATISFY = "pv_controller.go, checkVolumeSatisfyClaim"
_NONE, _MISMATCH = Reason.CLASS_NOT_FOUND, Reason.MISMATCH
_MISSING, _ELSEWHERE = Reason.VOLUME_MISSING, Reason.BOUND_ELSEWHERE
_BLOCK = VolumeMode.BLOCK

PREBOUND = [
    BindingRule(
        "reserved-is-kept-for-its-claim",
        "A PVC MUST NOT get a PV whose claimRef names another PVC.",
        _MATCH,
        given=[pv("v", 1, claim_ref="other"), pvc("c", 1)],
        ends=[pending("c", _NONE), available("v")],
        twin=change("v", claim_ref=None),
    ),
    BindingRule(
        "reserved-before-smaller",
        "A reserved PV MUST win over a smaller one with the same access modes.",
        _MATCH,
        given=[pv("small", 1), pv("reserved", 5, claim_ref="c"), pvc("c", 1)],
        ends=[bound("c", "reserved"), available("small")],
        twin=change("reserved", claim_ref=None),
    ),
    BindingRule(
        "fewest-modes-before-reserved",
        "A PV with fewer access modes MUST win even over a reserved one, which stays Available.",
        f"{_INDEX}: modes are decided before claimRefs are looked at",
        given=[pv("plain", 1, RWO), pv("reserved", 1, RWO, RWX, claim_ref="c"), pvc("c", 1, RWO)],
        ends=[bound("c", "plain"), available("reserved")],
        twin=change("plain", modes=(RWO, RWX)),
    ),
    BindingRule(
        "reserved-ignores-class",
        "A reserved PV MUST bind even if it has another class.",
        _MATCH,
        given=[pv("v", 1, cls="y", claim_ref="c"), pvc("c", 1, cls="x")],
        ends=[bound("c", "v")],
        twin=change("v", claim_ref=None),
    ),
    BindingRule(
        "reserved-ignores-selector",
        "A reserved PV MUST bind even if the PVC's selector does not match it.",
        _MATCH,
        given=[pv("v", 1, claim_ref="c"), pvc("c", 1, select=labelled(tier="gold"))],
        ends=[bound("c", "v")],
        twin=change("v", claim_ref=None),
    ),
    BindingRule(
        "reserved-needs-size",
        "A reserved PV that is too small MUST NOT bind; the PVC stays Pending.",
        _MATCH,
        given=[pv("v", 1, claim_ref="c"), pvc("c", 2)],
        ends=[pending("c", _NONE), available("v")],
        twin=change("c", request=1),
    ),
    BindingRule(
        "reserved-needs-modes",
        "A reserved PV that lacks a requested access mode MUST NOT bind.",
        _INDEX,
        given=[pv("v", 1, RWO, claim_ref="c"), pvc("c", 1, RWX)],
        ends=[pending("c", _NONE), available("v")],
        twin=change("v", modes=(RWX,)),
    ),
    BindingRule(
        "reserved-needs-volume-mode",
        "A reserved PV with another volumeMode MUST NOT bind.",
        "pv_helpers.go, CheckVolumeModeMismatches",
        given=[pv("v", 1, claim_ref="c", volume_mode=_BLOCK), pvc("c", 1)],
        ends=[pending("c", _NONE), available("v")],
        twin=change("c", volume_mode=_BLOCK),
    ),
    BindingRule(
        "unfit-reserved-is-no-obstacle",
        "A PVC whose reserved PV is too small MUST get another PV; the first stays reserved.",
        _MATCH,
        given=[pv("reserved", 1, claim_ref="c"), pv("free", 2), pvc("c", 2)],
        ends=[bound("c", "free"), available("reserved")],
        twin=change("reserved", capacity=2),
    ),
    BindingRule(
        "reserved-twice",
        "A PVC MUST get exactly one of two PVs reserved for it; it may be either.",
        f"{_MATCH}: the first of an unordered index",
        given=[pv("a", 1, claim_ref="c"), pv("b", 5, claim_ref="c"), pvc("c", 1)],
        ends=[bound("c", "a", "b")],
        twin=change("c", request=6),
    ),
    BindingRule(
        "volume-name-before-smaller",
        "A PVC MUST get the PV that it names, even if another is smaller.",
        _SYNC,
        given=[pv("small", 1), pv("named", 5), pvc("c", 1, volume="named")],
        ends=[bound("c", "named"), available("small")],
        twin=change("c", volume=None),
    ),
    BindingRule(
        "volume-name-ignores-selector",
        "A PVC MUST get the PV that it names, even if its selector does not match the PV.",
        _SATISFY,
        given=[pv("v", 1), pvc("c", 1, volume="v", select=labelled(tier="gold"))],
        ends=[bound("c", "v")],
        twin=change("c", volume=None),
    ),
    BindingRule(
        "volume-name-needs-size",
        "A PVC MUST stay Pending while the PV that it names is too small.",
        _SATISFY,
        given=[pv("v", 1), pvc("c", 2, volume="v")],
        ends=[pending("c", _MISMATCH), available("v")],
        twin=change("v", capacity=2),
    ),
    BindingRule(
        "volume-name-needs-class",
        "A PVC MUST stay Pending while the PV that it names has another class.",
        _SATISFY,
        given=[pv("v", 1, cls="y"), pvc("c", 1, cls="x", volume="v")],
        ends=[pending("c", _MISMATCH), available("v")],
        twin=change("v", storage_class="x"),
    ),
    BindingRule(
        "volume-name-needs-modes",
        "A PVC MUST stay Pending while the PV that it names lacks a requested access mode.",
        _SATISFY,
        given=[pv("v", 1, RWO), pvc("c", 1, RWX, volume="v")],
        ends=[pending("c", _MISMATCH), available("v")],
        twin=change("v", modes=(RWX,)),
    ),
    BindingRule(
        "volume-name-needs-volume-mode",
        "A PVC MUST stay Pending while the PV that it names has another volumeMode.",
        _SATISFY,
        given=[pv("v", 1, volume_mode=_BLOCK), pvc("c", 1, volume="v")],
        ends=[pending("c", _MISMATCH), available("v")],
        twin=change("v", volume_mode=VolumeMode.FILESYSTEM),
    ),
    BindingRule(
        "missing-volume-name-stays-pending",
        "A PVC that names a missing PV MUST stay Pending even if another PV matches.",
        _SYNC,
        given=[pv("other", 1), pvc("c", 1, volume="missing")],
        ends=[pending("c", _MISSING), available("other")],
        twin=change("c", volume=None),
    ),
    BindingRule(
        "volume-name-comes-later",
        "A PVC MUST get the PV that it names once that PV is created.",
        _SYNC,
        given=[pv("other", 1), pvc("c", 1, volume="v")],
        later=[[pv("v", 1)]],
        ends=[bound("c", "v"), available("other")],
        twin=change("v", storage_class="y"),
    ),
    BindingRule(
        "volume-name-of-reserved-volume",
        "A PVC MUST stay Pending while the PV that it names is reserved for another PVC.",
        _SYNC,
        given=[pv("v", 1, claim_ref="other"), pvc("c", 1, volume="v")],
        ends=[pending("c", _ELSEWHERE), available("v")],
        twin=change("v", claim_ref="c"),
    ),
    BindingRule(
        "two-claims-name-one-volume",
        "If two PVCs name the same PV, the first MUST get it and the other MUST stay Pending.",
        _SYNC,
        given=[pv("v", 1), pvc("first", 1, volume="v"), pvc("second", 1, volume="v")],
        ends=[bound("first", "v"), pending("second", _ELSEWHERE)],
        twin=change("first", storage_class="y"),
    ),
    BindingRule(
        "both-sides-check-nothing",
        "A PV and a PVC that name each other MUST bind even if size, class, access modes, "
        "volumeMode and selector all differ.",
        f"{_SYNC}: IsVolumeBoundToClaim is the only check",
        given=[
            pv("v", 1, RWO, cls="y", claim_ref="c", volume_mode=_BLOCK),
            pvc("c", 100, RWX, cls="x", volume="v", select=labelled(tier="gold")),
        ],
        ends=[bound("c", "v")],
        twin=change("v", claim_ref=None),
    ),
]
