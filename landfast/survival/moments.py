"""What goes on at the moment when a scenario's fault is injected: `Scenario.when`."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from landfast import timeouts
from landfast.faults.base import NotProven, Site
from landfast.kube.client import Object
from landfast.kube.removal import delete
from landfast.mysql.ledger import Ledger
from landfast.provisioning.volumes import create_pvcs
from landfast.survival.scenario import When
from landfast.waiting import wait_until

_FLOWING = 200  # acknowledged writes
_VOLUMES = 10
_PREFIX = "beside-fault-"


@dataclass(frozen=True)
class Moment:
    """A moment to inject a fault at.

    Attributes:
        ready: brings the moment about; the fault is injected as soon as this returns.
        confirm: raises `NotProven` if the moment was over before the injection.
        outage_began: when MySQL went, if that was before the injection (monotonic seconds).
    """

    ready: Callable[[], object] = lambda: None
    confirm: Callable[[], object] = lambda: None
    outage_began: float | None = None


@contextlib.contextmanager
def steady(_site: Site, ledger: Ledger) -> Iterator[Moment]:
    """Wait for a steady load: syncing the rollback journal to disk holds it up for a moment."""
    yield Moment(ready=lambda: ledger.wait_for_writes(_FLOWING, timeout=timeouts.WRITES))


@contextlib.contextmanager
def recovering(site: Site, _ledger: Ledger) -> Iterator[Moment]:
    """Delete MySQL's pod, so that the fault comes while its successor recovers."""
    began = time.monotonic()
    site.replace_pod()
    yield Moment(outage_began=began)


@contextlib.contextmanager
def provisioning(site: Site, _ledger: Ledger) -> Iterator[Moment]:
    """Make the provisioner work on ten PVCs; remove them, their PVs and folders at the end.

    Raises:
        WaitTimeout: a PVC is not bound in the end, or something of it does not go.
    """

    def ask() -> None:
        create_pvcs(site.stack, _VOLUMES, prefix=_PREFIX)
        wait_until(
            "the first PVC to be bound", lambda: _bound(site), timeout=timeouts.BIND, interval=0.02
        )

    def confirm() -> None:
        if (bound := len(_bound(site))) == _VOLUMES:
            raise NotProven(f"all {bound} PVCs were bound before the provisioner was killed")

    _remove_volumes(site)  # a killed run may have left some
    try:
        yield Moment(ready=ask, confirm=confirm)
    finally:
        _remove_volumes(site)


MOMENTS: dict[When, Callable[[Site, Ledger], AbstractContextManager[Moment]]] = {
    "steady": steady,
    "recovering": recovering,
    "provisioning": provisioning,
}


def _remove_volumes(site: Site) -> None:
    """Remove the PVCs with their PVs and folders, once all are bound.

    A PVC that is deleted while its PV is being made would leave that behind.
    """
    pvcs = _pvcs(site)
    wait_until(
        f"{len(pvcs)} PVCs to be bound",
        lambda: _bound(site),
        until=lambda bound: len(bound) == len(pvcs),
        timeout=timeouts.HEALTHY,  # the dead provisioner's lock expires after 17 s
        describe=lambda bound: f"{len(bound)} are bound",
    )
    delete(site.kube, pvcs)
    wait_until(
        "the PVCs and their PVs to be gone",
        lambda: [*_pvcs(site), *_pvs(site)],
        until=lambda left: not left,
        timeout=timeouts.GONE,
        describe=lambda left: f"{len(left)} are left",
    )
    own = f"{site.stack.namespace}-{_PREFIX}"
    for name in site.stack.export.list(depth=1):
        if name.removeprefix("archived-").startswith(own):
            site.stack.export.remove(name)


def _pvcs(site: Site) -> list[Object]:
    pvcs = site.kube.list("PersistentVolumeClaim", site.stack.namespace)
    return [pvc for pvc in pvcs if pvc["metadata"]["name"].startswith(_PREFIX)]


def _bound(site: Site) -> list[Object]:
    return [pvc for pvc in _pvcs(site) if pvc["status"].get("phase") == "Bound"]


def _pvs(site: Site) -> list[Object]:
    own = f"{site.stack.namespace}/{_PREFIX}"
    refs = [(pv, pv["spec"].get("claimRef") or {}) for pv in site.kube.list("PersistentVolume")]
    return [pv for pv, ref in refs if f"{ref.get('namespace')}/{ref.get('name')}".startswith(own)]
