"""Rules of what follows when volumes and claims go, come back, or are restored from a backup."""

from landfast.binding.model import Delete, Reason
from suites.conformance.binding.table import (
    RWO,
    Rule,
    change,
    claim,
    forced,
    pv,
    pvc,
    without,
)

_RELEASE = "pv_controller.go, syncVolume"
_BOUND = "pv_controller.go, syncBoundClaim"
_PROTECT = "pv_protection_controller.go, isBeingUsed"
NONE, ELSEWHERE = Reason.CLASS_NOT_FOUND, Reason.BOUND_ELSEWHERE
DELETE_V, DELETE_C = Delete("pv", "v"), Delete("pvc", "c")
LOSE_V = Delete("pv", "v", force=True)

LIFETIME = [
    Rule(
        claim=claim(
            "deleted-claim-releases",
            "A volume with the policy Retain MUST be Released once its claim is deleted.",
            _RELEASE,
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1)],
        later=[[DELETE_C]],
        released=("v",),
        gone=("c",),
        twin=without(DELETE_C),
    ),
    Rule(
        claim=claim(
            "released-is-not-given-away",
            "A Released volume MUST NOT be given to another claim.",
            "pv_helpers.go, FindMatchingVolume",
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1)],
        later=[[DELETE_C], [pvc("next", 1)]],
        released=("v",),
        pending={"next": NONE},
        twin=change("c", storage_class="y"),
    ),
    Rule(
        claim=claim(
            "recreated-claim-is-another",
            "A claim created again under its name MUST NOT get its old volume, which stays "
            "Released: the claimRef has the old one's uid.",
            _RELEASE,
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1)],
        later=[[DELETE_C], [pvc("c", 1)]],
        released=("v",),
        pending={"c": NONE},
        twin=change("v", storage_class="y"),
    ),
    Rule(
        claim=claim(
            "recreated-claim-that-names-its-volume",
            "A claim created again MUST stay Pending even if it names its old volume.",
            "pv_controller.go, syncUnboundClaim",
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1, volume="v")],
        later=[[DELETE_C], [pvc("c", 1, volume="v")]],
        released=("v",),
        pending={"c": ELSEWHERE},
        twin=change("v", storage_class="y"),
    ),
    Rule(
        claim=claim(
            "pending-claim-leaves-its-reservation",
            "A reserved volume MUST stay Available when its claim is deleted before it was bound, "
            "and be bound to the next of that name.",
            _RELEASE,
        ),
        volumes=[pv("v", 1, claim="c")],
        claims=[pvc("c", 2)],
        later=[[DELETE_C], [pvc("c", 1)]],
        binds={"c": "v"},
        twin=without(DELETE_C),
    ),
    Rule(
        claim=claim(
            "deleted-volume-goes",
            "A volume that is not Bound MUST go when it is deleted, and no other with it.",
            _PROTECT,
        ),
        volumes=[pv("v", 1), pv("other", 2)],
        later=[[DELETE_V]],
        gone=("v",),
        available=("other",),
        twin=without(DELETE_V),
    ),
    Rule(
        claim=claim(
            "deleted-volume-is-missed",
            "A claim MUST NOT be bound to a volume that was deleted before; it gets another.",
            "pv_helpers.go, FindMatchingVolume",
        ),
        volumes=[pv("v", 1), pv("larger", 2)],
        later=[[DELETE_V], [pvc("c", 1)]],
        binds={"c": "larger"},
        gone=("v",),
        twin=without(DELETE_V),
    ),
    Rule(
        claim=claim(
            "bound-volume-is-protected",
            "A Bound volume that is deleted MUST stay, marked, and its claim stay Bound.",
            _PROTECT,
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1)],
        later=[[DELETE_V]],
        binds={"c": "v"},
        kept=("v",),
        twin=forced(DELETE_V),
    ),
    Rule(
        claim=claim(
            "protection-ends-with-the-claim",
            "A volume that was deleted while Bound MUST go with its claim, and no other with it.",
            _PROTECT,
        ),
        volumes=[pv("v", 1), pv("other", 2)],
        claims=[pvc("c", 1)],
        later=[[DELETE_V], [DELETE_C]],
        gone=("v", "c"),
        available=("other",),
        twin=without(DELETE_V),
    ),
    Rule(
        claim=claim(
            "released-volume-is-not-protected",
            "A Released volume MUST go when it is deleted, and no other with it.",
            _PROTECT,
        ),
        volumes=[pv("v", 1), pv("other", 2)],
        claims=[pvc("c", 1)],
        later=[[DELETE_C], [DELETE_V]],
        gone=("v", "c"),
        available=("other",),
        twin=without(DELETE_C),
    ),
    Rule(
        claim=claim(
            "claim-loses-its-volume",
            "A claim MUST be Lost when its volume is gone, finalizer or not.",
            _BOUND,
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1)],
        later=[[LOSE_V]],
        lost=("c",),
        gone=("v",),
        twin=without(LOSE_V),
    ),
    Rule(
        claim=claim(
            "lost-claim-takes-no-other",
            "A Lost claim MUST NOT get another volume that fits.",
            _BOUND,
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1)],
        later=[[LOSE_V], [pv("other", 1)]],
        lost=("c",),
        available=("other",),
        twin=without(LOSE_V),
    ),
    Rule(
        claim=claim(
            "lost-claim-finds-its-volume",
            "A Lost claim MUST be Bound again when a volume of the old name comes without a "
            "claimRef.",
            f"{_BOUND}: bind, whatever the phase was",
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1)],
        later=[[LOSE_V], [pv("v", 1)]],
        binds={"c": "v"},
        twin=change("v", claim="c"),
    ),
    Rule(
        claim=claim(
            "lost-claim-and-reserved-volume",
            "A Lost claim MUST stay Lost when its volume comes back reserved by name: a claimRef "
            "without a uid is not its own.",
            _BOUND,
        ),
        volumes=[pv("v", 1, claim="c")],
        claims=[pvc("c", 1)],
        later=[[LOSE_V], [pv("v", 1, claim="c")]],
        lost=("c",),
        available=("v",),
        twin=change("v", claim=None),
    ),
    Rule(
        claim=claim(
            "restored-claim-without-volume",
            "A claim restored with bind-completed MUST be Lost while its volume does not exist.",
            _BOUND,
        ),
        claims=[pvc("c", 1, volume="v", completed=True)],
        lost=("c",),
        twin=change("c", completed=False),
    ),
    Rule(
        claim=claim(
            "restored-claim-without-volume-name",
            "A claim with bind-completed but no volumeName MUST be Lost, whatever fits it.",
            _BOUND,
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1, completed=True)],
        lost=("c",),
        available=("v",),
        twin=change("c", completed=False),
    ),
    Rule(
        claim=claim(
            "restored-claim-checks-nothing",
            "A claim restored with bind-completed MUST be Bound to the volume that it names if "
            "that is free, even if it is too small and of another class.",
            _BOUND,
        ),
        volumes=[pv("v", 1, RWO, cls="y")],
        claims=[pvc("c", 100, RWO, cls="x", volume="v", completed=True)],
        binds={"c": "v"},
        twin=change("c", completed=False),
    ),
    Rule(
        claim=claim(
            "restored-claim-and-reserved-volume",
            "A claim restored with bind-completed MUST be Lost if its volume is reserved for it "
            "without a uid.",
            _BOUND,
        ),
        volumes=[pv("v", 1, claim="c")],
        claims=[pvc("c", 1, volume="v", completed=True)],
        lost=("c",),
        available=("v",),
        twin=change("c", completed=False),
    ),
    Rule(
        claim=claim(
            "misbound-twin-is-lost",
            "Of two claims that say they are bound to one volume the one that its claimRef does "
            "not name MUST be Lost; the other stays Bound.",
            f"{_BOUND}: ClaimMisbound",
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1)],
        later=[[pvc("twin", 1, volume="v", completed=True)]],
        binds={"c": "v"},
        lost=("twin",),
        twin=change("twin", completed=False),
    ),
]
