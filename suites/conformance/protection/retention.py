"""What `persistentVolumeClaimRetentionPolicy` leaves of a set's PVCs: one row a combination."""

from dataclasses import dataclass, replace
from typing import Literal

from landfast.claims import Claim
from landfast.kube.client import Object

Policy = Literal["Retain", "Delete"]
FIRST, SECOND = "nfs-pvc-app-0", "nfs-pvc-app-1"


@dataclass(frozen=True)
class Retention:
    """A policy, and the PVCs that a set of two pods leaves: scaled to one pod, then deleted.

    `owners` own the first pod's PVC while the set exists.
    """

    when_deleted: Policy
    when_scaled: Policy
    scaled: frozenset[str]
    deleted: frozenset[str]
    owners: tuple[str, ...] = ()

    @property
    def field(self) -> Object:
        policy = {"whenDeleted": self.when_deleted, "whenScaled": self.when_scaled}
        return {"persistentVolumeClaimRetentionPolicy": policy}

    @property
    def claim(self) -> Claim:
        words = f"deleted-{self.when_deleted}-scaled-{self.when_scaled}".lower()
        scaled = "stay" if SECOND in self.scaled else "go"
        deleted = "stay" if FIRST in self.deleted else "go"
        return Claim(
            id=f"protection.retention-{words}",
            text=(
                f"With whenDeleted {self.when_deleted} and whenScaled {self.when_scaled} the PVC "
                f"of a pod that is scaled away MUST {scaled}, and that of a pod deleted with its "
                f"StatefulSet MUST {deleted}."
            ),
            source="Kubernetes docs, StatefulSets, PersistentVolumeClaim retention; "
            "stateful_set_utils.go, updateClaimOwnerRefForSetAndPod",
        )

    def twin(self) -> "Retention":
        """Return a row with the other word in one of the two places, and the same expectation."""
        if self.when_deleted == self.when_scaled:
            return replace(self, when_deleted=_OTHER[self.when_deleted])
        return replace(self, when_scaled=_OTHER[self.when_scaled])


_OTHER: dict[Policy, Policy] = {"Retain": "Delete", "Delete": "Retain"}
_NONE: frozenset[str] = frozenset()
_BOTH = frozenset({FIRST, SECOND})
_ONE = frozenset({FIRST})
_SET = ("StatefulSet app",)

ROWS = [
    Retention("Retain", "Retain", scaled=_BOTH, deleted=_BOTH),
    Retention("Retain", "Delete", scaled=_ONE, deleted=_ONE),
    Retention("Delete", "Retain", scaled=_BOTH, deleted=_NONE, owners=_SET),
    Retention("Delete", "Delete", scaled=_ONE, deleted=_NONE, owners=_SET),
]
