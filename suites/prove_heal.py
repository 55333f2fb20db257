"""Show that faults are undone after a kill -9: `python -m suites.prove_heal [SCENARIO…]`.

For each scenario: run it on a kept cluster, kill the runner inside the fault, heal, and look for
what is left: rules, paused or ended containers, cordons, mounts, controllers without replicas.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from landfast import faults, paths, process
from landfast.errors import LandfastError
from landfast.faults.base import Site
from landfast.faults.health import complaints
from landfast.faults.rollback import Rollback
from landfast.faults.site import left_site
from landfast.journal import Step, read_journal
from landfast.run import RunRecord, records
from landfast.waiting import wait_until

_SCENARIOS = (
    "node-power-off", "node-pause", "kubelet-stop", "node-log-disk-full", "nfs-kill", "nfs-freeze",
    "nfs-port-dropped", "node-isolated", "mysqld-sigstop", "statefulset-scale-to-zero",
    "export-read-only", "node-failover",
)  # fmt: skip
_BEGIN_SECONDS = 240
_HEAL_SECONDS = 400
_PROVEN = "prove that it took effect"
_LEFT_MOUNTS = ("/var/log/pods tmpfs",)

console = Console()


def main() -> int:
    """Kill a runner inside each scenario's fault, heal; 1 if something is left of one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=_SCENARIOS, metavar="SCENARIO")
    parser.add_argument("--out", type=Path, default=Path("out/heal"))
    options = parser.parse_args()
    faults.load()
    table = Table("scenario", "open before", "healed in", "left")
    good = 0
    for scenario in options.scenarios:
        try:
            opened = _kill_inside(scenario, options.out)
            began = time.monotonic()
            process.run([Path(sys.executable).with_name("landfast"), "heal"], timeout=_HEAL_SECONDS)
            seconds = time.monotonic() - began
            left = _left()
        except (LandfastError, AssertionError) as error:
            opened, seconds, left = [], 0.0, [str(error)]
        good += bool(opened) and not left
        table.add_row(scenario, ", ".join(opened), f"{seconds:.0f} s", "; ".join(left) or "nothing")
        console.print(f"{scenario}: {'; '.join(left) or 'nothing is left'}")
    console.print(table)
    console.print(f"{good} of {len(options.scenarios)} were healed")
    return 0 if good == len(options.scenarios) else 1


def _kill_inside(scenario: str, out: Path) -> list[str]:
    """Kill a run once its fault is proven; give the faults that it left open."""
    command = [sys.executable, "-m", "pytest", "suites/chaos", "--keep", "--out", str(out)]
    runner = subprocess.Popen(
        [*command, "--scenario", scenario],
        cwd=paths.PROJECT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    journal = paths.PROJECT / out / "latest" / "journal.jsonl"
    begun = time.time()

    def is_proven() -> bool:
        if runner.poll() is not None:
            raise LandfastError(f"the run of {scenario} ended before its fault was proven")
        if not journal.exists() or journal.stat().st_mtime < begun:
            return False
        return any(
            isinstance(event, Step) and event.text == _PROVEN and event.ok
            for event in read_journal(journal)
        )

    try:
        wait_until(f"the fault of {scenario} to be proven", is_proven, timeout=_BEGIN_SECONDS)
    finally:
        os.killpg(runner.pid, signal.SIGKILL)
        runner.wait()
    return [name for name, _ in Rollback(_kept()).open_faults()]


def _kept() -> RunRecord:
    return [record for record in records() if record.kept][-1]


def _left() -> list[str]:
    """Give what is left of the faults on the kept cluster."""
    record = _kept()
    site = left_site(record)
    if site is None:
        return ["there is no site"]
    left = [f"{name} is still open" for name, _ in Rollback(record).open_faults()]
    left += complaints(site)
    for node in site.env.cluster.nodes:
        left += [f"{node}: {found}" for found in _on(site, node)]
    return left


def _on(site: Site, node: str) -> list[str]:
    tables = site.on_node(node, "nft", "list", "tables").splitlines()
    mounts = site.on_node(node, "cat", "/proc/mounts").splitlines()
    paused = site.engine.docker("inspect", "--format", "{{.State.Status}}", node).stdout.strip()
    found = [table for table in tables if "landfast" in table]
    found += [mount for mount in mounts if any(what in mount for what in _LEFT_MOUNTS)]
    return found + ([] if paused == "running" else [f"the container is {paused}"])


if __name__ == "__main__":
    sys.exit(main())
