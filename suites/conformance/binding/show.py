"""How a binding case ended, in words."""

from landfast.binding.model import Outcome


def show(outcome: Outcome) -> list[str]:
    states = [
        *(f"{r.kind} {r.name} refused: {r.field}" for r in sorted(outcome.refused)),
        *sorted(
            f"PV {pv.name}: {pv.phase}{f' to {pv.claim_ref}' if pv.claim_ref else ''}"
            f"{', being deleted' if pv.deleting else ''}"
            for pv in outcome.pvs
        ),
        *sorted(
            f"PVC {pvc.name}: {pvc.phase}{f' to {pvc.volume}' if pvc.volume else ''}"
            for pvc in outcome.pvcs
        ),
    ]
    return states or ["no PV and no PVC is left"]
