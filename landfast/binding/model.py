"""The binding oracle's values: PVs, PVCs, classes, what is done with them, and how it ends.

Values only: frozen, comparable, hashable. They can be invalid (no access mode, a capacity of 0), so
that a binding case can contain what the API server must refuse.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal

Labels = tuple[tuple[str, str], ...]
ObjectKind = Literal["pv", "pvc", "class"]


class AccessMode(StrEnum):
    """How a PV may be mounted, or a PVC wants to mount it."""

    RWO = "ReadWriteOnce"
    ROX = "ReadOnlyMany"
    RWX = "ReadWriteMany"
    RWOP = "ReadWriteOncePod"


class VolumeMode(StrEnum):
    """A file system or a raw device."""

    FILESYSTEM = "Filesystem"
    BLOCK = "Block"


class PvPhase(StrEnum):
    """`status.phase` of a PersistentVolume; with the policy Retain it is never Failed."""

    AVAILABLE = "Available"
    BOUND = "Bound"
    RELEASED = "Released"


class PvcPhase(StrEnum):
    """`status.phase` of a PersistentVolumeClaim."""

    PENDING = "Pending"
    BOUND = "Bound"
    LOST = "Lost"


class Reason(StrEnum):
    """Why a PVC is Pending."""

    NO_VOLUME = "no-volume"
    WAITS_FOR_FIRST_CONSUMER = "waits-for-first-consumer"
    VOLUME_MISSING = "volume-missing"
    BOUND_ELSEWHERE = "bound-elsewhere"
    MISMATCH = "mismatch"
    EXTERNAL_PROVISIONING = "external-provisioning"
    CLASS_NOT_FOUND = "class-not-found"


@dataclass(frozen=True)
class Requirement:
    """One of a selector's `matchExpressions`: key, operator (`In`, `Exists`, …), values."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether the labels meet it (apimachinery, pkg/labels/selector.go, Matches).

        Raises:
            ValueError: the API server would refuse the operator.
        """
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
        raise ValueError(f"a selector cannot have the operator {self.operator}")


@dataclass(frozen=True)
class Selector:
    """A PVC's selector: every label and every requirement must be met; an empty one always is."""

    labels: Labels = ()
    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Return whether a PV with these labels meets it."""
        has = dict(labels)
        return all(has.get(key) == value for key, value in self.labels) and all(
            requirement.matches(has) for requirement in self.requirements
        )


@dataclass(frozen=True)
class Pv:
    """A PersistentVolume on NFS with the reclaim policy Retain.

    `capacity` is in MiB, None if left out. `storage_class` None is left out, which means the same
    as "". `claim_ref` is the name in `claimRef`, which has no uid. `nodes` are the host names of
    the node affinity.
    """

    name: str
    capacity: int | None = 1
    modes: tuple[str, ...] = (AccessMode.RWO,)
    storage_class: str | None = None
    volume_mode: str | None = None
    labels: Labels = ()
    claim_ref: str | None = None
    nodes: tuple[str, ...] | None = None
    kind: ClassVar[ObjectKind] = "pv"


@dataclass(frozen=True)
class Pvc:
    """A PersistentVolumeClaim.

    `request` is in MiB, None if left out. `storage_class` None is left out, so the cluster's
    default may be filled in; "" asks for a PV without a class. `volume` is `volumeName`. A
    `completed` PVC is created with the annotation `pv.kubernetes.io/bind-completed`, like one
    restored from a backup.
    """

    name: str
    request: int | None = 1
    modes: tuple[str, ...] = (AccessMode.RWO,)
    storage_class: str | None = None
    volume_mode: str | None = None
    selector: Selector | None = None
    volume: str | None = None
    completed: bool = False
    kind: ClassVar[ObjectKind] = "pvc"


@dataclass(frozen=True)
class Class:
    """A StorageClass without a running provisioner: its PVCs bind to existing PVs, or wait."""

    name: str
    default: bool = False
    wait_for_first_consumer: bool = False
    kind: ClassVar[ObjectKind] = "class"


Object = Pv | Pvc | Class


@dataclass(frozen=True)
class Create:
    """Create the object."""

    obj: Object


@dataclass(frozen=True)
class Delete:
    """Delete the object of that kind and name, if it exists.

    `force` also removes its finalizers, so that it goes even while it is in use.
    """

    kind: ObjectKind
    name: str
    force: bool = False


Op = Create | Delete


@dataclass(frozen=True)
class BindingCase:
    """What is done with a set of PVs, PVCs and classes, in stages.

    After each stage the cluster settles: the controllers have looked at everything before the next
    stage begins. Inside a stage the operations are sent in order. A stage must not mix what has no
    reliable order: it must not create a name that it deletes, and it must not create or delete
    classes together with other objects. Default classes of different stages are created in
    different seconds, because a creationTimestamp has whole seconds. Class names keep their order
    on the cluster, because the name decides between default classes of the same second.
    """

    stages: tuple[tuple[Op, ...], ...]

    @classmethod
    def of(cls, *stages: Iterable[Object | Delete]) -> "BindingCase":
        """Return the case whose stages create these objects and do these deletions."""
        return cls(
            tuple(
                tuple(item if isinstance(item, Delete) else Create(item) for item in stage)
                for stage in stages
            )
        )

    def objects(self) -> Iterator[Object]:
        """Yield every object that is created, in order."""
        for stage in self.stages:
            for op in stage:
                if isinstance(op, Create):
                    yield op.obj

    @property
    def makes_default_class(self) -> bool:
        """Whether it creates a default class, which is the whole cluster's."""
        return any(isinstance(obj, Class) and obj.default for obj in self.objects())

    @property
    def uses_default_class(self) -> bool:
        """Whether its outcome depends on the cluster's default classes."""
        return self.makes_default_class or any(
            isinstance(obj, Pvc) and obj.storage_class is None for obj in self.objects()
        )


@dataclass(frozen=True)
class PvState:
    """How a PV ends; `claim_ref` is the name in `claimRef`; `deleting`: a finalizer keeps it."""

    name: str
    phase: PvPhase
    claim_ref: str | None = None
    deleting: bool = False


@dataclass(frozen=True)
class PvcState:
    """How a PVC ends; `volume` is `volumeName`. The reason is evidence and is not compared."""

    name: str
    phase: PvcPhase
    volume: str | None = None
    reason: Reason | None = field(default=None, compare=False)


@dataclass(frozen=True, order=True)
class Refusal:
    """A field for which the API server refused an object; one refusal for each field it names.

    If the name is taken (409, which names no field), the field is `metadata.name`.
    """

    kind: ObjectKind
    name: str
    field: str


@dataclass(frozen=True)
class Outcome:
    """How a binding case ends: every remaining PV and PVC, and what was refused."""

    pvs: frozenset[PvState] = frozenset()
    pvcs: frozenset[PvcState] = frozenset()
    refused: frozenset[Refusal] = frozenset()

    def pv(self, name: str) -> PvState | None:
        """Return the PV of that name, None if it does not exist."""
        return next((pv for pv in self.pvs if pv.name == name), None)

    def pvc(self, name: str) -> PvcState | None:
        """Return the PVC of that name, None if it does not exist."""
        return next((pvc for pvc in self.pvcs if pvc.name == name), None)


@dataclass(frozen=True)
class Expectation:
    """The outcomes that the rules allow; if there are several, `undetermined` says why."""

    allowed: frozenset[Outcome]
    undetermined: str = ""
