"""Text as reports show it."""

from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.text import clean, duration, plural, shorten, size


@given(st.text(st.characters()))
def test_clean_text_is_valid_xml(text: str) -> None:
    ET.fromstring(f"<a>{escape(clean(text))}</a>")  # noqa: S314 - our own text


@given(st.text(st.characters()))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert "\x1b" not in clean(text)
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        ("a\r\nb\rc\x00\x08\ud800", "a\nb\nc"),
        ("tab\tand ü 雪 😀", "tab\tand ü 雪 😀"),
        (
            "k: |\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb",
            "k: |\n[secret removed]\nb",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMII", "[secret removed]"),
        ("client-key-data: LS0tLS1C\nuser: x", "client-key-data: [secret removed]\nuser: x"),
        ("Bearer eyJhbGciOiJS.eyJpc3MiOiJr.c2ln-_x!", "Bearer [secret removed]!"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (3599.7, "1 h 00 min"),
        (3725, "1 h 02 min"),
    ],
)
def test_duration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_sizes_counts_and_cuts() -> None:
    assert [size(1), size(999), size(1000), size(999_499), size(999_500)] == [
        "1 byte",
        "999 bytes",
        "1 kB",
        "999 kB",
        "1.0 MB",
    ]
    assert plural(1, "claim") == "1 claim"
    assert shorten("abc", 3) == "abc"
    assert shorten("abc d", 4) == "abc… (cut; the whole text is in journal.jsonl)"
