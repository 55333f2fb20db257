"""How the tests run Landfast as a user of the cluster."""

import subprocess
import sys
import time
from pathlib import Path

from class_tests.foreign import CONTEXT, STORAGE_CLASS, Foreign
from landfast.journal import TestFinished, read_journal
from landfast.verdict import Verdict


def command(foreign: Foreign, name: str, out: Path, *options: str) -> list[str]:
    """Return the command line that judges the class as that user."""
    program = Path(sys.executable).with_name("landfast")
    asked = [str(program), name, "--cluster", "existing"]
    asked += ["--kubeconfig", str(foreign.kubeconfig), "--context", CONTEXT, "--images", "kit"]
    return [*asked, "--storage-class", STORAGE_CLASS, "--out", str(out), *options]


def judge(foreign: Foreign, name: str, out: Path, *options: str) -> dict[str, Verdict]:
    """Run Landfast as that user; return its verdicts, and hold that nothing is left."""
    before = foreign.dump()
    begun = time.monotonic()
    ran = subprocess.run(command(foreign, name, out, *options), check=False)
    seconds = time.monotonic() - begun
    sys.stdout.write(f"landfast {name}: exit code {ran.returncode}, {seconds:.0f} s\n")
    events = [e for e in read_journal(out / "latest/journal.jsonl") if isinstance(e, TestFinished)]
    after = foreign.dump()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert not changed, f"the run has changed {sorted(changed)}"
    return {event.claim: event.verdict for event in events}
