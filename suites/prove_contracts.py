"""Hold the kit's provisioner and CSI driver to each contract: a variant fits only its own.

`python -m suites.prove_contracts [SUITE…]`. Against the other line's contract, a variant must FAIL
exactly the claims in which the lines differ according to the model. The third line differs in its
lock alone: its variant must pass with that lock. The CSI driver is run with an option of its own
that changes what becomes of data, and held to the contract with and without it.
"""

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from fixtures.csi import BUILDS, RELEASED
from landfast.journal import EnvironmentFact, Event, TestFinished
from landfast.provisioning.contract import (
    PATH_LINES,
    ClassSettings,
    Fate,
    Line,
    PvcMeta,
    lines_differ,
)
from landfast.provisioning.csi import Options
from landfast.verdict import Verdict
from suites.conformance.csi import matrix as csi
from suites.conformance.reclaim.matrix import CELLS
from suites.provisioner_builds import builds
from suites.running import SIDE_BY_SIDE, exit_with, run

_SUITES = ("reclaim", "hazards")
_CSI = "csi"
_EXPORT = "/data/EXPORT"
_BESIDE = "outside"
_HAZARDS = {
    "nested-directory-is-leaked": ("team/PVC", _EXPORT),
    "nested-archives-collide": ("red/data", _EXPORT),
    "last-name-hits-a-neighbour": ("team/mysql", _EXPORT),
    "missing-annotation-gives-the-root": ("", _EXPORT),
    "dot-empties-the-export": (".", _EXPORT),
    "dot-dot-leaves-the-export": ("..", _EXPORT),
    "path-outside-hits-a-namesake": (f"../{_BESIDE}", _EXPORT),
    "nfs-path-with-slash-leaks": (None, f"{_EXPORT}/"),
}
"""The hazards that are judged by the contract, with the directory asked for and NFS_PATH."""

console = Console()


def differing() -> set[str]:
    """Return the claims in which the model's two contracts differ."""
    cells = {cell.claim.id for cell in CELLS if cell.differs}
    hazards = {
        f"hazards.{name}"
        for name, (pattern, nfs_path) in _HAZARDS.items()
        if lines_differ(
            ClassSettings(on_delete="delete", path_pattern=pattern),
            PvcMeta("NAMESPACE", "PVC"),
            "VOLUME",
            nfs_path,
            others=[_BESIDE],
        )
    }
    return cells | hazards


def main() -> int:
    """Run suites for each variant against each contract; return 0 if just what must fail does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "suites", nargs="*", default=[*_SUITES, _CSI], metavar="SUITE", help="all if none"
    )
    parser.add_argument("--out", type=Path, default=Path("out/contracts"))
    options = parser.parse_args()
    suites = [suite for suite in options.suites if suite != _CSI]
    wrong = _provisioner(suites, options.out) if suites else []
    wrong += _csi(options.out) if _CSI in options.suites else []
    for problem in wrong:
        console.print(problem)
    console.print(f"{len(wrong)} problems")
    return 1 if wrong else 0


def _provisioner(suites: list[str], out: Path) -> list[str]:
    """Hold each variant of the provisioner to both contracts; return what is not as it must be."""
    expected = {claim for claim in differing() if claim.partition(".")[0] in suites}
    pairs = [*product(PATH_LINES, PATH_LINES), (Line.LEASES, Line.LEASES)]
    runs = (Column(f"{own} held to {held}", width=6) for own, held in pairs)
    table = Table(Column("claim", overflow="fold"), *runs)
    wrong: list[str] = []
    results: dict[tuple[Line, Line], dict[str, Verdict]] = {}
    with builds({line: {"CONTRACT": line} for line in Line}) as images:
        for own, held in pairs:
            title = f"{own} held to {held}"
            console.print(f"running the {title}")
            detects = own is held and own is not Line.LEASES  # its lock needs a right
            asked = "auto" if detects else held
            verdicts, detected = _run(images[own], asked, suites, out)
            results[own, held] = verdicts
            wrong += _problems(title, verdicts, set() if own is held else expected)
            if not detected.startswith(f"{own}, detected"):
                wrong.append(f"{title}: detected was {detected or 'nothing'}")
    for claim in sorted({claim for verdicts in results.values() for claim in verdicts}):
        found = [verdicts.get(claim, Verdict.UNKNOWN) for verdicts in results.values()]
        if claim in expected or set(found) != {Verdict.PASS}:
            table.add_row(claim, *found)
    console.print(table)
    console.print(f"{len(expected)} claims differ by the model")
    return wrong


def csi_differing(own: Options, held: Options) -> set[str]:
    """Return the claims in which the model says that the CSI driver's options differ."""

    def ends(options: Options) -> dict[str, Fate]:
        found = {cell.claim.id: cell.end_with(options) for cell in csi.CELLS if not cell.refusal}
        again = csi.end(csi.AGAIN, options, others=["archived-again"])
        return {**found, "csi.archive-is-not-overwritten": again}

    mine, theirs = ends(own), ends(held)
    return {claim for claim, end in mine.items() if end != theirs[claim]}


def _csi(out: Path) -> list[str]:
    """Hold the CSI driver with an option to the contract with and without it; keep the cluster.

    Return what is wrong. The suite itself holds the driver without options to its contract.
    """
    wrong: list[str] = []
    tests = [f"suites/conformance/{_CSI}/test_{name}.py" for name in ("matrix", "deletion")]
    others = [name for name in BUILDS if name != RELEASED]
    for own, held in [pair for name in others for pair in ((name, name), (name, RELEASED))]:
        title = f"CSI driver {own} held to {held}"
        console.print(f"running the {title}")
        asked = ["--images", "kit", "--keep", "--csi-driver", own, "--csi-contract", held]
        verdicts = _verdicts(run(tests, out, *asked))
        red = csi_differing(BUILDS[own], BUILDS[held])
        wrong += _problems(title, verdicts, red)
        failed = sum(verdict is Verdict.FAIL for verdict in verdicts.values())
        console.print(f"{failed} of {len(verdicts)} claims are red; {len(red)} differ by the model")
    return wrong


def _problems(title: str, verdicts: dict[str, Verdict], red: set[str]) -> Iterator[str]:
    """Yield a sentence for each claim that does not end as it must."""
    if not verdicts:
        yield f"{title}: nothing was judged"
    for claim in sorted(red - verdicts.keys()):
        yield f"{title}: {claim} was not judged"
    for claim, verdict in verdicts.items():
        wanted = Verdict.FAIL if claim in red else Verdict.PASS
        if verdict is not wanted:
            yield f"{title}: {claim} is {verdict}, not {wanted}"


def _run(image: str, contract: str, suites: list[str], out: Path) -> tuple[dict[str, Verdict], str]:
    """Run suites with an image against a contract; return the verdicts and the line detected."""
    folders = [f"suites/conformance/{suite}" for suite in suites]
    options = ["--images", "kit", "--provisioner-contract", contract, "--provisioner-image", image]
    events = run(folders, out, *SIDE_BY_SIDE, *options)
    facts = [event for event in events if isinstance(event, EnvironmentFact)]
    detected = [fact.value for fact in facts if fact.name == "provisioner contract"]
    return _verdicts(events), next(iter(detected), "")


def _verdicts(events: list[Event]) -> dict[str, Verdict]:
    return {event.claim: event.verdict for event in events if isinstance(event, TestFinished)}


if __name__ == "__main__":
    exit_with(main)
