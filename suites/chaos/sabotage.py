"""For every claim of the chaos suite one way to make its check invalid or its claim untrue.

A fault whose injection does nothing, and one that ends before it is healed, must both end in
UNKNOWN: nothing was shown.
"""

from typing import cast

from fixtures.sabotage import Sabotage
from landfast.faults.base import Fault, Lasting
from suites.chaos.scenarios import FENCING, LOSING, NOLOCK, SCENARIOS, SWAPPED

_BROKEN = (
    "blast-plain-pods-live",
    "blast-kubelet-stays-ready",
    "blast-nfs-pods-are-freed",
    "dead-server-processes-can-be-killed",
    "dead-server-mount-can-be-removed",
    "kubelet-restart-keeps-files",
    "kubelet-down-pod-deleted",
    "kubelet-down-pod-force-deleted",
    "controller-manager-restart-keeps-bindings",
)
_ROWS = [*SCENARIOS, *FENCING, *NOLOCK, *LOSING, *SWAPPED]

_WITHOUT_EFFECT = {
    f"chaos.{name}": Sabotage("the fault's injection does nothing")
    for name in [*(row.name for row in _ROWS), *_BROKEN]
}
SABOTAGES = _WITHOUT_EFFECT | {
    "chaos.fencing-second-mysqld-is-refused": Sabotage("the second mysqld has its own data"),
    "chaos.control-nolock-second-mysqld": Sabotage("the volume is mounted without nolock"),
    "chaos.control-dropped-reads": Sabotage("the ledger is read"),
}
EARLY = {
    f"chaos.{row.name}": Sabotage("the fault ends in the middle of its hold")
    for row in _ROWS
    if row.hold
}
"""With `--early`: what is done instead to every fault that is held."""
UNJUDGED = {*_WITHOUT_EFFECT, *EARLY}
"""Claims whose sabotage must end in UNKNOWN instead of FAIL."""


def without_injection(fault: type[Fault]) -> type[Fault]:
    """Return the fault with an injection that does nothing."""
    return type(f"{fault.__name__}WithoutInjection", (fault,), {"inject": lambda _self: None})


def ends_early(fault: type[Fault]) -> type[Fault]:
    """Return the fault so that it is healed behind the watcher's back, at the second look."""

    class EndsEarly(cast("type[Lasting]", fault)):  # type: ignore[misc]
        looks = 0

        def still_there(self) -> bool:
            self.looks += 1
            if self.looks == 2:
                self.heal()
            return bool(super().still_there())

    return EndsEarly
