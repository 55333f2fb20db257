"""Rules of classes: named, empty, left out; defaults; WaitForFirstConsumer."""

from landfast.binding.model import Class, Delete, Reason
from suites.conformance.binding.table import Rule, change, claim, pv, pvc, without

_MATCH = "pv_helpers.go, FindMatchingVolume"
_SYNC = "pv_controller.go, syncUnboundClaim"
_ADMIT = "plugin/pkg/admission/storage/storageclass/setdefault/admission.go, Admit"
_DEFAULT = "pkg/volume/util/storageclass.go, GetDefaultClass"
_RETROACTIVE = "pv_controller.go, assignDefaultStorageClass"
NO_VOLUME, NO_CLASS = Reason.NO_VOLUME, Reason.CLASS_NOT_FOUND
UNPROVISIONED, WAITS = Reason.EXTERNAL_PROVISIONING, Reason.WAITS_FOR_FIRST_CONSUMER


CLASSES = [
    Rule(
        claim=claim(
            "class-needs-no-object",
            "A claim and a volume of one class MUST bind although no StorageClass of that name "
            "exists.",
            _MATCH,
        ),
        volumes=[pv("v", 1, cls="x")],
        claims=[pvc("c", 1, cls="x")],
        binds={"c": "v"},
        twin=change("v", storage_class="y"),
    ),
    Rule(
        claim=claim(
            "class-mismatch-stays-pending",
            "A claim MUST NOT get a volume of another class.",
            _MATCH,
        ),
        classes=[Class("x"), Class("y")],
        volumes=[pv("v", 1, cls="y")],
        claims=[pvc("c", 1, cls="x")],
        pending={"c": UNPROVISIONED},
        available=("v",),
        twin=change("v", storage_class="x"),
    ),
    Rule(
        claim=claim(
            "missing-class-stays-pending",
            "A claim MUST stay Pending while its class does not exist and no volume names it.",
            "pv_controller.go, findProvisionablePlugin",
        ),
        volumes=[pv("v", 1, cls="")],
        claims=[pvc("c", 1, cls="x")],
        pending={"c": NO_CLASS},
        available=("v",),
        twin=change("v", storage_class="x"),
    ),
    Rule(
        claim=claim(
            "volume-before-provisioning",
            "A claim whose class has a provisioner MUST get a volume that is there already.",
            _SYNC,
        ),
        classes=[Class("x")],
        volumes=[pv("v", 1, cls="x")],
        claims=[pvc("c", 1, cls="x")],
        binds={"c": "v"},
        twin=change("c", request=2),
    ),
    Rule(
        claim=claim(
            "empty-class-binds-empty-class",
            'A claim of the class "" MUST get a volume without a class.',
            _MATCH,
        ),
        volumes=[pv("other", 1, cls="x"), pv("v", 2, cls="")],
        claims=[pvc("c", 1, cls="")],
        binds={"c": "v"},
        available=("other",),
        twin=change("c", storage_class="x"),
    ),
    Rule(
        claim=claim(
            "empty-class-no-other",
            'A claim of the class "" MUST NOT get a volume that has a class.',
            _MATCH,
        ),
        volumes=[pv("v", 1, cls="x")],
        claims=[pvc("c", 1, cls="")],
        pending={"c": NO_VOLUME},
        available=("v",),
        twin=change("v", storage_class=None),
    ),
    Rule(
        claim=claim(
            "nil-class-without-default",
            "Without a default class a claim that names none MUST get a volume without a class.",
            "helpers.go, GetPersistentVolumeClaimClass",
        ),
        volumes=[pv("v", 1, cls=None)],
        claims=[pvc("c", 1, cls=None)],
        binds={"c": "v"},
        twin=change("v", storage_class="x"),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "nil-class-gets-default",
            "A claim that names no class MUST be given the default one, and a volume of it.",
            _ADMIT,
        ),
        classes=[Class("x", default=True)],
        volumes=[pv("plain", 1, cls=""), pv("v", 2, cls="x")],
        claims=[pvc("c", 1, cls=None)],
        binds={"c": "v"},
        available=("plain",),
        twin=change("x", default=False),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "default-class-hides-plain-volume",
            "With a default class a claim that names none MUST NOT get a volume without a class.",
            _ADMIT,
        ),
        classes=[Class("x", default=True)],
        volumes=[pv("v", 1, cls="")],
        claims=[pvc("c", 1, cls=None)],
        pending={"c": UNPROVISIONED},
        available=("v",),
        twin=change("c", storage_class=""),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "empty-class-gets-no-default",
            'A claim of the class "" MUST NOT be given the default class.',
            _ADMIT,
        ),
        classes=[Class("x", default=True)],
        volumes=[pv("v", 1, cls="x")],
        claims=[pvc("c", 1, cls="")],
        pending={"c": NO_VOLUME},
        available=("v",),
        twin=change("c", storage_class=None),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "named-class-keeps-its-name",
            "A claim that names a class MUST keep it though another is the default.",
            _ADMIT,
        ),
        classes=[Class("x", default=True)],
        volumes=[pv("v", 1, cls="x"), pv("own", 2, cls="y")],
        claims=[pvc("c", 1, cls="y")],
        binds={"c": "own"},
        twin=change("c", storage_class=None),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "late-default-is-given",
            "A Pending claim that names no class MUST be given a default that is made later.",
            _RETROACTIVE,
        ),
        volumes=[pv("v", 1, cls="x")],
        claims=[pvc("c", 1, cls=None)],
        later=[[Class("x", default=True)]],
        binds={"c": "v"},
        twin=change("x", default=False),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "late-default-not-for-empty-class",
            'A Pending claim of the class "" MUST NOT be given a default that is made later.',
            _RETROACTIVE,
        ),
        volumes=[pv("v", 1, cls="x")],
        claims=[pvc("c", 1, cls="")],
        later=[[Class("x", default=True)]],
        pending={"c": NO_VOLUME},
        available=("v",),
        twin=change("c", storage_class=None),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "late-default-not-with-volume-name",
            "A Pending claim that names its volume MUST NOT be given a default made later: it "
            "binds when that volume, without a class, comes.",
            f"{_SYNC}: a default is assigned only where volumeName is empty",
        ),
        claims=[pvc("c", 1, cls=None, volume="v")],
        later=[[Class("x", default=True)], [pv("v", 1, cls="")]],
        binds={"c": "v"},
        twin=change("c", volume=None),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "default-class-and-volume-name",
            "A claim that names a volume but no class MUST be given the default class, too, and "
            "stay Pending if the volume has none.",
            _ADMIT,
        ),
        classes=[Class("x", default=True)],
        volumes=[pv("v", 1, cls="")],
        claims=[pvc("c", 1, cls=None, volume="v")],
        pending={"c": Reason.MISMATCH},
        available=("v",),
        twin=change("x", default=False),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "newest-default-wins",
            "Of two default classes the newer MUST be given.",
            _DEFAULT,
        ),
        classes=[Class("a", default=True)],
        later=[
            [Class("b", default=True)],
            [pv("of-a", 1, cls="a"), pv("of-b", 1, cls="b")],
            [pvc("c", 1, cls=None)],
        ],
        binds={"c": "of-b"},
        available=("of-a",),
        twin=change("b", default=False),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "first-name-of-one-second",
            "Of two default classes of one second the first by name MUST be given; made in the "
            "reverse order of their names, it is the newer one anyhow.",
            f"{_DEFAULT}: a creationTimestamp has seconds",
        ),
        classes=[Class("b", default=True), Class("a", default=True)],
        volumes=[pv("of-a", 1, cls="a"), pv("of-b", 1, cls="b")],
        claims=[pvc("c", 1, cls=None)],
        binds={"c": "of-a"},
        available=("of-b",),
        twin=change("a", default=False),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "deleted-default-is-not-given",
            "A default class that was deleted MUST NOT be given any more.",
            _DEFAULT,
        ),
        classes=[Class("x", default=True)],
        later=[[Delete("class", "x")], [pv("v", 1, cls="")], [pvc("c", 1, cls=None)]],
        binds={"c": "v"},
        twin=without(Delete("class", "x")),
        default_class=True,
    ),
    Rule(
        claim=claim(
            "class-outlives-its-object",
            "A claim MUST get a volume of its class after the StorageClass was deleted.",
            _MATCH,
        ),
        classes=[Class("x", wait_for_first_consumer=True)],
        volumes=[pv("v", 1, cls="x")],
        claims=[pvc("c", 1, cls="x")],
        later=[[Delete("class", "x")]],
        binds={"c": "v"},
        twin=without(Delete("class", "x")),
    ),
    Rule(
        claim=claim(
            "first-consumer-waits",
            "With WaitForFirstConsumer a claim that no pod uses MUST stay Pending, whatever fits.",
            _MATCH,
        ),
        classes=[Class("x", wait_for_first_consumer=True)],
        volumes=[pv("v", 1, cls="x")],
        claims=[pvc("c", 1, cls="x")],
        pending={"c": WAITS},
        available=("v",),
        twin=change("x", wait_for_first_consumer=False),
    ),
    Rule(
        claim=claim(
            "first-consumer-not-for-reserved-volume",
            "With WaitForFirstConsumer a claim for which a volume is reserved MUST bind at once.",
            _MATCH,
        ),
        classes=[Class("x", wait_for_first_consumer=True)],
        volumes=[pv("v", 1, cls="x", claim="c")],
        claims=[pvc("c", 1, cls="x")],
        binds={"c": "v"},
        twin=change("v", claim=None),
    ),
    Rule(
        claim=claim(
            "first-consumer-not-for-volume-name",
            "With WaitForFirstConsumer a claim that names its volume MUST bind at once.",
            _SYNC,
        ),
        classes=[Class("x", wait_for_first_consumer=True)],
        volumes=[pv("v", 1, cls="x")],
        claims=[pvc("c", 1, cls="x", volume="v")],
        binds={"c": "v"},
        twin=change("c", volume=None),
    ),
]
