"""The part of the evidence that is shown in the report, so that the report stays small."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import escape

from reports.model import SHOWN_FIRST, Summary
from reports.text import clean, size

FILE_LIMIT = 24_000
"""Bytes of HTML that one evidence file may take."""
TOTAL_LIMIT = 400_000
"""Bytes of HTML that all evidence may take."""
_OVERHEAD = 400
_READ = 64_000
_GAP = "\n[ … the middle is left out … ]\n"

Key = tuple[str, str, str]
"""Claim, test and file."""


@dataclass(frozen=True)
class Excerpt:
    """What the report shows of an evidence file. `href` is empty where there is no file."""

    href: str
    text: str
    remark: str


def excerpts(summary: Summary, folder: Path) -> dict[Key, Excerpt]:
    """Give what is shown of each evidence file; the claims that are not PASS have the first go."""
    found: dict[Key, Excerpt] = {}
    left = TOTAL_LIMIT
    for claim in sorted(summary.claims, key=lambda claim: SHOWN_FIRST.index(claim.verdict)):
        for test in claim.tests:
            for evidence in test.evidence:
                excerpt = _excerpt(folder, evidence.file, left)
                left -= _size(excerpt.text) + _OVERHEAD
                found[claim.id, test.id, evidence.file] = excerpt
    return found


def _excerpt(folder: Path, file: str, left: int) -> Excerpt:
    try:
        return _read_excerpt(folder, file, left)
    except OSError as error:
        return Excerpt("", "", f"The file cannot be read: {error.strerror}.")


def _read_excerpt(folder: Path, file: str, left: int) -> Excerpt:
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        return Excerpt("", "", "It is outside the run's folder, so it is not shown.")
    if not path.is_file():
        return Excerpt("", "", "The file is missing.")
    href = "./" + quote(file)
    if left < FILE_LIMIT + _OVERHEAD:
        return Excerpt(href, "", "Not shown: the report would be too long. The file has it all.")
    data, whole = _read(path)
    if b"\0" in data:
        return Excerpt(href, "", f"Not shown: {size(whole)} that are not text.")
    text = clean(data.decode(errors="replace"))
    shown = _fit(text)
    if shown == text and len(data) == whole:
        return Excerpt(href, text, "" if text.strip() else "The file is empty.")
    return Excerpt(href, shown, f"Beginning and end of {size(whole)}. The file has it all.")


def _read(path: Path) -> tuple[bytes, int]:
    """Give a file's beginning and end, and its whole size."""
    whole = path.stat().st_size
    with path.open("rb") as file:
        data = file.read(2 * _READ)
        if whole > 2 * _READ:
            file.seek(-_READ, 2)
            data = data[:_READ] + file.read(_READ)
    return data, whole


def _fit(text: str) -> str:
    """Give as much of the text's beginning and end as is allowed."""
    shown, half = text, len(text) // 2
    while _size(shown) > FILE_LIMIT:
        half = half * FILE_LIMIT * 9 // (_size(shown) * 10)
        shown = text[:half] + _GAP + text[len(text) - half :]
    return shown


def _size(text: str) -> int:
    return len(escape(text).encode())
