"""`landfast heal`: undoes the faults inside which runs were killed."""

from landfast import faults
from landfast.errors import LandfastError
from landfast.faults.health import wait_healthy
from landfast.faults.rollback import Rollback
from landfast.faults.site import left_site
from landfast.progress import Progress
from landfast.run import RunRecord, records

_HEALTHY_SECONDS = 180


def heal_dead_runs(progress: Progress) -> list[str]:
    """Heal what runs that are not alive any more left broken; give a proof for each fault.

    Raises:
        LandfastError: a fault does not heal, or a cluster does not get well; the others do.
    """
    faults.load()
    proofs: list[str] = []
    failures: list[str] = []
    for record in records():
        rollback = Rollback(record)
        if _in_use(record) or not rollback.open_faults():
            continue
        try:
            proofs += _heal(record, rollback, progress)
        except LandfastError as error:
            failures.append(f"{record.name}: {error}")
    if failures:
        raise LandfastError("; ".join(failures))
    return proofs


def _heal(record: RunRecord, rollback: Rollback, progress: Progress) -> list[str]:
    site = left_site(record)
    if site is None:
        raise LandfastError(f"run {record.run_id} left a fault, but no word of its cluster")
    with progress.phase(f"heal what run {record.run_id} left broken"):
        proofs = rollback.heal(site)
    with progress.phase("wait until the cluster is healthy"):
        wait_healthy(site, timeout=_HEALTHY_SECONDS)
    return proofs


def _in_use(record: RunRecord) -> bool:
    return record.in_use if record.kept else record.alive
