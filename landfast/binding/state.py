"""The cluster at one moment, as far as binding goes: the API server's objects and the queue."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from landfast.binding.model import Class, Pv, Pvc, PvcPhase, PvPhase, Refusal


class Stamp(NamedTuple):
    """When an operation is sent: its stage, and its number in that stage. Serves as a uid."""

    stage: int
    number: int


class Owner(NamedTuple):
    """A PV's `claimRef`; without a uid the PV is only reserved by name."""

    name: str
    uid: Stamp | None


@dataclass(frozen=True)
class StoredPv:
    """A PersistentVolume in the API server; without a phase the controller has not seen it yet."""

    spec: Pv
    owner: Owner | None
    phase: PvPhase | None = None
    deleting: bool = False

    @property
    def size(self) -> int:
        """Its capacity in MiB; validation requires one."""
        return self.spec.capacity or 0

    @property
    def storage_class(self) -> str:
        """The class's name, "" without one (helpers.go, GetPersistentVolumeClass)."""
        return self.spec.storage_class or ""

    def belongs_to(self, pvc: "StoredPvc") -> bool:
        """Return whether it is bound to the PVC or reserved for it.

        Source: pv_helpers.go, IsVolumeBoundToClaim.
        """
        owner = self.owner
        return owner is not None and owner.name == pvc.spec.name and owner.uid in (None, pvc.uid)


@dataclass(frozen=True)
class StoredPvc:
    """A PersistentVolumeClaim in the API server.

    `volume` is `volumeName`; `completed` is the annotation which says that it was bound once.
    """

    spec: Pvc
    uid: Stamp
    named_class: str | None
    volume: str | None = None
    completed: bool = False
    phase: PvcPhase = PvcPhase.PENDING
    deleting: bool = False

    @property
    def storage_class(self) -> str:
        """The class's name, "" without one (helpers.go, GetPersistentVolumeClaimClass)."""
        return self.named_class or ""


class Aged(NamedTuple):
    """A class and when it was created; two with the same stamp have the same second."""

    created: Stamp
    cls: Class


@dataclass(frozen=True)
class State:
    """All objects in order of creation, and what the API server has refused so far.

    `fresh` are the uids of PVCs that the controller has not looked at yet, first in first out.
    """

    pvs: tuple[StoredPv, ...] = ()
    pvcs: tuple[StoredPvc, ...] = ()
    classes: tuple[Aged, ...] = ()
    fresh: tuple[Stamp, ...] = ()
    refused: frozenset[Refusal] = frozenset()

    def pv(self, name: str | None) -> StoredPv | None:
        """Return the PV of that name."""
        return next((pv for pv in self.pvs if pv.spec.name == name), None)

    def seen_pv(self, name: str | None) -> StoredPv | None:
        """Return the PV of that name if the controller has it in its cache."""
        pv = self.pv(name)
        return pv if pv is not None and pv.phase else None

    def pvc(self, name: str) -> StoredPvc | None:
        """Return the PVC of that name."""
        return next((pvc for pvc in self.pvcs if pvc.spec.name == name), None)

    def storage_class(self, name: str) -> Class | None:
        """Return the class of that name."""
        return next((aged.cls for aged in self.classes if aged.cls.name == name), None)

    def with_pv(self, old: StoredPv, new: StoredPv | None) -> "State":
        """Return the state with one PV changed, or gone."""
        kept = tuple(new if pv is old else pv for pv in self.pvs)
        return replace(self, pvs=tuple(pv for pv in kept if pv is not None))

    def with_pvc(self, old: StoredPvc, new: StoredPvc | None) -> "State":
        """Return the state with one PVC changed, or gone."""
        kept = tuple(new if pvc is old else pvc for pvc in self.pvcs)
        fresh = self.fresh if new else tuple(uid for uid in self.fresh if uid != old.uid)
        return replace(self, pvcs=tuple(pvc for pvc in kept if pvc is not None), fresh=fresh)
