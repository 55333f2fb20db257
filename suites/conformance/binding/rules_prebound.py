"""Rules of pre-binding: a volume reserved by claimRef, a claim that names its volume, or both."""

from landfast.binding.model import Reason, VolumeMode
from suites.conformance.binding.table import RWO, RWX, Rule, change, claim, labelled, pv, pvc

_MATCH = "pv_helpers.go, FindMatchingVolume"
_INDEX = "index.go, findByClaim"
_SYNC = "pv_controller.go, syncUnboundClaim"
_SATISFY = "pv_controller.go, checkVolumeSatisfyClaim"
NONE, MISMATCH = Reason.CLASS_NOT_FOUND, Reason.MISMATCH
MISSING, ELSEWHERE = Reason.VOLUME_MISSING, Reason.BOUND_ELSEWHERE

RESERVED = [
    Rule(
        claim=claim(
            "reserved-is-kept-for-its-claim",
            "A volume whose claimRef names a claim MUST NOT be given to another.",
            _MATCH,
        ),
        volumes=[pv("v", 1, claim="other")],
        claims=[pvc("c", 1)],
        pending={"c": NONE},
        available=("v",),
        twin=change("v", claim=None),
    ),
    Rule(
        claim=claim(
            "reserved-before-smaller",
            "Of volumes with the same modes the reserved one MUST win over a smaller one.",
            _MATCH,
        ),
        volumes=[pv("small", 1), pv("reserved", 5, claim="c")],
        claims=[pvc("c", 1)],
        binds={"c": "reserved"},
        available=("small",),
        twin=change("reserved", claim=None),
    ),
    Rule(
        claim=claim(
            "fewest-modes-before-reserved",
            "A volume with fewer modes MUST win even over a reserved one, which stays Available.",
            f"{_INDEX}: modes are decided before claimRefs are looked at",
        ),
        volumes=[pv("plain", 1, RWO), pv("reserved", 1, RWO, RWX, claim="c")],
        claims=[pvc("c", 1, RWO)],
        binds={"c": "plain"},
        available=("reserved",),
        twin=change("plain", modes=(RWO, RWX)),
    ),
    Rule(
        claim=claim(
            "reserved-ignores-class",
            "A reserved volume MUST bind although its class is another.",
            _MATCH,
        ),
        volumes=[pv("v", 1, cls="y", claim="c")],
        claims=[pvc("c", 1, cls="x")],
        binds={"c": "v"},
        twin=change("v", claim=None),
    ),
    Rule(
        claim=claim(
            "reserved-ignores-selector",
            "A reserved volume MUST bind although the claim's selector does not match it.",
            _MATCH,
        ),
        volumes=[pv("v", 1, claim="c")],
        claims=[pvc("c", 1, select=labelled(tier="gold"))],
        binds={"c": "v"},
        twin=change("v", claim=None),
    ),
    Rule(
        claim=claim(
            "reserved-needs-size",
            "A reserved volume that is too small MUST NOT be bound; the claim stays Pending.",
            _MATCH,
        ),
        volumes=[pv("v", 1, claim="c")],
        claims=[pvc("c", 2)],
        pending={"c": NONE},
        available=("v",),
        twin=change("c", request=1),
    ),
    Rule(
        claim=claim(
            "reserved-needs-modes",
            "A reserved volume without a mode that the claim asks for MUST NOT be bound.",
            _INDEX,
        ),
        volumes=[pv("v", 1, RWO, claim="c")],
        claims=[pvc("c", 1, RWX)],
        pending={"c": NONE},
        available=("v",),
        twin=change("v", modes=(RWX,)),
    ),
    Rule(
        claim=claim(
            "reserved-needs-volume-mode",
            "A reserved volume of another volumeMode MUST NOT be bound.",
            "pv_helpers.go, CheckVolumeModeMismatches",
        ),
        volumes=[pv("v", 1, claim="c", volume_mode=VolumeMode.BLOCK)],
        claims=[pvc("c", 1)],
        pending={"c": NONE},
        available=("v",),
        twin=change("c", volume_mode=VolumeMode.BLOCK),
    ),
    Rule(
        claim=claim(
            "unfit-reserved-is-no-obstacle",
            "A claim whose reserved volume is too small MUST get another; that one stays reserved.",
            _MATCH,
        ),
        volumes=[pv("reserved", 1, claim="c"), pv("free", 2)],
        claims=[pvc("c", 2)],
        binds={"c": "free"},
        available=("reserved",),
        twin=change("reserved", capacity=2),
    ),
    Rule(
        claim=claim(
            "reserved-twice",
            "Of two volumes reserved for a claim exactly one MUST be bound, either of them.",
            f"{_MATCH}: the first of an unordered index",
        ),
        volumes=[pv("a", 1, claim="c"), pv("b", 5, claim="c")],
        claims=[pvc("c", 1)],
        binds={"c": ("a", "b")},
        twin=change("c", request=6),
    ),
]

