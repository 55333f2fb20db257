"""`landfast heal`: undoes faults that killed runs left behind."""

from landfast import faults, timeouts
from landfast.errors import LandfastError
from landfast.faults.base import FAULTS, Site
from landfast.faults.health import wait_healthy
from landfast.faults.life import heal
from landfast.faults.rollback import Rollback
from landfast.faults.site import left_site
from landfast.progress import Progress
from landfast.run import RunRecord, records


def heal_dead_runs(progress: Progress) -> list[str]:
    """Heal the faults of runs that are no longer alive and return a proof for each.

    Raises:
        LandfastError: a fault does not heal or a cluster does not become healthy; the faults of
            other runs are healed all the same.
    """
    faults.load()
    proofs: list[str] = []
    failures: list[str] = []
    for record in records():
        rollback = Rollback(record)
        in_use = record.in_use if record.kept else record.alive
        if in_use or not rollback.open_faults():
            continue
        if record.existing:
            proofs.append(
                f"run {record.run_id} on {record.existing[1]}: nodes heal by their own timers, "
                "and `landfast cleanup` removes the rest"
            )
            continue
        try:
            proofs += _heal(record, rollback, progress)
        except LandfastError as error:
            way_out = "; `landfast down` removes this cluster" if record.kept else ""
            failures.append(f"{record.name}: {error}{way_out}")
    if failures:
        raise LandfastError("; ".join(failures))
    return proofs


def heal_open_faults(rollback: Rollback, site: Site) -> list[str]:
    """Heal every fault that is open in a rollback journal and return a proof for each.

    Raises:
        LandfastError: one does not heal; it stays in the journal for the next try.
    """
    proofs = []
    for name, aim in rollback.open_faults():
        if name not in FAULTS:
            raise LandfastError(
                f"the fault {name} in {rollback.path} is unknown to this version of Landfast"
            )
        try:
            proofs.append(f"{name}: {heal(FAULTS[name](site, aim), rollback)}")
        except LandfastError as error:
            raise LandfastError(f"the fault {name} is not healed: {error}") from error
    return proofs


def _heal(record: RunRecord, rollback: Rollback, progress: Progress) -> list[str]:
    site = left_site(record)
    if site is None:
        raise LandfastError(
            f"run {record.run_id} left an unhealed fault, and its cluster record is missing"
        )
    with progress.phase(f"heal what run {record.run_id} left broken"):
        proofs = heal_open_faults(rollback, site)
    with progress.phase("wait until the cluster is healthy"):
        wait_healthy(site, timeout=timeouts.HEALTHY)
    return proofs
