"""Show that every claim can go red: `python -m suites.prove_red [SUITE…] [--only TEXT]`.

All sabotages run on one kept cluster. A claim that does not FAIL there is not proved: a PASS is
blind to what it claims, and an UNKNOWN judged nothing. The chaos suite runs only if named: its
faults are left out or, with `--early`, end in their hold, and its claims must end in UNKNOWN.
"""

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from fixtures.sabotage import Sabotage
from landfast import paths
from landfast.errors import LandfastError
from landfast.journal import TestFinished
from landfast.verdict import Verdict
from suites.running import SIDE_BY_SIDE, exit_with, run

_FOLDERS = {
    path.parent.name: path.parent
    for path in sorted((paths.PROJECT / "suites").glob("**/sabotage.py"))
}
_CONFORMANCE = [name for name, folder in _FOLDERS.items() if folder.parent.name == "conformance"]

console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    """Run all sabotages of suites and print the verdicts; return 1 if a claim did not FAIL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", default=_CONFORMANCE, metavar="SUITE")
    parser.add_argument(
        "--early",
        action="store_true",
        help="end every fault that is held in the middle of its hold, instead of leaving it out",
    )
    parser.add_argument("--only", default="", help="claims whose id contains this text")
    parser.add_argument("--out", type=Path, default=Path("out/sabotage"))
    options = parser.parse_args()
    if unknown := set(options.suites) - set(_FOLDERS):
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(_FOLDERS)}")
    sabotages: dict[str, Sabotage] = {}
    in_order: set[str] = set()
    unjudged: set[str] = set()
    for suite in options.suites:
        folder: Path = _FOLDERS[suite].relative_to(paths.PROJECT)
        module = importlib.import_module(".".join([*folder.parts, "sabotage"]))
        sabotages |= getattr(module, "EARLY", {}) if options.early else module.SABOTAGES
        in_order |= {*getattr(module, "IN_ORDER", ())}
        unjudged |= getattr(module, "UNJUDGED", set())
    wanted = [claim for claim in sabotages if options.only in claim]
    if not wanted:
        parser.error(f"no claim's id contains {options.only!r}")
    together = [claim for claim in wanted if claim not in in_order]
    results: dict[str, TestFinished | str] = {}
    for batch in filter(None, [together, *([claim] for claim in wanted if claim in in_order)]):
        console.print(f"sabotaging {', '.join(batch)}")
        results |= _run(options.suites, batch, options.out, early=options.early)
    for line in _lines(sabotages, results):
        console.print(line)
    finished = [r for r in results.values() if isinstance(r, TestFinished)]
    expected = {r.claim: Verdict.UNKNOWN if r.claim in unjudged else Verdict.FAIL for r in finished}
    red = sum(r.verdict is expected[r.claim] for r in finished)
    skipped = sum(r.verdict is Verdict.SKIPPED for r in finished)
    beside = f"; {skipped} do not apply here, and are not proved" if skipped else ""
    console.print(f"{red} of {len(results)} sabotaged claims ended as they must{beside}")
    return 0 if red and red + skipped == len(results) else 1


def _run(
    suites: list[str], claims: list[str], out: Path, *, early: bool
) -> dict[str, TestFinished | str]:
    """Sabotage claims in one run; return how their tests ended, or why there is no verdict."""
    side_by_side = len(claims) > 1 and suites != ["chaos"]  # faults come one at a time
    options = ["--keep", "--sabotage", ",".join(claims), *(["--early"] if early else [])]
    options += SIDE_BY_SIDE if side_by_side else []
    try:
        events = run([_FOLDERS[suite] for suite in suites], out, *options)
    except LandfastError as error:
        return dict.fromkeys(claims, str(error))
    finished = {event.claim: event for event in events if isinstance(event, TestFinished)}
    return {claim: finished.get(claim, "its test did not run") for claim in claims}


def _lines(sabotages: dict[str, Sabotage], results: dict[str, TestFinished | str]) -> Iterator[str]:
    """Yield two lines for each claim: its verdict and the reason."""
    for claim, result in results.items():
        if isinstance(result, str):
            yield f"{'none':<8}        {claim}: {sabotages[claim].text}"
            yield f"    {result}"
            continue
        yield f"{result.verdict:<8} {result.seconds:>4.0f} s  {claim}: {sabotages[claim].text}"
        yield f"    {' '.join(result.reason.split())[:200]}"


if __name__ == "__main__":
    exit_with(main)
