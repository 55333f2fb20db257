"""Rules about PVs and PVCs that go, come back, or are restored from a backup."""

from landfast.binding.model import Delete, Object, Reason
from suites.conformance.binding.table import (
    BindingRule,
    available,
    bound,
    change,
    forced,
    gone,
    kept,
    lost,
    pending,
    pv,
    pvc,
    released,
    without,
)

_RELEASE = "pv_controller.go, syncVolume"
_BOUND = "pv_controller.go, syncBoundClaim"
_PROTECT = "pv_protection_controller.go, isBeingUsed"
_MATCH = "pv_helpers.go, FindMatchingVolume"
_NONE, _ELSEWHERE = Reason.CLASS_NOT_FOUND, Reason.BOUND_ELSEWHERE
_DELETE_V, _DELETE_C = Delete("pv", "v"), Delete("pvc", "c")
_LOSE_V = Delete("pv", "v", force=True)
_PAIR: list[Object] = [pv("v", 1), pvc("c", 1)]

LIFETIME = [
    BindingRule(
        "deleted-claim-releases",
        "A PV with the policy Retain MUST be Released once its PVC is deleted.",
        _RELEASE,
        given=_PAIR,
        later=[[_DELETE_C]],
        ends=[released("v"), gone("c")],
        twin=without(_DELETE_C),
    ),
    BindingRule(
        "released-is-not-given-away",
        "A PVC MUST NOT get a Released PV.",
        _MATCH,
        given=_PAIR,
        later=[[_DELETE_C], [pvc("next", 1)]],
        ends=[released("v"), pending("next", _NONE)],
        twin=change("c", storage_class="y"),
    ),
    BindingRule(
        "recreated-claim-is-another",
        "A PVC created again under its old name MUST NOT get its old PV, which stays Released "
        "because its claimRef has the uid of the old PVC.",
        _RELEASE,
        given=_PAIR,
        later=[[_DELETE_C], [pvc("c", 1)]],
        ends=[released("v"), pending("c", _NONE)],
        twin=change("v", storage_class="y"),
    ),
    BindingRule(
        "recreated-claim-that-names-its-volume",
        "A PVC created again MUST stay Pending even if it names its old PV.",
        "pv_controller.go, syncUnboundClaim",
        given=[pv("v", 1), pvc("c", 1, volume="v")],
        later=[[_DELETE_C], [pvc("c", 1, volume="v")]],
        ends=[released("v"), pending("c", _ELSEWHERE)],
        twin=change("v", storage_class="y"),
    ),
    BindingRule(
        "pending-claim-leaves-its-reservation",
        "A reserved PV MUST stay Available if its PVC is deleted before they bind, and MUST bind "
        "to the next PVC of that name.",
        _RELEASE,
        given=[pv("v", 1, claim_ref="c"), pvc("c", 2)],
        later=[[_DELETE_C], [pvc("c", 1)]],
        ends=[bound("c", "v")],
        twin=without(_DELETE_C),
    ),
    BindingRule(
        "deleted-volume-goes",
        "A PV that is not Bound MUST go when it is deleted, and no other PV with it.",
        _PROTECT,
        given=[pv("v", 1), pv("other", 2)],
        later=[[_DELETE_V]],
        ends=[gone("v"), available("other")],
        twin=without(_DELETE_V),
    ),
    BindingRule(
        "deleted-volume-is-missed",
        "A PVC MUST NOT get a PV that was deleted before; it gets another one.",
        _MATCH,
        given=[pv("v", 1), pv("larger", 2)],
        later=[[_DELETE_V], [pvc("c", 1)]],
        ends=[bound("c", "larger"), gone("v")],
        twin=without(_DELETE_V),
    ),
    BindingRule(
        "bound-volume-is-protected",
        "A Bound PV that is deleted MUST stay, marked for deletion, and its PVC MUST stay Bound.",
        _PROTECT,
        given=_PAIR,
        later=[[_DELETE_V]],
        ends=[bound("c", "v"), kept("v")],
        twin=forced(_DELETE_V),
    ),
    BindingRule(
        "protection-ends-with-the-claim",
        "A PV deleted while Bound MUST go with its PVC, and no other PV with it.",
        _PROTECT,
        given=[pv("v", 1), pv("other", 2), pvc("c", 1)],
        later=[[_DELETE_V], [_DELETE_C]],
        ends=[gone("v", "c"), available("other")],
        twin=without(_DELETE_V),
    ),
    BindingRule(
        "released-volume-is-not-protected",
        "A Released PV MUST go when it is deleted, and no other PV with it.",
        _PROTECT,
        given=[pv("v", 1), pv("other", 2), pvc("c", 1)],
        later=[[_DELETE_C], [_DELETE_V]],
        ends=[gone("v", "c"), available("other")],
        twin=without(_DELETE_C),
    ),
    BindingRule(
        "claim-loses-its-volume",
        "A PVC MUST be Lost once its PV is gone, even if its finalizer had to be removed for that.",
        _BOUND,
        given=_PAIR,
        later=[[_LOSE_V]],
        ends=[lost("c"), gone("v")],
        twin=without(_LOSE_V),
    ),
    BindingRule(
        "lost-claim-takes-no-other",
        "A Lost PVC MUST NOT get another PV that matches.",
        _BOUND,
        given=_PAIR,
        later=[[_LOSE_V], [pv("other", 1)]],
        ends=[lost("c"), available("other")],
        twin=without(_LOSE_V),
    ),
    BindingRule(
        "lost-claim-finds-its-volume",
        "A Lost PVC MUST be Bound again once a PV of the old name appears without a claimRef.",
        f"{_BOUND}: bind, whatever the phase was",
        given=_PAIR,
        later=[[_LOSE_V], [pv("v", 1)]],
        ends=[bound("c", "v")],
        twin=change("v", claim_ref="c"),
    ),
    BindingRule(
        "lost-claim-and-reserved-volume",
        "A Lost PVC MUST stay Lost if its PV comes back reserved by name: a claimRef without a uid "
        "does not count as its own.",
        _BOUND,
        given=[pv("v", 1, claim_ref="c"), pvc("c", 1)],
        later=[[_LOSE_V], [pv("v", 1, claim_ref="c")]],
        ends=[lost("c"), available("v")],
        twin=change("v", claim_ref=None),
    ),
    BindingRule(
        "restored-claim-without-volume",
        "A PVC restored with bind-completed MUST be Lost while its PV does not exist.",
        _BOUND,
        given=[pvc("c", 1, volume="v", completed=True)],
        ends=[lost("c")],
        twin=change("c", completed=False),
    ),
    BindingRule(
        "restored-claim-without-volume-name",
        "A PVC with bind-completed but without a volumeName MUST be Lost even if a PV matches.",
        _BOUND,
        given=[pv("v", 1), pvc("c", 1, completed=True)],
        ends=[lost("c"), available("v")],
        twin=change("c", completed=False),
    ),
    BindingRule(
        "restored-claim-checks-nothing",
        "A PVC restored with bind-completed MUST be Bound to the PV that it names if that is free, "
        "even if the PV is too small and of another class.",
        _BOUND,
        given=[pv("v", 1, cls="y"), pvc("c", 100, cls="x", volume="v", completed=True)],
        ends=[bound("c", "v")],
        twin=change("c", completed=False),
    ),
    BindingRule(
        "restored-claim-and-reserved-volume",
        "A PVC restored with bind-completed MUST be Lost if its PV is reserved for it without a "
        "uid.",
        _BOUND,
        given=[pv("v", 1, claim_ref="c"), pvc("c", 1, volume="v", completed=True)],
        ends=[lost("c"), available("v")],
        twin=change("c", completed=False),
    ),
    BindingRule(
        "misbound-twin-is-lost",
        "If two PVCs both say that they are bound to a PV, the one that its claimRef does not name "
        "MUST be Lost, and the other MUST stay Bound.",
        f"{_BOUND}: ClaimMisbound",
        given=_PAIR,
        later=[[pvc("twin", 1, volume="v", completed=True)]],
        ends=[bound("c", "v"), lost("twin")],
        twin=change("twin", completed=False),
    ),
]
