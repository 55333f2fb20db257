"""Text as reports show it: safe anywhere, short, with readable times and sizes."""

import re

from landfast.markup import in_xml

_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links
    r"|\x1b[@-Z\\^_]"
)
_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=client-key-data: )\S+"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+",  # a service account's token
    re.DOTALL,
)


def clean(text: str) -> str:
    """Return `text` without ANSI escapes, characters that XML forbids, keys and tokens."""
    text = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _SECRETS.sub("[secret removed]", in_xml(text))


def shorten(text: str, limit: int) -> str:
    """Return about the first `limit` characters of `text`, and say so if there are more."""
    if len(text) <= limit:
        return text
    return f"{text[:limit].rstrip()}… (cut; the whole text is in journal.jsonl)"


def duration(seconds: float) -> str:
    """Return a readable time: `0.4 s`, `38 s`, `4 min 07 s`, `1 h 02 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, whole = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {whole:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def elapsed(seconds: float) -> str:
    """Return a short time with more digits: `0.31 s`, `4.6 s`, `38.2 s`, `4 min 07 s`."""
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 99.95 else duration(seconds)


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 claim`, `2 claims`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def size(count: int) -> str:
    """Return a readable size: `812 bytes`, `14 kB`, `3.2 MB`."""
    if count < 1000:
        return plural(count, "byte")
    return f"{count / 1000:.0f} kB" if count < 999_500 else f"{count / 1_000_000:.1f} MB"
