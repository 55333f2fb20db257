"""For every claim of the chaos suite one way to make its check invalid or its claim untrue.

A fault whose injection does nothing must end in UNKNOWN: nothing was shown.
"""

from fixtures.sabotage import Sabotage
from suites.chaos.scenarios import FENCING, LOSING, PLANS, SWAPPED

_NOTHING = "the fault's injection does nothing"
_BROKEN = (
    "blast-plain-pods-live",
    "blast-kubelet-stays-ready",
    "blast-nfs-pods-are-freed",
    "kubelet-restart-keeps-files",
    "kubelet-down-pod-deleted",
    "kubelet-down-pod-force-deleted",
    "controller-manager-restart-keeps-bindings",
)

_WITHOUT_EFFECT = {
    f"chaos.{name}": Sabotage(_NOTHING)
    for name in [*(plan.name for plan in [*PLANS, *FENCING, *LOSING, *SWAPPED]), *_BROKEN]
}
UNJUDGED = set(_WITHOUT_EFFECT)
"""Those that must end in UNKNOWN: a fault without effect shows nothing."""

SABOTAGES = _WITHOUT_EFFECT | {
    "chaos.fencing-second-mysqld-is-refused": Sabotage("the second mysqld has data of its own"),
    "chaos.control-dropped-reads": Sabotage("the ledger is read"),
}
