"""Every claim has a test, every conformance test a sabotage; the catalogue has them all."""

import importlib
import json
import subprocess
import sys
from collections import Counter

import pytest

from landfast import paths
from landfast.claims import Claim, load_claims
from suites import catalogue

SUITES = paths.PROJECT / "suites"
pytestmark = pytest.mark.xdist_group("catalogue")  # collected once
_COLLECT = """
import json
from suites.catalogue import collect
print(json.dumps([(test, claim.model_dump()) for test, claim in collect()]))
"""


@pytest.fixture(scope="module")
def collected() -> list[tuple[str, Claim]]:
    """Every test with its claim: collected in another process, as here pytest is running."""
    found = subprocess.run(
        [sys.executable, "-c", _COLLECT],
        capture_output=True,
        text=True,
        check=True,
        cwd=paths.PROJECT,
    )
    tests = json.loads(found.stdout.splitlines()[-1])
    return [(test, Claim.model_validate(claim)) for test, claim in tests]


@pytest.fixture
def proofs(collected: list[tuple[str, Claim]]) -> list[tuple[str, str]]:
    """Every test with its claim's id."""
    return [(test, claim.id) for test, claim in collected]


def test_every_claim_is_proved_by_one_test(proofs: list[tuple[str, str]]) -> None:
    proved = Counter(claim for _, claim in proofs)
    assert set(load_claims(SUITES)) <= set(proved)
    assert {claim for claim, tests in proved.items() if tests > 1} == set()


def test_every_conformance_test_has_a_sabotage(proofs: list[tuple[str, str]]) -> None:
    folders = {path.parent for path in (SUITES / "conformance").rglob("test_*.py")}
    for folder in folders:
        relative = folder.relative_to(paths.PROJECT)
        module = importlib.import_module(".".join([*relative.parts, "sabotage"]))
        claims = [claim for test, claim in proofs if test.startswith(f"{relative}/")]
        assert set(module.SABOTAGES) == set(claims), relative


def test_steps_are_sabotaged_in_the_order_they_are_run_in(proofs: list[tuple[str, str]]) -> None:
    sabotage = importlib.import_module("suites.conformance.walkthrough.sabotage")
    assert [c for _, c in proofs if c in sabotage.IN_ORDER] == list(sabotage.IN_ORDER)


def test_the_catalogue_is_up_to_date(collected: list[tuple[str, Claim]]) -> None:
    wanted = catalogue.catalogue([claim for _, claim in collected])
    assert catalogue.FILE.read_text() == wanted, "run `nox -s catalogue`"


def test_claims_of_a_suite_stand_in_its_folder() -> None:
    for path in SUITES.rglob("claims.yaml"):
        assert {claim.suite for claim in load_claims(path.parent).values()} == {path.parent.name}
