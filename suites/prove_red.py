"""Show that every claim can go red: `python -m suites.prove_red [SUITE…] [--only TEXT]`.

All sabotages run against one kept cluster. A claim that does not FAIL then is not proved: a PASS is
blind to what it claims, an UNKNOWN has judged nothing. In the chaos suite, which has to be named, a
fault that is left out must end in UNKNOWN; with `--early`, so must a fault that ends in its hold.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from fixtures.sabotage import Sabotage
from landfast import paths, process, timeouts
from landfast.errors import LandfastError
from landfast.journal import TestFinished, read_journal
from landfast.verdict import Verdict

_FOLDERS = {
    path.parent.name: path.parent
    for path in sorted((paths.PROJECT / "suites").glob("**/sabotage.py"))
}
_CONFORMANCE = [name for name, folder in _FOLDERS.items() if folder.parent.name == "conformance"]

console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    """Run all sabotages of suites, print what came of each; 1 if a claim did not FAIL."""
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
    together: list[str] = []
    batches: list[list[str]] = []
    unjudged: set[str] = set()
    for suite in options.suites:
        folder: Path = _FOLDERS[suite].relative_to(paths.PROJECT)
        module = importlib.import_module(".".join([*folder.parts, "sabotage"]))
        of_suite = getattr(module, "EARLY", {}) if options.early else module.SABOTAGES
        sabotages |= of_suite
        unjudged |= getattr(module, "UNJUDGED", set())
        wanted = [claim for claim in of_suite if options.only in claim]
        in_order = getattr(module, "IN_ORDER", ())
        together += [claim for claim in wanted if claim not in in_order]
        batches += [[claim] for claim in wanted if claim in in_order]
    batches = [*([together] if together else []), *batches]
    results: dict[str, TestFinished | str] = {}
    for batch in batches:
        console.print(f"sabotaging {', '.join(batch)}")
        results |= _run(options.suites, batch, options.out, early=options.early)
    for line in _lines(sabotages, results):
        console.print(line)
    finished = [r for r in results.values() if isinstance(r, TestFinished)]
    expected = {r.claim: Verdict.UNKNOWN if r.claim in unjudged else Verdict.FAIL for r in finished}
    red = sum(r.verdict is expected[r.claim] for r in finished)
    console.print(f"{red} of {len(results)} sabotaged claims ended as they must")
    return 0 if results and red == len(results) else 1


def _run(
    suites: list[str], claims: list[str], out: Path, *, early: bool
) -> dict[str, TestFinished | str]:
    """Sabotage claims in one run; give what their tests ended in, or why there is no verdict."""
    side_by_side = len(claims) > 1 and suites != ["chaos"]  # faults come one at a time
    workers = ["-n", "auto", "--dist", "loadgroup"] if side_by_side else []
    folders = [str(_FOLDERS[suite]) for suite in suites]
    command = [sys.executable, "-m", "pytest", *folders, "--keep", "--out", str(out), *workers]
    try:
        process.run(
            [*command, "--sabotage", ",".join(claims), *(["--early"] if early else [])],
            timeout=timeouts.RUN,
            check=False,
            cwd=paths.PROJECT,
        )
        events = list(read_journal(paths.PROJECT / out / "latest" / "journal.jsonl"))
    except LandfastError as error:
        return dict.fromkeys(claims, str(error))
    finished = {event.claim: event for event in events if isinstance(event, TestFinished)}
    return {claim: finished.get(claim, "its test did not run") for claim in claims}


def _lines(sabotages: dict[str, Sabotage], results: dict[str, TestFinished | str]) -> Iterator[str]:
    """Give two lines a claim: what came of it, and why."""
    for claim, result in results.items():
        if isinstance(result, str):
            yield f"{'none':<8}        {claim}: {sabotages[claim].text}"
            yield f"    {result}"
            continue
        yield f"{result.verdict:<8} {result.seconds:>4.0f} s  {claim}: {sabotages[claim].text}"
        yield f"    {' '.join(result.reason.split())[:200]}"


if __name__ == "__main__":
    sys.exit(main())
