"""The reclaim matrix of csi-driver-nfs: subDir, onDelete and reclaimPolicy.

Cells that cannot differ from the ones below are left out:

- with Retain the driver is not asked to delete, so nothing reads onDelete: each subDir has one
  cell, with the value that destroys.
- the case of a value does not matter: one value is written otherwise, on one subDir.
- Recycle: the API refuses the class, which `reclaim` shows for every provisioner.
- a class that CreateVolume refuses has no volume, so one cell for each reason.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import product

from landfast.claims import Claim
from landfast.provisioning.contract import Fate, PvcMeta
from landfast.provisioning.csi import AS_RELEASED, ClassSettings, Options, refusal
from landfast.provisioning.csi_deletion import fate

SUB_DIRS = {
    "none": None,
    "flat": "${pvc.metadata.name}",
    "nested": "${pvc.metadata.namespace}/${pvc.metadata.name}",
    "volume": "x-${pv.metadata.name}",
}
ON_DELETE = {"absent": None, "delete": "delete", "retain": "retain", "archive": "archive"}
AGAIN = ClassSettings("", "", on_delete="archive", sub_dir="again")
"""A class whose second archive finds its name taken."""
_SOURCE = (
    "csi-driver-nfs, docs/driver-parameters.md; "
    "pkg/nfs/controllerserver.go, CreateVolume and DeleteVolume, of v4.13.4"
)
_ANYWHERE = ClassSettings("SERVER", "/SHARE")
_PVC = PvcMeta("NAMESPACE", "PVC")
_VOLUME = "VOLUME"


@dataclass(frozen=True)
class CsiCell:
    """One combination of settings, without a server and a share."""

    name: str
    settings: ClassSettings

    @property
    def slug(self) -> str:
        """Its name, for ids and objects."""
        return f"{self.settings.reclaim_policy.lower()}-{self.name}"

    @property
    def refusal(self) -> str | None:
        """What the driver says when it refuses the class, or None."""
        return refusal(self.settings.parameters)

    @property
    def end(self) -> Fate:
        """What becomes of the volume of a PVC `PVC` in `NAMESPACE`, whose PV is `VOLUME`."""
        return self.end_with(AS_RELEASED)

    def end_with(self, options: Options) -> Fate:
        """Return what becomes of that volume if the driver has options of its own."""
        return end(self.settings, options)

    @property
    def claim(self) -> Claim:
        """The statement that the cell proves."""
        given = replace(self.settings, server="", share="").parameters
        shown = [f'{name} "{value}"' for name, value in given.items() if value]
        made = f"reclaimPolicy {self.settings.reclaim_policy} and {', '.join(shown) or 'no more'}"
        if self.refusal:
            text = f"A class with {made} MUST be refused when a PVC asks for a volume of it."
        else:
            text = (
                f"After its PVC is deleted, a volume that was provisioned by CSI under a class "
                f"with {made} MUST be: {self.end}."
            )
        return Claim(id=f"csi.{self.slug}", text=text, source=_SOURCE)

    def twin(self) -> ClassSettings:
        """Return the settings with one input changed so that the volume must end otherwise."""
        if self.refusal:
            return _ANYWHERE
        if self.settings.reclaim_policy == "Retain":
            return replace(self.settings, reclaim_policy="Delete")
        candidates = [replace(self.settings, on_delete=value) for value in ON_DELETE.values()]
        return next(other for other in candidates if self._ends_otherwise(other))

    def _ends_otherwise(self, other: ClassSettings) -> bool:
        return end(other, AS_RELEASED) != self.end


def end(settings: ClassSettings, options: Options, *, others: Collection[str] = ()) -> Fate:
    """Return what becomes of the volume of a PVC `PVC` in `NAMESPACE`, whose PV is `VOLUME`."""
    return fate(settings, _PVC, _VOLUME, others=others, options=options)


def _cell(name: str, **changes: str | None) -> CsiCell:
    return CsiCell(name, replace(_ANYWHERE, **changes))  # type: ignore[arg-type]


CELLS = [
    *(
        _cell(f"ondelete-{word}-subdir-{place}", on_delete=on_delete, sub_dir=sub_dir)
        for (word, on_delete), (place, sub_dir) in product(ON_DELETE.items(), SUB_DIRS.items())
    ),
    *(
        _cell(
            f"ondelete-delete-subdir-{place}",
            reclaim_policy="Retain",
            on_delete="delete",
            sub_dir=sub_dir,
        )
        for place, sub_dir in SUB_DIRS.items()
    ),
    _cell("ondelete-upper-case", on_delete="ARCHIVE", sub_dir=SUB_DIRS["flat"]),
    _cell("ondelete-misspelt", on_delete="keep"),
    _cell("subdir-climbs", sub_dir="../${pvc.metadata.name}"),
    _cell("permissions-not-octal", mount_permissions="0o777"),
]
"""Every cell; those that the driver refuses have no volume."""
