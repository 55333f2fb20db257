"""How the tests run Landfast as a user of the cluster."""

import subprocess
import sys
import time
from pathlib import Path

from class_tests.foreign import CONTEXT, STORAGE_CLASS, Foreign
from landfast.journal import TestFinished, read_journal
from landfast.verdict import Verdict


def command(
    foreign: Foreign, name: str, out: Path, *options: str, storage_class: str = STORAGE_CLASS
) -> list[str]:
    """Return the command line that judges a class as that user."""
    program = Path(sys.executable).with_name("landfast")
    asked = [str(program), name, "--cluster", "existing"]
    asked += ["--kubeconfig", str(foreign.kubeconfig), "--context", CONTEXT, "--images", "kit"]
    return [*asked, "--storage-class", storage_class, "--out", str(out), *options]


def judge(
    foreign: Foreign,
    name: str,
    out: Path,
    *options: str,
    storage_class: str = STORAGE_CLASS,
    leaves: str = "the run",
) -> dict[str, Verdict]:
    """Run Landfast as that user; return its verdicts, and hold that nothing is left.

    What begins with `leaves` is left by what makes the volumes, and does not count.
    """
    before = foreign.dump()
    begun = time.monotonic()
    asked = command(foreign, name, out, *options, storage_class=storage_class)
    ran = subprocess.run(asked, check=False)
    seconds = time.monotonic() - begun
    sys.stdout.write(f"landfast {name}: exit code {ran.returncode}, {seconds:.0f} s\n")
    events = [e for e in read_journal(out / "latest/journal.jsonl") if isinstance(e, TestFinished)]
    after = foreign.dump()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert not changed, f"the run has changed {sorted(changed)}"
    return {event.claim: event.verdict for event in events}
