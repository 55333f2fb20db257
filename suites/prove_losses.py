"""Show that losses are found each time: `python -m suites.prove_losses [--runs 20]`.

MySQL does not write its log at each commit (innodb_flush_log_at_trx_commit=0) and is killed. What
Landfast reports as lost is looked for in two other ways: row by row, and by MySQL's own counts.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

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

console = Console()


@dataclass(frozen=True)
class Repetition:
    """What one run showed, and what the two other ways to look at the database say."""

    survival: Survival
    present: int
    difference: int

    @property
    def good(self) -> bool:
        """Whether something was lost, reported as FAIL, and exactly the lost rows were named."""
        lost = self.survival.ledger.counts.lost
        failed = self.survival.verdict is Verdict.FAIL
        return lost > 0 and failed and self.present == 0 and self.difference == 0


def main() -> int:
    """Lose something again and again; return 1 if a loss was not found exactly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("out/losses"))
    options = parser.parse_args()
    (scenario,) = [row for row in LOSING if row.name == "control-flush-0"]
    found: list[Repetition] = []
    with environment(load_settings({"keep": True}), Progress()) as env, open_site(env) as site:
        for number in range(1, options.runs + 1):
            folder = options.out / str(number)
            survival = survive(scenario, site, Rollback(record_of(env)), folder, silent)
            present = count_present(site.stack.mysql, survival.ledger.lost)
            found.append(Repetition(survival, present, _difference(site, survival, folder)))
            lost = survival.ledger.counts.lost
            console.print(f"run {number}: {survival.verdict}, {lost} lost")
            renew_mysql(site)
    console.print(_table(found))
    good = sum(one.good for one in found)
    console.print(f"{good} of {len(found)} runs lost something and were reported exactly")
    return 0 if found and good == len(found) else 1


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


def _table(found: list[Repetition]) -> Table:
    table = Table("run", "verdict", "acknowledged", "lost", "of them present", "count differs by")
    for number, one in enumerate(found, start=1):
        counts = one.survival.ledger.counts
        table.add_row(
            *[str(number), one.survival.verdict, str(counts.acknowledged), str(counts.lost)],
            *[str(one.present), str(one.difference)],
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
