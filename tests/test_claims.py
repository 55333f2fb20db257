"""The claims file: what is accepted, and what a mistake in it reads like."""

from pathlib import Path

import pytest

from landfast.claims import load_claims
from landfast.errors import BadInput

GOOD = """
- id: smoke.a-row-stays
  text: A row MUST stay.
  source: somewhere
- id: walkthrough.b
  text: Something SHOULD hold.
  source: somewhere else
"""


def write(folder: Path, text: str) -> Path:
    (folder / "claims.yaml").write_text(text)
    return folder


def test_claims_come_by_id_in_the_files_order(tmp_path: Path) -> None:
    claims = load_claims(write(tmp_path, GOOD))
    assert list(claims) == ["smoke.a-row-stays", "walkthrough.b"]
    assert claims["smoke.a-row-stays"].text == "A row MUST stay."
    assert claims["walkthrough.b"].suite == "walkthrough"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("MUST", "must"), "claim 1, text: String should match"),
        (("MUST", "MUSTARD"), "claim 1, text"),
        (("id: smoke.a-row-stays", "id: smoke"), "claim 1, id"),
        (("id: smoke.a-row-stays", "id: Smoke.row"), "claim 1, id"),
        (("source: somewhere else", "source: ''"), "claim 2, source"),
        (("source: somewhere else", ""), "claim 2, source: Field required"),
        (("  source: somewhere\n", "  source: somewhere\n  sorce: x\n"), "claim 1, sorce: Extra"),
        (("smoke.a-row-stays", "walkthrough.b"), "defines claim walkthrough.b a second time"),
        (("- id: walkthrough.b", "- id: [walkthrough.b"), "cannot be read: while parsing"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert change[0] in GOOD
    path = write(tmp_path, GOOD.replace(*change, 1))
    with pytest.raises(BadInput, match=message) as caught:
        load_claims(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "a: b", "just words"])
def test_a_file_without_a_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match="valid list"):
        load_claims(write(tmp_path, text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claims.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read"):
        load_claims(tmp_path)


def test_claims_of_all_files_below_a_folder_are_one_set(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    write(tmp_path / "a", GOOD)
    write(tmp_path / "b", GOOD.replace("smoke.a", "smoke.c").replace("walkthrough.b", "w.c"))
    assert list(load_claims(tmp_path)) == [
        "smoke.a-row-stays",
        "walkthrough.b",
        "smoke.c-row-stays",
        "w.c",
    ]
    write(tmp_path / "b", GOOD)
    with pytest.raises(BadInput, match=r"b/claims.yaml defines claim smoke.a-row.* a second"):
        load_claims(tmp_path)
