"""The part of the evidence that the report shows, so that it stays small."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import escape

from reports.model import Summary, worst_first
from reports.text import clean, size

FILE_LIMIT = 24_000
"""Most bytes of HTML for one evidence file."""
TOTAL_LIMIT = 400_000
"""Most bytes of HTML for all evidence."""
_OVERHEAD = 400
_READ = 64_000
_GAP = "\n[ … the middle is omitted … ]\n"

Key = tuple[str, str, str]
"""Claim, test and file."""


@dataclass(frozen=True)
class Excerpt:
    """What the report shows of an evidence file; `href` is empty if there is no file."""

    href: str
    text: str
    remark: str


def excerpts(summary: Summary, folder: Path) -> dict[Key, Excerpt]:
    """Return what to show of each evidence file; claims that are not PASS get space first."""
    found: dict[Key, Excerpt] = {}
    left = TOTAL_LIMIT
    for claim in worst_first(summary.claims):
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
        return Excerpt("", "", "Not shown: it is outside the run's folder.")
    if not path.is_file():
        return Excerpt("", "", "The file is missing.")
    href = "./" + quote(file)
    if left < FILE_LIMIT + _OVERHEAD:
        return Excerpt(href, "", "Not shown, to keep the report short: open the file.")
    data, whole = _read(path)
    if b"\0" in data:
        return Excerpt(href, "", f"Not shown: {size(whole)} of binary data.")
    text = clean(data.decode(errors="replace"))
    shown = _fit(text)
    if shown == text and len(data) == whole:
        return Excerpt(href, text, "" if text.strip() else "The file is empty.")
    return Excerpt(href, shown, f"Beginning and end of {size(whole)}: the rest is in the file.")


def _read(path: Path) -> tuple[bytes, int]:
    """Return a file's beginning and end, and its size."""
    whole = path.stat().st_size
    with path.open("rb") as file:
        data = file.read(2 * _READ)
        if whole > 2 * _READ:
            file.seek(-_READ, 2)
            data = data[:_READ] + file.read(_READ)
    return data, whole


def _fit(text: str) -> str:
    """Return as much of the text's beginning and end as the limit allows."""
    shown, half = text, len(text) // 2
    while _size(shown) > FILE_LIMIT:
        half = half * FILE_LIMIT * 9 // (_size(shown) * 10)
        shown = text[:half] + _GAP + text[len(text) - half :]
    return shown


def _size(text: str) -> int:
    return len(escape(text).encode())
