"""Every claim has a test, every test of a conformance suite a sabotage that makes it go red."""

import importlib
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from landfast import paths
from landfast.claims import load_claims

SUITES = paths.PROJECT / "suites"
CLAIMS = load_claims(SUITES / "claims.yaml")


def module(path: Path) -> ModuleType:
    relative = path.relative_to(paths.PROJECT).with_suffix("")
    return importlib.import_module(".".join(relative.parts))


def marks(test: Any, name: str, holder: ModuleType) -> list[Any]:
    of_module = getattr(holder, "pytestmark", [])
    every = [
        *getattr(test, "pytestmark", []),
        *(of_module if isinstance(of_module, list) else [of_module]),
    ]
    return [mark.args for mark in every if mark.name == name]


def proofs(folder: Path) -> list[tuple[str, bool]]:
    """Give, for every test below a folder, its claim and whether it is part of an ordered group."""
    found = []
    for path in sorted(folder.rglob("test_*.py")):
        holder = module(path)
        for name, test in vars(holder).items():
            if name.startswith("test_"):
                ((claim,),) = marks(test, "claim", holder)
                found.append((claim, bool(marks(test, "xdist_group", holder))))
    return found


CONFORMANCE = sorted(path.parent for path in (SUITES / "conformance").rglob("sabotage.py"))


def test_every_claim_is_proved_by_one_test() -> None:
    proved = Counter(claim for claim, _ in proofs(SUITES))
    assert set(proved) == set(CLAIMS)
    assert {claim for claim, tests in proved.items() if tests > 1} == set()


def test_every_conformance_suite_has_sabotages() -> None:
    folders = {path.parent for path in (SUITES / "conformance").rglob("test_*.py")}
    assert folders == set(CONFORMANCE)


@pytest.mark.parametrize("folder", CONFORMANCE, ids=lambda folder: folder.name)
def test_every_test_has_a_sabotage(folder: Path) -> None:
    sabotage = module(folder / "sabotage.py")
    tests = proofs(folder)
    assert [claim for claim, ordered in tests if ordered] == list(sabotage.IN_ORDER)
    assert {claim for claim, ordered in tests if not ordered} == set(sabotage.SIDE_BY_SIDE)


def test_claims_of_a_suite_stand_together() -> None:
    suites = [claim.suite for claim in CLAIMS.values()]
    assert [s for s, before in zip(suites[1:], suites, strict=False) if s != before] == list(
        dict.fromkeys(suites)
    )[1:]
