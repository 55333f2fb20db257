"""How the tests run Landfast as a user of the cluster."""

import os
import subprocess
import sys
import time
from pathlib import Path

from class_tests.foreign import CONTEXT, STORAGE_CLASS, Foreign
from landfast.journal import TestFinished, read_journal
from landfast.kube import calls
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
    leaves: str | None = None,
) -> dict[str, Verdict]:
    """Run Landfast as that user; return its verdicts, and hold that nothing is left.

    What is named from `leaves` on is left by what makes the volumes, and does not count.
    """
    run(foreign, name, out, *options, storage_class=storage_class, leaves=leaves)
    events = [e for e in read_journal(out / "latest/journal.jsonl") if isinstance(e, TestFinished)]
    return {event.claim: event.verdict for event in events}


def run(
    foreign: Foreign,
    name: str,
    out: Path,
    *options: str,
    storage_class: str = STORAGE_CLASS,
    leaves: str | None = None,
) -> tuple[int, str]:
    """Run Landfast as that user; return its exit code and output; nothing may be left.

    Its calls are recorded in `calls` of the folder.
    """
    before = foreign.dump()
    begun = time.monotonic()
    said = []
    with subprocess.Popen(
        command(foreign, name, out, *options, storage_class=storage_class),
        env={**os.environ, calls.FILE: str(out / "calls")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as ran:
        assert ran.stdout is not None
        for line in ran.stdout:
            sys.stdout.write(line)
            said.append(line)
    seconds = time.monotonic() - begun
    sys.stdout.write(f"landfast {name}: exit code {ran.returncode}, {seconds:.0f} s\n")
    after = foreign.dump()
    changed = {
        name
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name) and not (leaves and name.startswith(leaves))
    }
    assert not changed, f"the run has changed {sorted(changed)}"
    return ran.returncode, "".join(said)
