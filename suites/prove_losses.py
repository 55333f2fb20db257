"""Show that losses are found each time: `python -m suites.prove_losses [--runs 20]`.

MySQL does not write its log at each commit (innodb_flush_log_at_trx_commit=0) and is killed. What
Landfast reports as lost is looked for in two other ways: row by row, and by MySQL's own counts.
"""

import argparse
from pathlib import Path

from rich.console import Console

from landfast.environment import environment
from landfast.faults.base import Site
from landfast.faults.life import silent
from landfast.faults.rollback import Rollback
from landfast.faults.site import open_site, record_of, renew_mysql
from landfast.mysql.history import Completion, OperationKind, read_history
from landfast.mysql.writers import DATABASE
from landfast.progress import Progress
from landfast.results import Survival
from landfast.settings import load_settings
from landfast.survival.run import survive
from landfast.verdict import Verdict
from suites.chaos.present import count_present
from suites.chaos.scenarios import LOSING
from suites.running import exit_with

console = Console()


def main() -> int:
    """Lose something again and again; return 1 if a loss was not found exactly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("out/losses"))
    options = parser.parse_args()
    (scenario,) = [row for row in LOSING if row.name == "control-flush-0"]
    good = 0
    with environment(load_settings({"keep": True}), Progress()) as env, open_site(env) as site:
        for number in range(1, options.runs + 1):
            folder = options.out / str(number)
            survival = survive(scenario, site, Rollback(record_of(env)), folder, silent)
            counts = survival.ledger.counts
            present = count_present(site.stack.mysql, survival.ledger.lost)
            difference = _difference(site, survival, folder)
            failed = survival.verdict is Verdict.FAIL
            good += counts.lost > 0 and failed and present == 0 and difference == 0
            console.print(
                f"run {number}: {survival.verdict}, {counts.acknowledged} acknowledged, "
                f"{counts.lost} lost, {present} of them present, count differs by {difference}"
            )
            renew_mysql(site)
    console.print(f"{good} of {options.runs} runs lost something and were reported exactly")
    return 0 if good == options.runs > 0 else 1


def _difference(site: Site, survival: Survival, folder: Path) -> int:
    """Return how far MySQL's own count of rows is from what the ledger says is there."""
    counts = {OperationKind.INSERT: "entry", OperationKind.TRANSFER: "transfer"}
    there = 0
    for table in counts.values():
        ((count,),) = site.stack.mysql.query(f"SELECT COUNT(*) FROM {DATABASE}.{table}")  # noqa: S608
        there += count
    operations = [o for o in read_history(folder / "history.tsv.gz") if o.kind in counts]
    acknowledged = sum(o.completion is Completion.OK for o in operations)
    lost = sum(r.last - r.first + 1 for r in survival.ledger.lost if r.kind != "register")
    uncertain = sum(o.completion is Completion.INFO for o in operations)
    least, most = acknowledged - lost, acknowledged - lost + uncertain
    return max(0, least - there, there - most)


if __name__ == "__main__":
    exit_with(main)
