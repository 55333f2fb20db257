"""Show that set-up is not a verdict: `python -m suites.prove_setup [HOW…]`.

Tests of five suites run on a cluster that does not start their pods: no node is free, the image
does not exist, a quota is exhausted. Each must end in UNKNOWN, soon, with the cluster's own reason.
"""

import argparse
import re
from pathlib import Path

from rich.console import Console

from fixtures.obstruction import OBSTACLES
from landfast.journal import TestFinished
from landfast.verdict import Verdict
from suites.running import SIDE_BY_SIDE, exit_with, run

_SECONDS = 30
_TESTS = (
    "suites/smoke/test_smoke.py",
    "suites/conformance/walkthrough/test_step_01_to_07.py::"
    "test_file_created_on_another_machine_is_on_the_server",
    "suites/conformance/protection/test_access.py::"
    "test_pods_on_two_nodes_write_on_one_read_write_once_volume",
    "suites/conformance/reclaim/test_policy.py::test_bound_volume_made_retain_is_kept",
    "suites/conformance/hazards/test_limits.py::"
    "test_root_cannot_give_files_to_mysql_on_a_squashed_export",
)
_REASONS = {
    "unschedulable": r"cannot start: Unschedulable: .*nodes are available",
    "unpullable": r"cannot start: (ErrImagePull|ImagePullBackOff): .*landfast\.invalid/none:1",
    "over-quota": r"forbidden: (exceeded quota|status unknown for quota)",
}

console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    """Obstruct the tests in each way and print the verdicts; return 1 if a test was judged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("obstacles", nargs="*", default=[*OBSTACLES], metavar="HOW")
    parser.add_argument("--out", type=Path, default=Path("out/setup"))
    options = parser.parse_args()
    if unknown := set(options.obstacles) - set(OBSTACLES):
        parser.error(f"no obstacle {', '.join(unknown)}; there are {', '.join(OBSTACLES)}")
    good = [_obstruct(how, options.out) for how in options.obstacles]
    console.print(f"{sum(good)} of {len(good) * len(_TESTS)} obstructed tests ended as they must")
    return 0 if sum(good) == len(good) * len(_TESTS) else 1


def _obstruct(how: str, out: Path) -> int:
    """Run the tests with an obstacle, print how each ended, and return how many ended well."""
    good = 0
    for event in run(_TESTS, out, "--keep", "--obstruct", how, *SIDE_BY_SIDE):
        if isinstance(event, TestFinished):
            ended_well = (
                event.verdict is Verdict.UNKNOWN
                and event.seconds <= _SECONDS
                and re.search(_REASONS[how], event.reason, re.DOTALL) is not None
            )
            good += ended_well
            mark = "as it must" if ended_well else "WRONG"
            console.print(f"{how}: {event.verdict} {event.seconds:.0f} s {event.claim}: {mark}")
            console.print(f"    {' '.join(event.reason.split())}")
    return good


if __name__ == "__main__":
    exit_with(main)
