"""Every claim has a test, every conformance test a sabotage; the catalogue has them all."""

import importlib
import json
import subprocess
import sys
from collections import Counter

import pytest

from landfast import paths
from landfast.claims import load_claims

SUITES = paths.PROJECT / "suites"
_COLLECT = """
import json
from suites.catalogue import collect
print(json.dumps([(test, claim.id) for test, claim in collect()]))
"""


@pytest.fixture(scope="module")
def proofs() -> list[tuple[str, str]]:
    """Every test with its claim's id: collected in another process, as here pytest is running."""
    collected = subprocess.run(
        [sys.executable, "-c", _COLLECT],
        capture_output=True,
        text=True,
        check=True,
        cwd=paths.PROJECT,
    )
    return [(test, claim) for test, claim in json.loads(collected.stdout.splitlines()[-1])]


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


def test_the_catalogue_is_up_to_date() -> None:
    command = [sys.executable, "-m", "suites.catalogue", "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, cwd=paths.PROJECT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_claims_of_a_suite_stand_in_its_folder() -> None:
    for path in SUITES.rglob("claims.yaml"):
        assert {claim.suite for claim in load_claims(path.parent).values()} == {path.parent.name}