NAMED = [
    Rule(
        claim=claim(
            "volume-name-before-smaller",
            "A claim MUST get the volume that it names, were another smaller.",
            _SYNC,
        ),
        volumes=[pv("small", 1), pv("named", 5)],
        claims=[pvc("c", 1, volume="named")],
        binds={"c": "named"},
        available=("small",),
        twin=change("c", volume=None),
    ),
    Rule(
        claim=claim(
            "volume-name-ignores-selector",
            "A claim MUST get the volume that it names although its selector does not match it.",
            _SATISFY,
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1, volume="v", select=labelled(tier="gold"))],
        binds={"c": "v"},
        twin=change("c", volume=None),
    ),
    Rule(
        claim=claim(
            "volume-name-needs-size",
            "A claim MUST stay Pending while the volume that it names is too small.",
            _SATISFY,
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 2, volume="v")],
        pending={"c": MISMATCH},
        available=("v",),
        twin=change("v", capacity=2),
    ),
    Rule(
        claim=claim(
            "volume-name-needs-class",
            "A claim MUST stay Pending while the volume that it names is of another class.",
            _SATISFY,
        ),
        volumes=[pv("v", 1, cls="y")],
        claims=[pvc("c", 1, cls="x", volume="v")],
        pending={"c": MISMATCH},
        available=("v",),
        twin=change("v", storage_class="x"),
    ),
    Rule(
        claim=claim(
            "volume-name-needs-modes",
            "A claim MUST stay Pending while the volume that it names lacks a mode.",
            _SATISFY,
        ),
        volumes=[pv("v", 1, RWO)],
        claims=[pvc("c", 1, RWX, volume="v")],
        pending={"c": MISMATCH},
        available=("v",),
        twin=change("v", modes=(RWX,)),
    ),
    Rule(
        claim=claim(
            "volume-name-needs-volume-mode",
            "A claim MUST stay Pending while the volume that it names is of another volumeMode.",
            _SATISFY,
        ),
        volumes=[pv("v", 1, volume_mode=VolumeMode.BLOCK)],
        claims=[pvc("c", 1, volume="v")],
        pending={"c": MISMATCH},
        available=("v",),
        twin=change("v", volume_mode=VolumeMode.FILESYSTEM),
    ),
    Rule(
        claim=claim(
            "missing-volume-name-stays-pending",
            "A claim that names a missing volume MUST stay Pending though another fits.",
            _SYNC,
        ),
        volumes=[pv("other", 1)],
        claims=[pvc("c", 1, volume="missing")],
        pending={"c": MISSING},
        available=("other",),
        twin=change("c", volume=None),
    ),
    Rule(
        claim=claim(
            "volume-name-comes-later",
            "A claim MUST get the volume that it names when that one is created later.",
            _SYNC,
        ),
        volumes=[pv("other", 1)],
        claims=[pvc("c", 1, volume="v")],
        later=[[pv("v", 1)]],
        binds={"c": "v"},
        available=("other",),
        twin=change("v", storage_class="y"),
    ),
    Rule(
        claim=claim(
            "volume-name-of-reserved-volume",
            "A claim MUST stay Pending while the volume that it names is reserved for another.",
            _SYNC,
        ),
        volumes=[pv("v", 1, claim="other")],
        claims=[pvc("c", 1, volume="v")],
        pending={"c": ELSEWHERE},
        available=("v",),
        twin=change("v", claim="c"),
    ),
    Rule(
        claim=claim(
            "two-claims-name-one-volume",
            "Of two claims that name one volume the first MUST get it and the other stay Pending.",
            _SYNC,
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("first", 1, volume="v"), pvc("second", 1, volume="v")],
        binds={"first": "v"},
        pending={"second": ELSEWHERE},
        twin=change("first", storage_class="y"),
    ),
    Rule(
        claim=claim(
            "both-sides-check-nothing",
            "A volume and a claim that name each other MUST bind although size, class, access "
            "modes, volumeMode and selector all differ.",
            f"{_SYNC}: IsVolumeBoundToClaim is all that is asked",
        ),
        volumes=[pv("v", 1, RWO, cls="y", claim="c", volume_mode=VolumeMode.BLOCK)],
        claims=[pvc("c", 100, RWX, cls="x", volume="v", select=labelled(tier="gold"))],
        binds={"c": "v"},
        twin=change("v", claim=None),
    ),
]

PREBOUND = [*RESERVED, *NAMED]
