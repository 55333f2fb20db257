"""Rules about classes: named, empty or left out; defaults; WaitForFirstConsumer."""

from landfast.binding.model import Class, Delete, Reason
from suites.conformance.binding.table import (
    BindingRule,
    available,
    bound,
    change,
    pending,
    pv,
    pvc,
    without,
)

_MATCH = "pv_helpers.go, FindMatchingVolume"
_SYNC = "pv_controller.go, syncUnboundClaim"
_ADMIT = "plugin/pkg/admission/storage/storageclass/setdefault/admission.go, Admit"
_DEFAULT = "pkg/volume/util/storageclass.go, GetDefaultClass"
_RETROACTIVE = "pv_controller.go, assignDefaultStorageClass"
_NO_VOLUME, _NO_CLASS = Reason.NO_VOLUME, Reason.CLASS_NOT_FOUND
_UNPROVISIONED, _WAITS = Reason.EXTERNAL_PROVISIONING, Reason.WAITS_FOR_FIRST_CONSUMER
_DEFAULT_X, _WAITING_X = Class("x", default=True), Class("x", wait_for_first_consumer=True)
_DELETE_X = Delete("class", "x")

CLASSES = [
    BindingRule(
        "class-needs-no-object",
        "A PVC and a PV of the same class MUST bind even if no StorageClass of that name exists.",
        _MATCH,
        given=[pv("v", 1, cls="x"), pvc("c", 1, cls="x")],
        ends=[bound("c", "v")],
        twin=change("v", storage_class="y"),
    ),
    BindingRule(
        "class-mismatch-stays-pending",
        "A PVC MUST NOT get a PV of another class.",
        _MATCH,
        given=[Class("x"), Class("y"), pv("v", 1, cls="y"), pvc("c", 1, cls="x")],
        ends=[pending("c", _UNPROVISIONED), available("v")],
        twin=change("v", storage_class="x"),
    ),
    BindingRule(
        "missing-class-stays-pending",
        "A PVC MUST stay Pending while its class does not exist and no PV names that class.",
        "pv_controller.go, findProvisionablePlugin",
        given=[pv("v", 1, cls=""), pvc("c", 1, cls="x")],
        ends=[pending("c", _NO_CLASS), available("v")],
        twin=change("v", storage_class="x"),
    ),
    BindingRule(
        "volume-before-provisioning",
        "A PVC whose class has a provisioner MUST get a PV that already exists.",
        _SYNC,
        given=[Class("x"), pv("v", 1, cls="x"), pvc("c", 1, cls="x")],
        ends=[bound("c", "v")],
        twin=change("c", request=2),
    ),
    BindingRule(
        "empty-class-binds-empty-class",
        'A PVC of the class "" MUST get a PV without a class.',
        _MATCH,
        given=[pv("other", 1, cls="x"), pv("v", 2, cls=""), pvc("c", 1, cls="")],
        ends=[bound("c", "v"), available("other")],
        twin=change("c", storage_class="x"),
    ),
    BindingRule(
        "empty-class-no-other",
        'A PVC of the class "" MUST NOT get a PV that has a class.',
        _MATCH,
        given=[pv("v", 1, cls="x"), pvc("c", 1, cls="")],
        ends=[pending("c", _NO_VOLUME), available("v")],
        twin=change("v", storage_class=None),
    ),
    BindingRule(
        "nil-class-without-default",
        "Without a default class, a PVC that names no class MUST get a PV without a class.",
        "helpers.go, GetPersistentVolumeClaimClass",
        given=[pv("v", 1, cls=None), pvc("c", 1, cls=None)],
        ends=[bound("c", "v")],
        twin=change("v", storage_class="x"),
    ),
    BindingRule(
        "nil-class-gets-default",
        "A PVC that names no class MUST get the default class, and a PV of that class.",
        _ADMIT,
        given=[_DEFAULT_X, pv("plain", 1, cls=""), pv("v", 2, cls="x"), pvc("c", 1, cls=None)],
        ends=[bound("c", "v"), available("plain")],
        twin=change("x", default=False),
    ),
    BindingRule(
        "default-class-hides-plain-volume",
        "With a default class, a PVC that names no class MUST NOT get a PV without a class.",
        _ADMIT,
        given=[_DEFAULT_X, pv("v", 1, cls=""), pvc("c", 1, cls=None)],
        ends=[pending("c", _UNPROVISIONED), available("v")],
        twin=change("c", storage_class=""),
    ),
    BindingRule(
        "empty-class-gets-no-default",
        'A PVC of the class "" MUST NOT get the default class.',
        _ADMIT,
        given=[_DEFAULT_X, pv("v", 1, cls="x"), pvc("c", 1, cls="")],
        ends=[pending("c", _NO_VOLUME), available("v")],
        twin=change("c", storage_class=None),
    ),
    BindingRule(
        "named-class-keeps-its-name",
        "A PVC that names a class MUST keep it even if another class is the default.",
        _ADMIT,
        given=[_DEFAULT_X, pv("v", 1, cls="x"), pv("own", 2, cls="y"), pvc("c", 1, cls="y")],
        ends=[bound("c", "own")],
        twin=change("c", storage_class=None),
    ),
    BindingRule(
        "late-default-is-given",
        "A Pending PVC that names no class MUST get a default class that is created later.",
        _RETROACTIVE,
        given=[pv("v", 1, cls="x"), pvc("c", 1, cls=None)],
        later=[[_DEFAULT_X]],
        ends=[bound("c", "v")],
        twin=change("x", default=False),
    ),
    BindingRule(
        "late-default-not-for-empty-class",
        'A Pending PVC of the class "" MUST NOT get a default class that is created later.',
        _RETROACTIVE,
        given=[pv("v", 1, cls="x"), pvc("c", 1, cls="")],
        later=[[_DEFAULT_X]],
        ends=[pending("c", _NO_VOLUME), available("v")],
        twin=change("c", storage_class=None),
    ),
    BindingRule(
        "late-default-not-with-volume-name",
        "A Pending PVC that names its PV MUST NOT get a default class that is created later: it "
        "binds once that PV appears without a class.",
        f"{_SYNC}: a default is assigned only where volumeName is empty",
        given=[pvc("c", 1, cls=None, volume="v")],
        later=[[_DEFAULT_X], [pv("v", 1, cls="")]],
        ends=[bound("c", "v")],
        twin=change("c", volume=None),
    ),
    BindingRule(
        "default-class-and-volume-name",
        "A PVC that names a PV but no class MUST get the default class, too, and stay Pending if "
        "the PV has no class.",
        _ADMIT,
        given=[_DEFAULT_X, pv("v", 1, cls=""), pvc("c", 1, cls=None, volume="v")],
        ends=[pending("c", Reason.MISMATCH), available("v")],
        twin=change("x", default=False),
    ),
    BindingRule(
        "newest-default-wins",
        "A PVC that names no class MUST get the newer of two default classes.",
        _DEFAULT,
        given=[Class("a", default=True)],
        later=[
            [Class("b", default=True)],
            [pv("of-a", 1, cls="a"), pv("of-b", 1, cls="b")],
            [pvc("c", 1, cls=None)],
        ],
        ends=[bound("c", "of-b"), available("of-a")],
        twin=change("b", default=False),
    ),
    BindingRule(
        "first-name-of-one-second",
        "A PVC that names no class MUST get the first by name of two default classes created in "
        "the same second. (Here the first by name is created last, so it wins in any second.)",
        f"{_DEFAULT}: a creationTimestamp has whole seconds",
        given=[
            *[Class("b", default=True), Class("a", default=True)],
            *[pv("of-a", 1, cls="a"), pv("of-b", 1, cls="b")],
            pvc("c", 1, cls=None),
        ],
        ends=[bound("c", "of-a"), available("of-b")],
        twin=change("a", default=False),
    ),
    BindingRule(
        "deleted-default-is-not-given",
        "A PVC MUST NOT get a default class that has been deleted.",
        _DEFAULT,
        given=[_DEFAULT_X],
        later=[[_DELETE_X], [pv("v", 1, cls="")], [pvc("c", 1, cls=None)]],
        ends=[bound("c", "v")],
        twin=without(_DELETE_X),
    ),
    BindingRule(
        "class-outlives-its-object",
        "A PVC MUST get a PV of its class after the StorageClass has been deleted.",
        _MATCH,
        given=[_WAITING_X, pv("v", 1, cls="x"), pvc("c", 1, cls="x")],
        later=[[_DELETE_X]],
        ends=[bound("c", "v")],
        twin=without(_DELETE_X),
    ),
    BindingRule(
        "first-consumer-waits",
        "With WaitForFirstConsumer, a PVC that no pod uses MUST stay Pending even if a PV matches.",
        _MATCH,
        given=[_WAITING_X, pv("v", 1, cls="x"), pvc("c", 1, cls="x")],
        ends=[pending("c", _WAITS), available("v")],
        twin=change("x", wait_for_first_consumer=False),
    ),
    BindingRule(
        "first-consumer-not-for-reserved-volume",
        "With WaitForFirstConsumer, a PVC for which a PV is reserved MUST bind at once.",
        _MATCH,
        given=[_WAITING_X, pv("v", 1, cls="x", claim_ref="c"), pvc("c", 1, cls="x")],
        ends=[bound("c", "v")],
        twin=change("v", claim_ref=None),
    ),
    BindingRule(
        "first-consumer-not-for-volume-name",
        "With WaitForFirstConsumer, a PVC that names its PV MUST bind at once.",
        _SYNC,
        given=[_WAITING_X, pv("v", 1, cls="x"), pvc("c", 1, cls="x", volume="v")],
        ends=[bound("c", "v")],
        twin=change("c", volume=None),
    ),
]
