"""What the binding oracle speaks of: volumes, claims, classes, what is done, how it ends.

Values only: frozen, comparable, hashable. They hold invalid objects, too (no access mode, a
capacity of 0), so that a scenario can say what the API server must refuse.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Labels = tuple[tuple[str, str], ...]
Kind = Literal["pv", "pvc", "class"]


class AccessMode(StrEnum):
    """How a volume may be mounted, or a claim wants to mount it."""

    RWO = "ReadWriteOnce"
    ROX = "ReadOnlyMany"
    RWX = "ReadWriteMany"
    RWOP = "ReadWriteOncePod"


class VolumeMode(StrEnum):
    """A file system or a raw device."""

    FILESYSTEM = "Filesystem"
    BLOCK = "Block"


class PvPhase(StrEnum):
    """`status.phase` of a PersistentVolume; Failed does not occur where everything is retained."""

    AVAILABLE = "Available"
    BOUND = "Bound"
    RELEASED = "Released"


class PvcPhase(StrEnum):
    """`status.phase` of a PersistentVolumeClaim."""

    PENDING = "Pending"
    BOUND = "Bound"
    LOST = "Lost"


class Reason(StrEnum):
    """Why a claim is Pending."""

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
        """Say whether the labels meet it (apimachinery, pkg/labels/selector.go, Matches).

        Raises:
            ValueError: an operator that the API server refuses.
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
        raise ValueError(f"no selector has the operator {self.operator}")


@dataclass(frozen=True)
class Selector:
    """A claim's selector; every label and every requirement must be met, an empty one always is."""

    labels: Labels = ()
    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Say whether a volume with these labels meets it."""
        has = dict(labels)
        return all(has.get(key) == value for key, value in self.labels) and all(
            requirement.matches(has) for requirement in self.requirements
        )


@dataclass(frozen=True)
class Pv:
    """A PersistentVolume on NFS with the reclaim policy Retain.

    `capacity` is in MiB, None where it is left out; `storage_class` None is left out, which is
    the same as ""; `claim` is the name in `claimRef`, given without a uid; `nodes` are the host
    names of its node affinity.
    """

    name: str
    capacity: int | None = 1
    modes: tuple[str, ...] = (AccessMode.RWO,)
    storage_class: str | None = None
    volume_mode: str | None = None
    labels: Labels = ()
    claim: str | None = None
    nodes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Pvc:
    """A PersistentVolumeClaim.

    `request` is in MiB, None where it is left out; `storage_class` None is left out (the
    cluster's default may be filled in), "" asks for a volume without a class; `volume` is
    `volumeName`. `completed`: it is created with the annotation `pv.kubernetes.io/bind-completed`,
    as a claim that comes back from a backup is.
    """

    name: str
    request: int | None = 1
    modes: tuple[str, ...] = (AccessMode.RWO,)
    storage_class: str | None = None
    volume_mode: str | None = None
    selector: Selector | None = None
    volume: str | None = None
    completed: bool = False


@dataclass(frozen=True)
class Class:
    """A StorageClass whose provisioner nobody runs: its claims bind to what is there, or wait."""

    name: str
    default: bool = False
    wait_for_first_consumer: bool = False


Object = Pv | Pvc | Class


@dataclass(frozen=True)
class Create:
    """Create the object."""

    obj: Object


@dataclass(frozen=True)
class Delete:
    """Delete the object of that kind and name; if there is none, nothing happens.

    `force` takes its finalizers away, too, so that it goes even if it is in use.
    """

    kind: Kind
    name: str
    force: bool = False


Op = Create | Delete


@dataclass(frozen=True)
class Scenario:
    """What is done, in stages.

    After each stage the cluster settles: the controller has looked at everything before the next
    begins. Inside a stage the operations are sent in order. Where no order could be relied on, a
    stage must not mix them: a name that it deletes it does not create again, and classes are
    created and deleted in stages of their own. Default classes of different stages are created in
    different seconds, as a creationTimestamp has no more; names that a runner gives instead of
    these keep their order, as it decides between default classes of one second.
    """

    stages: tuple[tuple[Op, ...], ...]

    def objects(self) -> Iterator[Object]:
        """Give every object that is created, in order."""
        for stage in self.stages:
            for op in stage:
                if isinstance(op, Create):
                    yield op.obj


@dataclass(frozen=True)
class PvState:
    """A volume as it ends; `claim` is the name in `claimRef`, `deleting`: a finalizer keeps it."""

    name: str
    phase: PvPhase
    claim: str | None = None
    deleting: bool = False


@dataclass(frozen=True)
class PvcState:
    """A claim as it ends; `volume` is `volumeName`. The reason is evidence: it is not compared."""

    name: str
    phase: PvcPhase
    volume: str | None = None
    reason: Reason | None = field(default=None, compare=False)


@dataclass(frozen=True, order=True)
class Refusal:
    """A field for which the API server refused an object; one each, if it names several.

    Where the name is taken (409, which names no field) it is `metadata.name`.
    """

    kind: Kind
    name: str
    field: str


@dataclass(frozen=True)
class Outcome:
    """How a scenario ends: every volume and claim that is there, and what was refused."""

    pvs: frozenset[PvState] = frozenset()
    pvcs: frozenset[PvcState] = frozenset()
    refused: frozenset[Refusal] = frozenset()

    def pv(self, name: str) -> PvState | None:
        """Give the volume of that name, None if there is none."""
        return next((pv for pv in self.pvs if pv.name == name), None)

    def pvc(self, name: str) -> PvcState | None:
        """Give the claim of that name, None if there is none."""
        return next((pvc for pvc in self.pvcs if pvc.name == name), None)


@dataclass(frozen=True)
class Expected:
    """The outcomes that the rules allow; where it is more than one, `undetermined` says why."""

    allowed: frozenset[Outcome]
    undetermined: str = ""
