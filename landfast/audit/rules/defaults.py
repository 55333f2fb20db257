"""Rules for PVCs that name no class, and for the default classes that they get."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import islice

from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.free_volumes import is_free
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvcObject, PvObject
from landfast.audit.rules.sources import DEFAULT_CLASS
from landfast.audit.rules.ties import is_reserved, waiting
from landfast.binding.matching import Misfit
from landfast.kube.default_classes import MARK, MARKS

_ADMISSION = (
    "Kubernetes v1.37, plugin/pkg/admission/storage/storageclass/setdefault; docs/binding.md"
)
_LIKE_A_MARK = 0.8  # of the letters; is-default-clas, isdefaultclass
_LOOK_AT = 20  # of many volumes: each is compared with each PVC


def _without_class(inventory: Inventory) -> Iterator[PvcObject]:
    for pvc in waiting(inventory.pvcs):
        if pvc.storage_class is None:
            yield pvc


@Rule(
    "audit.no-default-class",
    Severity.WARNING,
    "A PVC without a class, and no default class",
    reason=(
        "A PVC without storageClassName gets the default class. While there is none, only a "
        "volume without a class fits, and a default that is set later changes what the PVC gets."
    ),
    fix='Name a class, or set storageClassName: "" to get a volume without one.',
    example="""
        kind: PersistentVolumeClaim
        spec:
          storageClassName: nfs
    """,
    source=_ADMISSION,
    cluster_decides=True,
)
def no_default_class(inventory: Inventory) -> Iterator[Hit]:
    """Find such PVCs that no volume fits; in manifests they are one note."""
    found = [
        pvc
        for pvc in _without_class(inventory)
        if not (inventory.defaults or inventory.is_pinned(pvc) or inventory.fitting(pvc).count)
    ]
    said = f"it names no class, and there is no default class {inventory.where}"
    if inventory.complete:
        yield from (Hit(pvc, said, ("spec",)) for pvc in found)
    elif found:
        more = f" (PVCs that name none: {len(found)})" if len(found) > 1 else ""
        yield Hit(found[0], said + more, ("spec",))


@Rule(
    "audit.class-left-out",
    Severity.WARNING,
    "A PVC that leaves out the class, beside a volume that has none",
    reason=(
        "Leaving out storageClassName asks for the default class, which most clusters have. The "
        "PVC then gets a new volume of it, on a cloud a disk of one zone, and not this one."
    ),
    fix='Set storageClassName: "" on the PVC: that asks for a volume without a class.',
    example="""
        kind: PersistentVolumeClaim
        spec:
          storageClassName: ""
    """,
    source=f"{_ADMISSION}; binding.default-class-hides-plain-volume",
)
def class_left_out(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs that a volume without a class fits only while there is no default class."""
    plain = _plain_volumes(inventory)
    for pvc in _without_class(inventory):
        if pvc.spec.volume_name and not inventory.defaults:
            for pv in inventory.find_pvs(pvc.spec.volume_name):
                if not pv.storage_class and not is_reserved(pv, pvc):
                    said = f"with a default class it gets that one, and never {pv.title}, which"
                    yield Hit(pvc, f"{said} has none", ("spec",))
        elif not inventory.is_pinned(pvc) and (inventory.defaults or not inventory.complete):
            only_class = [Misfit.CLASS] if inventory.defaults else []
            fitting = (pv.name for pv in plain if inventory.misfits(pv, pvc) == only_class)
            if names := list(dict.fromkeys(fitting)):
                gets = "where the cluster has a default class, it gets a volume of that class,"
                if inventory.defaults:
                    gets = f"it gets {inventory.defaults[0].name}, the default class,"
                have = "has" if len(names) == 1 else "have"
                yield Hit(pvc, f"{gets} and not {listed(names)}, which {have} none", ("spec",))


def _plain_volumes(inventory: Inventory) -> list[PvObject]:
    """Return some volumes without a class that no PVC names, and that none with a class takes."""
    named = {pvc.spec.volume_name for pvc in inventory.pvcs}
    plain = (
        pv
        for pv in inventory.pvs
        if not pv.storage_class
        and is_free(pv)
        and pv.name not in named
        and not inventory.takers(pv, explicit=True).count
    )
    return list(islice(plain, _LOOK_AT))


@Rule(
    "audit.several-default-classes",
    Severity.WARNING,
    "Several default classes",
    reason=(
        "A PVC without a class gets the newest of them, so recreating a class moves all new PVCs "
        "to it."
    ),
    fix='Keep storageclass.kubernetes.io/is-default-class: "true" on one of them only.',
    example="""
        kind: StorageClass
        metadata:
          name: nfs
          annotations: {storageclass.kubernetes.io/is-default-class: "true"}
        ---
        kind: StorageClass
        metadata:
          name: local
          annotations: {storageclass.kubernetes.io/is-default-class: "false"}
    """,
    source=DEFAULT_CLASS,
)
def several_default_classes(inventory: Inventory) -> Iterator[Hit]:
    if len(inventory.defaults) > 1:
        first, *others = inventory.defaults
        said = f"it is a default class, besides {listed([c.name for c in others])}"
        yield Hit(first, said, ("metadata", "annotations"))


@Rule(
    "audit.default-class-misspelt",
    Severity.WARNING,
    "A class that is meant as the default and is not",
    reason=(
        "Only the annotation storageclass.kubernetes.io/is-default-class with the value true, in "
        "lower case, makes a default class. Without one, PVCs that name no class stay Pending."
    ),
    fix="Spell the annotation so.",
    example="""
        kind: StorageClass
        metadata:
          annotations: {storageclass.kubernetes.io/is-default-class: "true"}
    """,
    source=DEFAULT_CLASS,
)
def default_class_misspelt(inventory: Inventory) -> Iterator[Hit]:
    """Find annotations and labels that are nearly the mark, and values that are nearly true."""
    for storage_class in inventory.classes:
        meta = storage_class.metadata
        if storage_class.is_default:
            continue
        for field, pairs in (("annotations", meta.annotations), ("labels", meta.labels)):
            for key, value in pairs.items():
                meant = value.strip().lower() in ("true", "yes", "1", "on")
                if meant and (key in MARKS or _is_like_a_mark(key)):
                    why = (
                        "a label is not looked at"
                        if field == "labels"
                        else (f"the value is {value!r}" if key in MARKS else f"it is {MARK}")
                    )
                    yield Hit(storage_class, f"{key}: {why}", ("metadata", field, key))


def _is_like_a_mark(key: str) -> bool:
    """Whether a key differs from the mark by a few letters, or in its prefix."""
    name, mark = (k.rpartition("/")[2].lower() for k in (key, MARK))
    return SequenceMatcher(None, name, mark).ratio() >= _LIKE_A_MARK
