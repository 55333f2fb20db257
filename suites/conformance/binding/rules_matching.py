"""Rules of how a claim that names no volume gets one."""

from landfast.binding.model import Class, Reason, Requirement, Selector, VolumeMode
from suites.conformance.binding.table import (
    ROX,
    RWO,
    RWOP,
    RWX,
    Rule,
    change,
    claim,
    labelled,
    pv,
    pvc,
    where,
)

_INDEX = "index.go, findByClaim and allPossibleMatchingAccessModes"
_MATCH = "pv_helpers.go, FindMatchingVolume"
_QUEUE = "pv_controller.go, claimQueue: exactly one worker"
NONE = Reason.CLASS_NOT_FOUND  # what the rows' class "x" comes to when no volume matches


MATCHING = [
    Rule(
        claim=claim(
            "smallest-fit",
            "Of the volumes that are large enough a claim MUST get the smallest.",
            _MATCH,
        ),
        volumes=[pv("large", 3), pv("small", 1), pv("fit", 2)],
        claims=[pvc("c", 2)],
        binds={"c": "fit"},
        available=("large", "small"),
        twin=change("fit", capacity=4),
    ),
    Rule(
        claim=claim(
            "larger-volume-will-do",
            "A claim MUST get a volume that is larger than it asks for if there is no other.",
            _MATCH,
        ),
        volumes=[pv("large", 1000)],
        claims=[pvc("c", 1)],
        binds={"c": "large"},
        twin=change("c", request=1001),
    ),
    Rule(
        claim=claim(
            "too-small-stays-pending",
            "A claim MUST stay Pending while every volume is smaller than it asks for.",
            _MATCH,
        ),
        volumes=[pv("small", 1)],
        claims=[pvc("c", 2)],
        pending={"c": NONE},
        available=("small",),
        twin=change("c", request=1),
    ),
    Rule(
        claim=claim(
            "fewest-modes-first",
            "A larger volume with just the modes asked for MUST win over a smaller one with more.",
            _INDEX,
        ),
        volumes=[pv("exact", 5, RWO), pv("wide", 1, RWO, RWX)],
        claims=[pvc("c", 1, RWO)],
        binds={"c": "exact"},
        available=("wide",),
        twin=change("exact", modes=(RWO, RWX)),
    ),
    Rule(
        claim=claim(
            "two-modes-before-three",
            "Of two volumes with modes that were not asked for, the one with fewer MUST win.",
            _INDEX,
        ),
        volumes=[pv("three", 1, RWO, ROX, RWX), pv("two", 5, RWO, RWX)],
        claims=[pvc("c", 1, RWO)],
        binds={"c": "two"},
        twin=change("two", modes=(RWO, ROX, RWX)),
    ),
    Rule(
        claim=claim(
            "superset-of-modes",
            "A claim MUST get a volume that has more modes than it asks for if there is no other.",
            _INDEX,
        ),
        volumes=[pv("wide", 1, RWO, RWX)],
        claims=[pvc("c", 1, RWO)],
        binds={"c": "wide"},
        twin=change("wide", modes=(ROX, RWX)),
    ),
    Rule(
        claim=claim(
            "next-modes-if-too-small",
            "If no volume with the fewest modes is large enough, one with more modes MUST do.",
            _INDEX,
        ),
        volumes=[pv("exact", 1, RWO), pv("wide", 2, RWO, RWX)],
        claims=[pvc("c", 2, RWO)],
        binds={"c": "wide"},
        available=("exact",),
        twin=change("exact", capacity=2),
    ),
    Rule(
        claim=claim(
            "missing-mode-stays-pending",
            "A claim MUST stay Pending while no volume has the mode it asks for.",
            _INDEX,
        ),
        volumes=[pv("v", 1, RWO, ROX)],
        claims=[pvc("c", 1, RWX)],
        pending={"c": NONE},
        available=("v",),
        twin=change("v", modes=(RWO, RWX)),
    ),
    Rule(
        claim=claim(
            "every-mode-counts",
            "A claim for several modes MUST NOT get a volume that has only one of them.",
            _INDEX,
        ),
        volumes=[pv("v", 1, RWO)],
        claims=[pvc("c", 1, RWO, RWX)],
        pending={"c": NONE},
        twin=change("v", modes=(RWO, ROX, RWX)),
    ),
    Rule(
        claim=claim(
            "rwop-is-a-mode-of-its-own",
            "A claim for ReadWriteOncePod MUST NOT get a volume that is ReadWriteOnce.",
            _INDEX,
        ),
        volumes=[pv("v", 1, RWO)],
        claims=[pvc("c", 1, RWOP)],
        pending={"c": NONE},
        twin=change("v", modes=(RWOP,)),
    ),
    Rule(
        claim=claim(
            "tie-of-sizes",
            "Of two volumes that are alike a claim MUST get exactly one, either of them.",
            f"{_MATCH}: the first of an unordered index",
        ),
        volumes=[pv("a", 1), pv("b", 1)],
        claims=[pvc("c", 1)],
        binds={"c": ("a", "b")},
        twin=change("c", request=2),
    ),
    Rule(
        claim=claim(
            "tie-of-modes",
            "Between volumes with equally many modes not asked for, size MUST NOT be relied on: "
            "the claim gets either.",
            f"{_INDEX}: sorted by their number alone",
        ),
        volumes=[pv("a", 1, RWO, ROX), pv("b", 5, RWO, RWX)],
        claims=[pvc("c", 1, RWO)],
        binds={"c": ("a", "b")},
        twin=change("c", modes=(RWOP,)),
    ),
    Rule(
        claim=claim(
            "volume-mode-must-match",
            "A claim for a block device MUST NOT get a volume that is a file system.",
            "pv_helpers.go, CheckVolumeModeMismatches",
        ),
        volumes=[pv("v", 1, volume_mode=VolumeMode.FILESYSTEM)],
        claims=[pvc("c", 1, volume_mode=VolumeMode.BLOCK)],
        pending={"c": NONE},
        twin=change("v", volume_mode=VolumeMode.BLOCK),
    ),
    Rule(
        claim=claim(
            "volume-mode-left-out",
            "A volume without volumeMode MUST count as a file system.",
            "pv_helpers.go, CheckVolumeModeMismatches",
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1, volume_mode=VolumeMode.FILESYSTEM)],
        binds={"c": "v"},
        twin=change("c", volume_mode=VolumeMode.BLOCK),
    ),
    Rule(
        claim=claim(
            "block-binds-block",
            "A claim for a block device MUST get a volume that is one, were another smaller.",
            "pv_helpers.go, CheckVolumeModeMismatches",
        ),
        volumes=[pv("files", 1), pv("device", 2, volume_mode=VolumeMode.BLOCK)],
        claims=[pvc("c", 1, volume_mode=VolumeMode.BLOCK)],
        binds={"c": "device"},
        twin=change("c", volume_mode=None),
    ),
    Rule(
        claim=claim(
            "selector-labels",
            "A claim with a selector MUST get a volume with these labels, were another smaller.",
            _MATCH,
        ),
        volumes=[
            pv("gold", 5, labels={"tier": "gold"}),
            pv("silver", 1, labels={"tier": "silver"}),
        ],
        claims=[pvc("c", 1, select=labelled(tier="gold"))],
        binds={"c": "gold"},
        available=("silver",),
        twin=change("c", selector=None),
    ),
    Rule(
        claim=claim(
            "selector-without-match-stays-pending",
            "A claim MUST stay Pending while no volume has the labels of its selector.",
            _MATCH,
        ),
        volumes=[pv("plain", 1), pv("silver", 1, labels={"tier": "silver"})],
        claims=[pvc("c", 1, select=labelled(tier="gold"))],
        pending={"c": NONE},
        available=("plain", "silver"),
        twin=change("silver", labels=(("tier", "gold"),)),
    ),
    Rule(
        claim=claim(
            "selector-in",
            "The operator In MUST match a volume whose label has one of the values.",
            "apimachinery, pkg/labels/selector.go, Requirement.Matches",
        ),
        volumes=[pv("v", 1, labels={"tier": "gold"})],
        claims=[pvc("c", 1, select=where("tier", "In", "gold", "silver"))],
        binds={"c": "v"},
        twin=change("v", labels=(("tier", "iron"),)),
    ),
    Rule(
        claim=claim(
            "selector-not-in",
            "The operator NotIn MUST NOT match a volume whose label has one of the values.",
            "apimachinery, pkg/labels/selector.go, Requirement.Matches",
        ),
        volumes=[pv("v", 1, labels={"tier": "gold"})],
        claims=[pvc("c", 1, select=where("tier", "NotIn", "gold", "silver"))],
        pending={"c": NONE},
        twin=change("v", labels=(("tier", "iron"),)),
    ),
    Rule(
        claim=claim(
            "selector-not-in-without-label",
            "The operator NotIn MUST match a volume that does not have the label at all.",
            "apimachinery, pkg/labels/selector.go, Requirement.Matches",
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("c", 1, select=where("tier", "NotIn", "gold"))],
        binds={"c": "v"},
        twin=change("v", labels=(("tier", "gold"),)),
    ),
    Rule(
        claim=claim(
            "selector-exists",
            "The operator Exists MUST match a volume that has the label, whatever its value.",
            "apimachinery, pkg/labels/selector.go, Requirement.Matches",
        ),
        volumes=[pv("plain", 1), pv("marked", 2, labels={"tier": "any"})],
        claims=[pvc("c", 1, select=where("tier", "Exists"))],
        binds={"c": "marked"},
        twin=change("marked", labels=()),
    ),
    Rule(
        claim=claim(
            "selector-does-not-exist",
            "The operator DoesNotExist MUST match only a volume without the label.",
            "apimachinery, pkg/labels/selector.go, Requirement.Matches",
        ),
        volumes=[pv("marked", 1, labels={"tier": "any"}), pv("plain", 2)],
        claims=[pvc("c", 1, select=where("tier", "DoesNotExist"))],
        binds={"c": "plain"},
        twin=change("marked", labels=()),
    ),
    Rule(
        claim=claim(
            "selector-is-a-conjunction",
            "Every label and every expression of a selector MUST be met.",
            "apimachinery, pkg/labels/selector.go, internalSelector.Matches",
        ),
        volumes=[pv("v", 1, labels={"tier": "gold"})],
        claims=[
            pvc(
                "c",
                1,
                select=Selector((("tier", "gold"),), (Requirement("site", "In", ("north",)),)),
            )
        ],
        pending={"c": NONE},
        twin=change("v", labels=(("site", "north"), ("tier", "gold"))),
    ),
    Rule(
        claim=claim(
            "one-claim-per-volume",
            "A volume MUST be bound to one claim; the other MUST stay Pending.",
            "pv_controller.go, bind",
        ),
        volumes=[pv("v", 1)],
        claims=[pvc("first", 1), pvc("second", 1)],
        binds={"first": "v"},
        pending={"second": NONE},
        twin=change("first", request=2),
    ),
    Rule(
        claim=claim(
            "first-come-first-served",
            "The claim that was created first MUST get the volume that it fits, even if only that "
            "would do for a later one.",
            _QUEUE,
        ),
        volumes=[pv("wide", 1, RWO, RWX), pv("large", 2, RWO, RWX)],
        claims=[pvc("early", 2, RWO), pvc("late", 2, RWX)],
        binds={"early": "large"},
        pending={"late": NONE},
        available=("wide",),
        twin=change("early", request=1),
    ),
    Rule(
        claim=claim(
            "late-volume-binds",
            "A claim that is Pending MUST get a matching volume that is created later.",
            "pv_controller_base.go, resync",
        ),
        claims=[pvc("c", 2)],
        later=[[pv("v", 2)]],
        binds={"c": "v"},
        twin=change("v", capacity=1),
    ),
    Rule(
        claim=claim(
            "immediate-binding-ignores-node-affinity",
            "Without WaitForFirstConsumer a claim MUST get a volume whose node affinity no node "
            "satisfies: only the scheduler looks at it.",
            f"{_MATCH}: node is nil in the controller",
        ),
        classes=[Class("x")],
        volumes=[pv("v", 1, nodes=("nowhere",))],
        claims=[pvc("c", 1)],
        binds={"c": "v"},
        twin=change("x", wait_for_first_consumer=True),
    ),
]
