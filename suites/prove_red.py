"""Show that every claim of a suite can go red: `python -m suites.prove_red [SUITE] [--only TEXT]`.

All sabotages run against one kept cluster. A claim that does not FAIL then is not proved: a PASS is
blind to what it claims, an UNKNOWN has judged nothing.
"""

import argparse
import importlib
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fixtures.sabotage import Sabotage
from landfast import paths, process
from landfast.errors import LandfastError
from landfast.journal import TestFinished, read_journal
from landfast.verdict import Verdict

_RUN_SECONDS = 900
_SUITE = "suites/conformance/walkthrough"

console = Console()


def main() -> int:
    """Run all sabotages of a suite, print what came of each; 1 if a claim did not FAIL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", nargs="?", default=_SUITE)
    parser.add_argument("--only", default="", help="claims whose id contains this text")
    parser.add_argument("--out", type=Path, default=Path("out/sabotage"))
    options = parser.parse_args()
    module = importlib.import_module(f"{options.suite.strip('/').replace('/', '.')}.sabotage")
    sabotages: dict[str, Sabotage] = module.SABOTAGES
    wanted = [claim for claim in sabotages if options.only in claim]
    together = [claim for claim in wanted if claim in module.SIDE_BY_SIDE]
    batches = [[claim] for claim in wanted if claim in module.IN_ORDER]
    results: dict[str, TestFinished | str] = {}
    for batch in [*([together] if together else []), *batches]:
        console.print(f"sabotaging {', '.join(batch)}")
        results |= _run(options.suite, batch, options.out)
    console.print(_table(sabotages, results))
    finished = [r for r in results.values() if isinstance(r, TestFinished)]
    red = sum(r.verdict is Verdict.FAIL for r in finished)
    console.print(f"{red} of {len(wanted)} sabotaged claims went red")
    return 0 if wanted and red == len(wanted) else 1


def _run(suite: str, claims: list[str], out: Path) -> dict[str, TestFinished | str]:
    """Sabotage claims in one run; give what their tests ended in, or why there is no verdict."""
    workers = ["-n", "auto", "--dist", "loadgroup"] if len(claims) > 1 else []
    command = [sys.executable, "-m", "pytest", suite, "--keep", "--out", str(out), *workers]
    try:
        process.run(
            [*command, "--sabotage", ",".join(claims)],
            timeout=_RUN_SECONDS,
            check=False,
            cwd=paths.PROJECT,
        )
        events = list(read_journal(paths.PROJECT / out / "latest" / "journal.jsonl"))
    except LandfastError as error:
        return dict.fromkeys(claims, str(error))
    finished = {event.claim: event for event in events if isinstance(event, TestFinished)}
    return {claim: finished.get(claim, "its test did not run") for claim in claims}


def _table(sabotages: dict[str, Sabotage], results: dict[str, TestFinished | str]) -> Table:
    table = Table("claim", "sabotage", "verdict", "s", "reason")
    for claim, result in results.items():
        if isinstance(result, str):
            table.add_row(claim, sabotages[claim].text, "none", "", result)
            continue
        reason = " ".join(result.reason.split())[:200]
        seconds = f"{result.seconds:.0f}"
        table.add_row(claim, sabotages[claim].text, result.verdict, seconds, reason)
    return table


if __name__ == "__main__":
    sys.exit(main())
