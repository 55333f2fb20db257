"""How a scenario ended, in words."""

from landfast.binding.model import Outcome


def show(outcome: Outcome) -> list[str]:
    """Say how each volume and claim ended, and what was refused."""
    states = [
        *(f"refused {r.kind} {r.name}: {r.field}" for r in sorted(outcome.refused)),
        *sorted(
            f"volume {pv.name}: {pv.phase}{f' to {pv.claim}' if pv.claim else ''}"
            f"{', being deleted' if pv.deleting else ''}"
            for pv in outcome.pvs
        ),
        *sorted(
            f"claim {pvc.name}: {pvc.phase}{f' to {pvc.volume}' if pvc.volume else ''}"
            for pvc in outcome.pvcs
        ),
    ]
    return states or ["no volume and no claim is left"]
