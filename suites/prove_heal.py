"""Show that faults are undone after a kill -9: `python -m suites.prove_heal [SCENARIO…]`.

For each scenario: run it on a kept cluster, kill the runner inside the fault, heal, and look for
what is left: rules, paused or ended containers, cordons, mounts, controllers without replicas.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from landfast import faults, paths, process, timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Site
from landfast.faults.health import complaints
from landfast.faults.life import PROVEN_STEP
from landfast.faults.rollback import Rollback
from landfast.faults.site import left_site
from landfast.journal import Note, RunFinished, Step, read_journal
from landfast.run import RunRecord, records
from landfast.waiting import wait_until
from suites.running import command, exit_with, journal

_SCENARIOS = (
    "node-power-off", "node-pause", "kubelet-stop", "node-log-disk-full", "nfs-kill", "nfs-freeze",
    "nfs-port-dropped", "node-isolated", "mysqld-sigstop", "statefulset-scale-to-zero",
    "export-read-only", "node-failover",
)  # fmt: skip
_LEFT_MOUNT = "/var/log/pods tmpfs"

console = Console()


class _Proven(Exception):
    """The fault's effect was proven: time to kill."""


def main() -> int:
    """Kill a runner inside each scenario's fault and heal; return 1 if something of one is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=_SCENARIOS, metavar="SCENARIO")
    parser.add_argument("--out", type=Path, default=Path("out/heal"))
    options = parser.parse_args()
    faults.load()
    table = Table("scenario", "open before", "healed in", "left")
    good = 0
    for scenario in options.scenarios:
        console.print(f"killing a run inside {scenario}")
        try:
            opened = _kill_inside(scenario, options.out)
            began = time.monotonic()
            program = Path(sys.executable).with_name("landfast")
            process.run([program, "heal"], timeout=2 * timeouts.PROGRAM_BACK)
            seconds = time.monotonic() - began
            left = _left()
        except LandfastError as error:
            opened, seconds, left = [], 0.0, [str(error)]
        good += bool(opened) and not left
        table.add_row(scenario, ", ".join(opened), f"{seconds:.0f} s", "; ".join(left) or "nothing")
        console.print(f"{scenario}: {'; '.join(left) or 'nothing is left'}")
    console.print(table)
    console.print(f"{good} of {len(options.scenarios)} were healed")
    return 0 if good == len(options.scenarios) else 1


def _kill_inside(scenario: str, out: Path) -> list[str]:
    """Kill a run once its fault is proven; return the faults that it left open."""
    written, begun = journal(out), time.time()
    asked = command(["suites/chaos"], out, "--keep", "--scenario", scenario)

    def is_proven() -> bool:
        if not written.exists() or written.stat().st_mtime < begun:
            return False
        events = list(read_journal(written))
        if any(isinstance(event, RunFinished) for event in events):
            reasons = [event.text for event in events if isinstance(event, Note)]
            raise LandfastError(f"the run ended before it was killed: {'; '.join(reasons)}")
        steps = [event for event in events if isinstance(event, Step)]
        return any(step.text == PROVEN_STEP and step.ok for step in steps)

    log = paths.cache() / "prove-heal.log"
    with (
        contextlib.suppress(_Proven),  # what breaks off the body kills the runner with SIGKILL
        process.running(asked, log=log, text="", end_seconds=0),
    ):
        wait_until(
            f"the fault of {scenario} to be proven", is_proven, timeout=timeouts.CLUSTER_CREATE
        )
        raise _Proven
    return [name for name, _ in Rollback(_kept()).open_faults()]


def _kept() -> RunRecord:
    return [record for record in records() if record.kept][-1]


def _left() -> list[str]:
    """Return what is left of the faults on the kept cluster."""
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
    status = site.engine.state(node).status
    found = [table for table in tables if "landfast" in table]
    found += [mount for mount in mounts if _LEFT_MOUNT in mount]
    return found + ([] if status == "running" else [f"the container is {status}"])


if __name__ == "__main__":
    exit_with(main)
