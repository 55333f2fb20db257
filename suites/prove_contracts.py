"""Hold the kit's provisioner to both contracts, in both its variants: it fits its own, only that.

`python -m suites.prove_contracts [SUITE…]`. Held to the other line's contract, a variant must FAIL
exactly those claims in which the lines differ by the model.
"""

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from landfast import paths, process, timeouts
from landfast.journal import EnvironmentFact, TestFinished, read_journal
from landfast.kit import engine as engines
from landfast.kit.build import kit_lock
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder
from landfast.progress import Progress
from landfast.provisioning.contract import ClassSettings, Line, PvcMeta, lines_differ
from landfast.verdict import Verdict
from suites.conformance.reclaim.matrix import CELLS

_SUITES = ("reclaim", "hazards")
_EXPORT = "/data/EXPORT"
_HAZARDS = {
    "nested-directory-is-leaked": ("team/PVC", _EXPORT),
    "nested-archives-collide": ("red/data", _EXPORT),
    "last-name-hits-a-neighbour": ("team/mysql", _EXPORT),
    "missing-annotation-gives-the-root": ("", _EXPORT),
    "dot-empties-the-export": (".", _EXPORT),
    "dot-dot-leaves-the-export": ("..", _EXPORT),
    "nfs-path-with-slash-leaks": (None, f"{_EXPORT}/"),
}
"""Those that are judged by the contract: the directory asked for, and NFS_PATH."""

console = Console()


def differing() -> set[str]:
    """Give the claims in which the lines' contracts differ, by the model."""
    cells = {cell.claim.id for cell in CELLS if cell.differs}
    hazards = {
        f"hazards.{name}"
        for name, (pattern, nfs_path) in _HAZARDS.items()
        if lines_differ(
            ClassSettings(on_delete="delete", path_pattern=pattern),
            PvcMeta("NAMESPACE", "PVC"),
            "VOLUME",
            nfs_path,
        )
    }
    return cells | hazards


def main() -> int:
    """Run suites for each variant against each contract; 0 if only what must fails, all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", default=_SUITES, metavar="SUITE", help="all if none")
    parser.add_argument("--out", type=Path, default=Path("out/contracts"))
    options = parser.parse_args()
    expected = {claim for claim in differing() if claim.partition(".")[0] in options.suites}
    runs = (Column(f"{own} held to {held}", width=6) for own in Line for held in Line)
    table = Table(Column("claim", overflow="fold"), *runs)
    wrong: list[str] = []
    results: dict[tuple[Line, Line], dict[str, Verdict]] = {}
    with _images() as images:
        for own in Line:
            for held in Line:
                title = f"{own} held to {held}"
                console.print(f"running the {title}")
                asked = "auto" if own is held else held
                verdicts, detected = _run(images[own], asked, options.suites, options.out)
                results[own, held] = verdicts
                wrong += _problems(title, verdicts, set() if own is held else expected)
                if not detected.startswith(f"{own}, detected"):
                    wrong.append(f"{title}: detected was {detected or 'nothing'}")
    for claim in sorted({claim for verdicts in results.values() for claim in verdicts}):
        found = [verdicts.get(claim, Verdict.UNKNOWN) for verdicts in results.values()]
        if claim in expected or set(found) != {Verdict.PASS}:
            table.add_row(claim, *found)
    console.print(table)
    for problem in wrong:
        console.print(problem)
    console.print(f"{len(expected)} claims differ by the model; {len(wrong)} problems")
    return 1 if wrong else 0


def _problems(title: str, verdicts: dict[str, Verdict], red: set[str]) -> Iterator[str]:
    """Say which claims ended otherwise than they must."""
    if not verdicts:
        yield f"{title}: nothing was judged"
    for claim in sorted(red - verdicts.keys()):
        yield f"{title}: {claim} was not judged"
    for claim, verdict in verdicts.items():
        wanted = Verdict.FAIL if claim in red else Verdict.PASS
        if verdict is not wanted:
            yield f"{title}: {claim} is {verdict}, not {wanted}"


@contextlib.contextmanager
def _images() -> Iterator[dict[Line, str | None]]:
    """Give the image of each variant, None for the kit's own."""
    progress = Progress()
    with kit_lock(progress):
        engine = engines.ensure(progress)
        builder = ImageBuilder(engine, Cache(paths.cache()), progress)
        base = builder.image("nfs-provisioner")
        master = f"landfast/nfs-provisioner-master:{builder.key('nfs-provisioner')}"
        dockerfile = f"FROM {base}\nENV CONTRACT={Line.MASTER}\n"
        engine.build_image_from_text(master, dockerfile)
    try:
        yield {Line.V402: None, Line.MASTER: master}
    finally:
        engine.remove_image(master, force=True)


def _run(
    image: str | None, contract: str, suites: list[str], out: Path
) -> tuple[dict[str, Verdict], str]:
    """Run suites with an image, held to a contract; give the verdicts, and what was detected."""
    folders = [f"suites/conformance/{suite}" for suite in suites]
    options = ["--images", "kit", "--out", str(out), "-n", "auto", "--dist", "loadgroup"]
    options += ["--provisioner-image", image] if image else []
    options += ["--provisioner-contract", contract]
    process.run(
        [sys.executable, "-m", "pytest", *folders, *options],
        timeout=timeouts.RUN,
        check=False,
        cwd=paths.PROJECT,
    )
    events = list(read_journal(paths.PROJECT / out / "latest" / "journal.jsonl"))
    verdicts = {event.claim: event.verdict for event in events if isinstance(event, TestFinished)}
    facts = [event for event in events if isinstance(event, EnvironmentFact)]
    detected = [fact.value for fact in facts if fact.name == "provisioner contract"]
    return verdicts, next(iter(detected), "")


if __name__ == "__main__":
    sys.exit(main())
