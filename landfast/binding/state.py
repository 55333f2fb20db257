"""The cluster at one moment, as far as binding goes: what the API server and the queue hold."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from landfast.binding.model import Class, Pv, Pvc, PvcPhase, PvPhase, Refusal


class Moment(NamedTuple):
    """When an operation is sent: in which stage, as which of its operations. Serves as a uid."""

    stage: int
    number: int


class Owner(NamedTuple):
    """A volume's `claimRef`; without a uid whoever made the volume reserved it by name."""

    name: str
    uid: Moment | None


@dataclass(frozen=True)
class Volume:
    """A PersistentVolume; without a phase the controller has not seen it yet."""

    pv: Pv
    owner: Owner | None
    phase: PvPhase | None = None
    deleting: bool = False

    @property
    def size(self) -> int:
        """Its capacity in MiB; the API server lets none in without."""
        return self.pv.capacity or 0

    @property
    def storage_class(self) -> str:
        """The class's name, "" without one (helpers.go, GetPersistentVolumeClass)."""
        return self.pv.storage_class or ""

    def belongs_to(self, claim: "Claim") -> bool:
        """Say whether it is bound to the claim or reserved for it.

        Source: pv_helpers.go, IsVolumeBoundToClaim.
        """
        owner = self.owner
        return owner is not None and owner.name == claim.pvc.name and owner.uid in (None, claim.uid)


@dataclass(frozen=True)
class Claim:
    """A PersistentVolumeClaim; `completed` is the annotation that says it was bound once."""

    pvc: Pvc
    uid: Moment
    named_class: str | None
    volume: str | None
    completed: bool
    phase: PvcPhase = PvcPhase.PENDING
    deleting: bool = False

    @property
    def storage_class(self) -> str:
        """The class's name, "" without one (helpers.go, GetPersistentVolumeClaimClass)."""
        return self.named_class or ""


class Aged(NamedTuple):
    """A class and when it was created; two that have the same moment have the same second."""

    created: Moment
    cls: Class


@dataclass(frozen=True)
class State:
    """All objects in the order of their creation, and what the API server has refused so far.

    `fresh` are the uids of claims that the controller has not looked at yet, first in first out.
    """

    volumes: tuple[Volume, ...] = ()
    claims: tuple[Claim, ...] = ()
    classes: tuple[Aged, ...] = ()
    fresh: tuple[Moment, ...] = ()
    refused: frozenset[Refusal] = frozenset()

    def seen_volume(self, name: str | None) -> Volume | None:
        """Give the volume of that name if the controller has it in its cache."""
        return next((v for v in self.volumes if v.pv.name == name and v.phase), None)

    def claim(self, name: str) -> Claim | None:
        """Give the claim of that name."""
        return next((c for c in self.claims if c.pvc.name == name), None)

    def storage_class(self, name: str) -> Class | None:
        """Give the class of that name."""
        return next((aged.cls for aged in self.classes if aged.cls.name == name), None)

    def with_volume(self, old: Volume, new: Volume | None) -> "State":
        """Give the state with one volume changed, or gone."""
        kept = tuple(new if v is old else v for v in self.volumes)
        return replace(self, volumes=tuple(v for v in kept if v is not None))

    def with_claim(self, old: Claim, new: Claim | None) -> "State":
        """Give the state with one claim changed, or gone."""
        kept = tuple(new if c is old else c for c in self.claims)
        fresh = self.fresh if new else tuple(uid for uid in self.fresh if uid != old.uid)
        return replace(self, claims=tuple(c for c in kept if c is not None), fresh=fresh)
